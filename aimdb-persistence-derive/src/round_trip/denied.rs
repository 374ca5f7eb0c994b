//! `deny_unknown_fields`: a row must not have what is not read.

use crate::errors::Errors;
use crate::serde_model::attributes::Container;
use crate::serde_model::item::SerdeField;

/// Complains of a struct that is written with a tag, and refused for it.
pub(super) fn check_tag(container: &Container, errors: &mut Errors) {
    if let (Some(deny), Some(tag)) = (&container.deny_unknown_fields, &container.tag) {
        errors.add(
            deny,
            format!(
                "a struct is written with its tag `{}`, and read without one, so `deny_unknown_fields` refuses every row; remove one \
                 of the two",
                tag.text().unwrap_or_default()
            ),
        );
    }
}

/// Complains of a field that is written, and then refused.
pub(super) fn check(field: &SerdeField<'_>, container: &Container, errors: &mut Errors) {
    let (Some(deny), part) = (&container.deny_unknown_fields, &field.part) else {
        return;
    };
    if !part.is_written() {
        return;
    }
    let described = field.described();
    if let Some(flatten) = &part.flatten {
        errors.add(
            deny,
            format!(
                "serde does not support `deny_unknown_fields` together with the `{}` of {described}: rows may be refused for \
                 the fields that it flattens; remove one of the two",
                flatten.name
            ),
        );
    } else if let Some(skip) = &part.skip_deserializing {
        errors.add(
            skip,
            format!(
                "{described} is written but never read, and `deny_unknown_fields` refuses a row that has it; write \
                 `#[serde(skip)]`, or remove `deny_unknown_fields`"
            ),
        );
    }
}
