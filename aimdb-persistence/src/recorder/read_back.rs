//! Whether what is stored comes back: the first value of each variant of a type is read from its row and written once more.
//!
//! The macro refuses what serde is told to write and cannot read. What it cannot see shows here: variants that are not told
//! apart, types of other crates.

use std::any::{TypeId, type_name};
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::mem::{Discriminant, discriminant};
use std::panic::{AssertUnwindSafe, catch_unwind};

use aimdb_persistence_backend::json::write;
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::archive::event::PersistenceEvent;
use crate::archive::record::RecordState;
use crate::declaration::declared::{Declared, Record};
use crate::declaration::field_info::FieldInfo;
use crate::recorder::recording::Recorder;

/// Tries the values of one stream.
pub(crate) struct ReadBack<T> {
    /// The text of what is read from this one.
    rewrite: fn(u32, &str) -> Result<String, String>,
    type_id: TypeId,
    /// What every value has, as its declaration says.
    fields: &'static [FieldInfo],
    declared_by: &'static str,
    /// Variants that need not be tried again.
    seen: Vec<Discriminant<T>>,
}

impl<T: Record> ReadBack<T> {
    pub(crate) fn new<D: Declared<Value = T>>() -> Self {
        Self {
            rewrite: |version, json| {
                let value = D::from_stored(version, json).map_err(|error| error.to_string())?;
                let mut text = Vec::new();
                write(&value, &mut text).map_err(|error| error.to_string())?;
                String::from_utf8(text).map_err(|error| error.to_string())
            },
            type_id: TypeId::of::<D>(),
            fields: const { D::DECLARATION.fields() },
            declared_by: const { D::DECLARATION.type_name() },
            seen: Vec::new(),
        }
    }
}

impl<T> ReadBack<T> {
    /// Tries the value if it is the first of its variant in this database.
    pub(crate) fn try_first(
        &mut self,
        recorder: &Recorder,
        record: &RecordState,
        value: &T,
        json: &str,
    ) {
        let variant = discriminant(value);
        if self.seen.contains(&variant) {
            return;
        }
        self.seen.push(variant);
        let mut hasher = DefaultHasher::new();
        variant.hash(&mut hasher);
        let registry = recorder.archive().registry();
        if !registry.is_first_of_variant(self.type_id, hasher.finish()) {
            return;
        }
        if let Some(reason) = self.field_that_is_missing(json) {
            recorder.report(&PersistenceEvent::Misdeclared {
                record_name: record.name.to_string(),
                reason,
            });
        }
        // The user's code runs in here.
        let rewritten = catch_unwind(AssertUnwindSafe(|| (self.rewrite)(record.version(), json)));
        let reason = match rewritten {
            Err(_) => "reading it panics".to_owned(),
            Ok(Err(error)) => format!("it does not decode: {error}"),
            Ok(Ok(text)) => match difference(json, &text) {
                Some(difference) => difference,
                None => return,
            },
        };
        recorder.report(&PersistenceEvent::ReadsBackDifferently {
            record_name: record.name.to_string(),
            type_name: type_name::<T>(),
            reason,
        });
    }

    /// What a marker says of the fields of a type of another crate holds for the stored names, which only that type knows.
    fn field_that_is_missing(&self, json: &str) -> Option<String> {
        let mut fields = self.fields.iter().filter(|field| field.is_in_every_row());
        let first = fields.next()?;
        let members: BTreeMap<String, IgnoredAny> = serde_json::from_str(json).unwrap_or_default();
        let missing = |field: &&FieldInfo| !members.contains_key(field.name());
        let missing = [first].into_iter().chain(fields).find(missing)?;
        let stored: Vec<_> = members.keys().map(|name| format!("`{name}`")).collect();
        Some(format!(
            "`{}` names the field `{}`, and its values are stored without it, so that nothing said of it has an effect; they have \
             {}: repeat the type's `#[serde(rename = \"…\")]` or `rename_all` in the marker",
            self.declared_by,
            missing.name(),
            if stored.is_empty() {
                "none".to_owned()
            } else {
                stored.join(", ")
            },
        ))
    }
}

/// What is in one text and not, or otherwise, in the other. The order of an object's members makes no difference, nor that of
/// an array, which may have been a set.
fn difference(stored: &str, read_back: &str) -> Option<String> {
    if stored == read_back {
        return None;
    }
    let parse = |text| serde_json::from_str::<Value>(text).map(sorted);
    match (parse(stored), parse(read_back)) {
        (Ok(stored), Ok(read_back)) if stored == read_back => None,
        _ => Some(format!(
            "{} comes back as {}",
            shown(stored),
            shown(read_back)
        )),
    }
}

fn sorted(value: Value) -> Value {
    match value {
        Value::Array(items) => {
            let mut items: Vec<_> = items.into_iter().map(sorted).collect();
            items.sort_by_cached_key(Value::to_string);
            Value::Array(items)
        }
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .map(|(name, of)| (name, sorted(of)))
                .collect(),
        ),
        other => other,
    }
}

/// A text in few characters, however long it is.
fn shown(text: &str) -> String {
    const MOST: usize = 120;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_members_and_of_a_set_makes_no_difference() {
        assert_eq!(
            difference(r#"{"a":[1,2],"b":1}"#, r#"{"b":1,"a":[2,1]}"#),
            None
        );
        assert_eq!(
            difference("[null,2.0]", "[2.0,0.0]").as_deref(),
            Some("[null,2.0] comes back as [2.0,0.0]")
        );
        let long = format!("\"{}\"", "é".repeat(500));
        let said = difference(&long, "1").unwrap();
        assert!(said.chars().count() < 200, "{said}");
    }
}
