//! Variants that rows do not have, or have under another name, when they are read.

use crate::errors::Errors;
use crate::grammar::type_names::{cannot_be_tagged, is_option};
use crate::round_trip::same_names;
use crate::serde_model::attributes::Container;
use crate::serde_model::item::{SerdeVariant, Style, Tagging};

/// Complains of variants that cannot be written, or not be read.
pub(super) fn check(variants: &[SerdeVariant<'_>], container: &Container, errors: &mut Errors) {
    for variant in variants {
        check_skips(variant, errors);
        check_content(variant, container, errors);
        check_skipped_content(variant, container, errors);
        check_names(variant, container, errors);
    }
    let with_names: Vec<_> = variants
        .iter()
        .filter(|variant| variant.tagging(container) != Tagging::Untagged)
        .collect();
    same_names::check_variants(&with_names, errors);
}

fn check_skips(variant: &SerdeVariant<'_>, errors: &mut Errors) {
    let name = variant.name;
    match (&variant.part.skip_serializing, &variant.part.skip_deserializing) {
        (Some(skip), None) => errors.add(
            skip,
            format!(
                "`{name}` is never written (`skip_serializing`), so its values cannot be stored; remove it, or write \
                 `#[serde(skip)]` if none is ever recorded"
            ),
        ),
        (None, Some(skip)) => errors.add(
            skip,
            format!(
                "`{name}` is written but never read (`skip_deserializing`), so its rows would be lost; remove it, or write \
                 `#[serde(skip)]` if none is ever recorded"
            ),
        ),
        _ => {}
    }
}

/// With a tag among its fields, a variant has to have fields, or nothing.
fn check_content(variant: &SerdeVariant<'_>, container: &Container, errors: &mut Errors) {
    let (Tagging::Internal { tag }, [field]) =
        (variant.tagging(container), &variant.fields.list[..])
    else {
        return;
    };
    let is_written = variant.part.is_written() && field.part.is_written();
    let is_as_it_is = field.part.with.is_none() && field.part.serialize_with.is_none();
    if variant.fields.style == Style::Newtype
        && is_written
        && is_as_it_is
        && cannot_be_tagged(&field.syntax.ty)
    {
        errors.add(
            &field.syntax.ty,
            format!(
                "the tag `{tag}` lies among the fields of `{}`, and this has none, so no value could be stored; give it a name, \
                 as in `{} {{ value: … }}`, or add `content = \"value\"` to the tag",
                variant.name, variant.name
            ),
        );
    }
}

/// A variant of one field is written as one of none if that is skipped.
fn check_skipped_content(variant: &SerdeVariant<'_>, container: &Container, errors: &mut Errors) {
    let (Style::Newtype, [field]) = (variant.fields.style, &variant.fields.list[..]) else {
        return;
    };
    let name = variant.name;
    let skip = match (&field.part.skip_serializing, &field.part.skip_deserializing) {
        (None, None) => return,
        (Some(skip), None) | (None, Some(skip)) => skip,
        (Some(skip), Some(_)) => {
            let reads_content = matches!(variant.tagging(container), Tagging::Adjacent { .. });
            if reads_content && !is_option(&field.syntax.ty) {
                errors.add(
                    skip,
                    format!(
                        "`{name}` would be written without content, and cannot be read without it; remove the field, or `skip`"
                    ),
                );
            }
            return;
        }
    };
    errors.add(
        skip,
        format!(
            "the content of `{name}` must be written and read, or neither, so its rows would be lost; write `#[serde(skip)]`, \
             or remove `{}`",
            skip.name
        ),
    );
}

fn check_names(variant: &SerdeVariant<'_>, container: &Container, errors: &mut Errors) {
    let (name, names) = (variant.name, &variant.names);
    let is_stored = variant.part.is_written() && variant.part.is_read();
    if !is_stored || variant.tagging(container) == Tagging::Untagged {
        return;
    }
    if let Some(other) = names
        .read
        .first()
        .filter(|_| !names.read.contains(&names.written))
    {
        errors.add(
            name,
            format!(
                "`{name}` is written as `{0}` but read as `{other}`, so stored rows would lose it; add \
                 `#[serde(alias = \"{0}\")]`",
                names.written
            ),
        );
    }
}
