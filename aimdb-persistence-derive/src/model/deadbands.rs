//! The fields that are watched: `ignore` and `deadband`.

use syn::Type;

use crate::attributes::catalog::Setting;
use crate::attributes::entries::Value;
use crate::errors::Errors;
use crate::grammar::deadband::{self, Deadband};
use crate::grammar::type_names::known_other_than_a_number;
use crate::model::stored_path::{StoredPath, check_untagged, path_of};
use crate::shape::{Field, Shape};

/// How far a field must move for the value to be stored.
pub(crate) struct FieldDeadband<'a> {
    pub(crate) path: StoredPath,
    pub(crate) of: &'a Type,
    pub(crate) deadband: Deadband,
}

/// The library's `Policy` has room for so many fields with a deadband, and as many with `ignore`.
const MOST_FIELDS: usize = 16;

/// Where the fields are stored that `on_change` ignores.
pub(crate) fn read_ignored(shape: &Shape<'_>, errors: &mut Errors) -> Vec<StoredPath> {
    check_untagged(shape, Setting::Ignore, errors);
    let mut ignored = Vec::new();
    for field in shape.fields() {
        if field.has(Setting::Ignore) {
            ignored.extend(path_of(field, Setting::Ignore, errors));
            refuse_too_many(ignored.len(), field, Setting::Ignore, errors);
        }
    }
    ignored
}

/// The fields that have a deadband.
pub(crate) fn read_deadbands<'a>(shape: &Shape<'a>, errors: &mut Errors) -> Vec<FieldDeadband<'a>> {
    check_untagged(shape, Setting::Deadband, errors);
    let mut deadbands = Vec::new();
    for field in shape.fields() {
        let Some(value) = field.settings.value(Setting::Deadband) else {
            continue;
        };
        let deadband = read_deadband(value).map_err(|message| errors.add(value, message));
        let path = path_of(field, Setting::Deadband, errors);
        if let Some(other) = known_other_than_a_number(field.of) {
            errors.add(
                field.of,
                format!("a deadband watches a number, and this is {other}; remove `deadband`, or write `on_change` on the type"),
            );
        } else if let (Ok(deadband), Some(path)) = (deadband, path) {
            deadbands.push(FieldDeadband {
                path,
                of: field.of,
                deadband,
            });
            refuse_too_many(deadbands.len(), field, Setting::Deadband, errors);
        }
    }
    deadbands
}

fn read_deadband(value: &Value) -> Result<Deadband, String> {
    let number = match value {
        Value::Whole(number) => number.base10_parse::<f64>(),
        Value::Fraction(number) => number.base10_parse::<f64>(),
        Value::Text(text) => return deadband::parse_percentage(&text.value()),
        Value::Absent | Value::List(_) | Value::Other(_) => return Err(deadband::ADVICE.into()),
    };
    match number {
        Ok(number) => deadband::absolute(number),
        Err(error) => Err(format!("{error}; {}", deadband::ADVICE)),
    }
}

fn refuse_too_many(count: usize, field: &Field<'_>, setting: Setting, errors: &mut Errors) {
    if count == MOST_FIELDS + 1 {
        errors.add(
            field.settings.name(setting),
            format!(
                "at most {MOST_FIELDS} fields of a type may have `{}`",
                setting.name()
            ),
        );
    }
}
