//! Rows to be looked at: their fields side by side.

use std::collections::BTreeSet;

use serde_json::Value;

/// A stored row.
#[derive(Debug, Clone, PartialEq)]
pub struct ShownRow {
    /// The key of its series.
    pub record_name: String,
    /// Unix milliseconds.
    pub stored_at: u64,
    /// The version of its type that it was written as.
    pub version: u32,
    /// The value.
    pub value: Value,
}

/// The fields that some values have, each by the names that lead to it, in the order in which they are met.
pub fn fields_of<'v>(values: impl IntoIterator<Item = &'v Value>) -> Vec<Vec<String>> {
    let (mut known, mut fields) = (BTreeSet::new(), Vec::new());
    for value in values {
        collect(&mut Vec::new(), value, &mut |names| {
            if !known.contains(names) {
                known.insert(names.to_vec());
                fields.push(names.to_vec());
            }
        });
    }
    fields
}

fn collect(names: &mut Vec<String>, value: &Value, take: &mut impl FnMut(&[String])) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (name, member) in members {
                names.push(name.clone());
                collect(names, member, take);
                names.pop();
            }
        }
        _ => take(names),
    }
}

/// What lies at these names, where it is no object of fields.
pub fn field_at<'v>(value: &'v Value, names: &[String]) -> Option<&'v Value> {
    let found = names
        .iter()
        .try_fold(value, |value, name| value.get(name))?;
    match found {
        Value::Object(members) if !members.is_empty() => None,
        found => Some(found),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_fields_of_several_values_stand_side_by_side() {
        let values = [
            json!({"a": 1, "b": {"c": 2}}),
            json!({"b": 3, "d": {}}),
            json!(4),
        ];
        let fields = fields_of(&values);
        let paths: Vec<_> = fields.iter().map(|names| names.join(".")).collect();
        assert_eq!(paths, ["a", "b.c", "b", "d", ""]);
        assert_eq!(field_at(&values[0], &fields[1]), Some(&json!(2)));
        assert_eq!(field_at(&values[0], &fields[2]), None);
        assert_eq!(field_at(&values[2], &fields[4]), Some(&json!(4)));
    }
}
