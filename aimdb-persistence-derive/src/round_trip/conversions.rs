//! Another type, or a function of the user's, writes or reads in place of the type itself.

use crate::errors::Errors;
use crate::serde_model::attributes::{Container, Part};

/// Complains of a type that is converted in one direction only.
pub(super) fn check_type(container: &Container, errors: &mut Errors) {
    match (&container.into, &container.from) {
        (Some(into), None) => errors.add(
            into,
            format!(
                "rows are written as `{0}` (`into`), but would be read as this type itself; add `from = \"{0}\"`, or \
                 `try_from = \"{0}\"`",
                into.text().unwrap_or_default()
            ),
        ),
        (None, Some(from)) => errors.add(
            from,
            format!(
                "rows are read as `{0}` (`{1}`), but would be written as this type itself; add `into = \"{0}\"`",
                from.text().unwrap_or_default(),
                from.name
            ),
        ),
        _ => {}
    }
}

/// Complains of a field or variant that a function writes, and none reads.
pub(super) fn check_functions(part: &Part, errors: &mut Errors) {
    let is_stored = part.is_written() && part.is_read();
    if let Some(function) = &part.serialize_with
        && is_stored
        && !part.is_read_by_function()
    {
        errors.add(
            function,
            "what this function writes is read by no function; add the `deserialize_with` that reads it, or \
             `deserialize_with = \"serde::Deserialize::deserialize\"` if it writes what is read without one",
        );
    }
}
