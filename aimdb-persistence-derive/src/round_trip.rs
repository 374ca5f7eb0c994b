//! What serde would write and could not read again, or would read as another value. Such rows would be lost, and nobody
//! would notice before they are asked for.
//!
//! What the macro cannot see is left to run time: the types of fields, which it knows by name only, and what functions
//! of the user's do.

mod conversions;
mod denied;
mod flattened;
mod missing;
mod positions;
mod same_names;
mod types;
mod variants;

#[cfg(test)]
mod tests;

use crate::errors::Errors;
use crate::round_trip::types::Buffered;
use crate::serde_model::attributes::Container;
use crate::serde_model::item::{Body, Item, SerdeFields, Style, Tagging};

/// Complains of all that would not come back.
pub(crate) fn check(item: &Item<'_>, errors: &mut Errors) {
    let container = &item.container;
    conversions::check_type(container, errors);
    if container.is_converted() {
        // Another type decides what is stored. Only what is read as this type itself is looked at.
        if container.from.is_none() {
            types::check_references(item, errors);
        }
        return;
    }
    match &item.body {
        Body::Struct(fields) => {
            check_fields(fields, container, None, errors);
            same_names::check_tag(fields, container, errors);
            flattened::check_tag(fields, container, errors);
            denied::check_tag(container, errors);
        }
        Body::Enum(list) => {
            variants::check(list, container, errors);
            for variant in list.iter().filter(|variant| variant.part.is_read()) {
                let buffered = match variant.tagging(container) {
                    Tagging::Internal { .. } => Some(Buffered::Tag),
                    Tagging::Untagged => Some(Buffered::Untagged),
                    Tagging::External | Tagging::Adjacent { .. } => None,
                };
                conversions::check_functions(&variant.part, errors);
                if !variant.part.is_read_by_function() {
                    check_fields(&variant.fields, container, buffered, errors);
                }
            }
        }
        Body::Union(_) => {}
    }
}

fn check_fields(
    fields: &SerdeFields<'_>,
    container: &Container,
    buffered: Option<Buffered>,
    errors: &mut Errors,
) {
    for field in &fields.list {
        conversions::check_functions(&field.part, errors);
        types::check(field, buffered, errors);
    }
    match fields.style {
        Style::Named if container.transparent.is_some() => {}
        Style::Named => {
            for field in &fields.list {
                missing::check(field, container, errors);
                denied::check(field, container, errors);
            }
            flattened::check(fields, errors);
            same_names::check_fields(fields, errors);
        }
        Style::Tuple => positions::check(fields, container, errors),
        Style::Newtype | Style::Unit => {}
    }
}
