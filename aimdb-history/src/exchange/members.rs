//! A value's fields, each as the JSON that is stored of it, digit by digit.

use std::borrow::Cow;

use crate::exchange::scanner::Scanner;

/// Shows the fields of a value with their columns' names, in order: those of objects within objects too. A value that is
/// no object is one field, and so are lists and objects without members.
pub(crate) fn each_field<'j>(json: &'j str, mut take: impl FnMut(&str, &'j str)) {
    let mut name = String::new();
    visit(json, &mut name, &mut take);
}

fn visit<'j>(json: &'j str, name: &mut String, take: &mut impl FnMut(&str, &'j str)) {
    let mut members = Scanner::of_object(json);
    let mut is_object = false;
    while let Some((member, value)) = members.as_mut().and_then(Scanner::member) {
        is_object = true;
        let member = unescaped(member);
        let length = name.len();
        if length > 0 || is_reserved(&member) {
            name.push('.');
        }
        escape(&member, name);
        visit(value, name, take);
        name.truncate(length);
    }
    if !is_object {
        take(if name.is_empty() { WHOLE } else { name }, json);
    }
}

/// A member's name; without escapes, as it stands between its quotes.
fn unescaped(quoted: &str) -> Cow<'_, str> {
    let name = quoted.get(1..quoted.len() - 1).unwrap_or(quoted);
    match name.contains('\\') {
        true => serde_json::from_str(quoted).map_or(Cow::Borrowed(name), Cow::Owned),
        false => Cow::Borrowed(name),
    }
}

/// The column of a value that is no object.
pub(crate) const WHOLE: &str = ".";

/// The columns that are not fields. A field of such a name has a dot before it.
pub(crate) const RECORD_NAME: &str = "record_name";
pub(crate) const STORED_AT: &str = "stored_at";
pub(crate) const VERSION: &str = "version";

pub(crate) fn is_reserved(name: &str) -> bool {
    [RECORD_NAME, STORED_AT, VERSION].contains(&name)
}

/// Stands for a name without letters.
const EMPTY: &str = r"\e";

/// A dot within a name does not part it from another.
fn escape(member: &str, name: &mut String) {
    if member.is_empty() {
        name.push_str(EMPTY);
    }
    for character in member.chars() {
        if ['.', '\\'].contains(&character) {
            name.push('\\');
        }
        name.push(character);
    }
}

/// The names that a column's name stands for, from the outside in.
pub(crate) fn names_of(column: &str) -> Vec<String> {
    if column == WHOLE {
        return Vec::new();
    }
    let mut names = vec![String::new()];
    let mut characters = column.strip_prefix('.').unwrap_or(column).chars();
    while let Some(character) = characters.next() {
        match character {
            '.' => names.push(String::new()),
            '\\' => {
                let escaped = characters.next().filter(|escaped| *escaped != 'e');
                if let Some(name) = names.last_mut() {
                    name.extend(escaped);
                }
            }
            _ => {
                if let Some(name) = names.last_mut() {
                    name.push(character);
                }
            }
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_have_columns_that_lead_back_to_them() {
        let json = r#"{"a":1.50,"b":{"c d":null,"e":{}},"f.g\\h":[1,2],"version":3,"":true}"#;
        let mut fields = Vec::new();
        each_field(json, |name, value| fields.push((name.to_owned(), value)));
        let expected = [
            ("a", "1.50", vec!["a"]),
            ("b.c d", "null", vec!["b", "c d"]),
            ("b.e", "{}", vec!["b", "e"]),
            (r"f\.g\\h", "[1,2]", vec![r"f.g\h"]),
            (".version", "3", vec!["version"]),
            (r"\e", "true", vec![""]),
        ];
        for ((name, value), (column, json, names)) in fields.iter().zip(&expected) {
            assert_eq!((&**name, value), (*column, json));
            assert_eq!(names_of(name), *names);
        }
        assert_eq!(fields.len(), expected.len());
        each_field("3", |name, value| assert_eq!((name, value), (WHOLE, "3")));
    }
}
