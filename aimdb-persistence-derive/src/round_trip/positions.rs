//! Fields without names: each is found by its position, which must be the same when it is written and when it is read.

use crate::errors::Errors;
use crate::round_trip::missing::check_default;
use crate::serde_model::attributes::Container;
use crate::serde_model::item::{SerdeField, SerdeFields};

/// Complains of fields that move others to another position.
pub(super) fn check(fields: &SerdeFields<'_>, container: &Container, errors: &mut Errors) {
    for (index, field) in fields.list.iter().enumerate() {
        let later = &fields.list[index + 1..];
        check_field(field, later, container, errors);
    }
}

fn check_field(
    field: &SerdeField<'_>,
    later: &[SerdeField<'_>],
    container: &Container,
    errors: &mut Errors,
) {
    let (part, described) = (&field.part, field.described());
    let is_last = !later
        .iter()
        .any(|field| field.part.is_written() || field.part.is_read());
    let has_default = part.default.is_some() || container.default.is_some();
    match (&part.skip_serializing, &part.skip_deserializing) {
        (Some(_), Some(_)) => {}
        // The others keep their positions.
        (Some(_), None) if is_last && has_default => {}
        (Some(skip), None) => errors.add(
            skip,
            format!(
                "{described} is read but never written (`skip_serializing`), so each value after it would be read as the one \
                 before; write `#[serde(skip)]`, or give the fields names"
            ),
        ),
        (None, Some(skip)) => errors.add(
            skip,
            format!(
                "{described} is written but never read (`skip_deserializing`), so it would be read as the field after it; write \
                 `#[serde(skip)]`, or give the fields names"
            ),
        ),
        (None, None) => {
            let Some(skip_if) = &part.skip_serializing_if else {
                return;
            };
            if !is_last {
                errors.add(
                    skip_if,
                    format!(
                        "where {described} is left out (`skip_serializing_if`), the values after it would be read as the \
                         ones before; remove it, or give the fields names"
                    ),
                );
            } else if !has_default {
                errors.add(
                    skip_if,
                    format!(
                        "some rows will lack {described} (`skip_serializing_if`), and cannot be read without it; add \
                         `#[serde(default)]`"
                    ),
                );
            } else {
                check_default(field, skip_if, container, errors);
            }
        }
    }
}
