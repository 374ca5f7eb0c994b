//! Types of fields whose values change on the way through JSON.

use quote::ToTokens;
use syn::Type;

use crate::errors::Errors;
use crate::grammar::type_names::{
    integer_of_128_bits, map_with_keys_other_than_texts, map_with_keys_that_are_no_texts,
    option_that_loses_a_value, reference_in,
};
use crate::serde_model::item::{Body, Item, SerdeField};

/// Why serde reads a value into memory before it knows the type: what it holds there has no numbers of 128 bits, and
/// no numbers for keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Buffered {
    Tag,
    Untagged,
    Flattened,
}

impl Buffered {
    fn attribute(self) -> &'static str {
        match self {
            Self::Tag => "tag",
            Self::Untagged => "untagged",
            Self::Flattened => "flatten",
        }
    }
}

/// Complains of a field whose type does not give back what it wrote.
pub(super) fn check(field: &SerdeField<'_>, buffered: Option<Buffered>, errors: &mut Errors) {
    let (part, of) = (&field.part, &field.syntax.ty);
    if part.is_read_by_function() || !part.is_read() {
        return;
    }
    refuse_references(of, errors);
    if !part.is_written() {
        return;
    }
    if let Some(option) = option_that_loses_a_value(of) {
        errors.add(
            option,
            format!(
                "in JSON, a value of `{}` that is present may be `null`, and is read as `None`; write an enum of your own, \
                 or read and write it by functions (`with`)",
                text(option)
            ),
        );
    }
    if let Some((map, key)) = map_with_keys_that_are_no_texts(of) {
        errors.add(
            map,
            format!(
                "keys are texts in JSON, and a value of `{}` is not written as one, so no such map could be stored; write a list \
                 of pairs, `Vec<(…)>`, or a `String` for the key",
                text(key)
            ),
        );
    }
    let buffered = match &part.flatten {
        Some(_) => Some(Buffered::Flattened),
        None => buffered,
    };
    if let Some(buffered) = buffered {
        check_buffered(of, buffered, errors);
    }
}

fn check_buffered(of: &Type, buffered: Buffered, errors: &mut Errors) {
    let attribute = buffered.attribute();
    if let Some((map, key)) = map_with_keys_other_than_texts(of) {
        errors.add(
            map,
            format!(
                "keys are texts in JSON, and behind `{attribute}` serde does not read them as `{}`; write \
                 `String` for the key, or remove `{attribute}`",
                text(key)
            ),
        );
    }
    if let Some(integer) = integer_of_128_bits(of) {
        errors.add(
            integer,
            format!(
                "behind `{attribute}` serde reads no number of more than 64 bits; write `{}`, or read and write it as a text (`with`), or \
                 remove `{attribute}`",
                text(integer).replace("128", "64")
            ),
        );
    }
}

/// Complains of references in the fields of a type, and of nothing else.
pub(super) fn check_references(item: &Item<'_>, errors: &mut Errors) {
    let fields: Vec<_> = match &item.body {
        Body::Struct(fields) => fields.list.iter().collect(),
        Body::Enum(variants) => variants.iter().flat_map(|v| &v.fields.list).collect(),
        Body::Union(_) => Vec::new(),
    };
    for field in fields {
        if field.part.is_read() && !field.part.is_read_by_function() {
            refuse_references(&field.syntax.ty, errors);
        }
    }
}

fn refuse_references(of: &Type, errors: &mut Errors) {
    let Some(reference) = reference_in(of) else {
        return;
    };
    let owned = match &*reference.elem {
        Type::Path(path) if path.path.is_ident("str") => "write `String`".to_owned(),
        Type::Slice(slice) => format!("write `Vec<{}>`", text(&slice.elem)),
        other => format!("write `{}`", text(other)),
    };
    errors.add(
        reference,
        format!("a value that is read from the history owns all of its data, so nothing in it can be borrowed; {owned}"),
    );
}

/// A type as it is written.
fn text(of: &Type) -> String {
    let spaced = of.to_token_stream().to_string();
    let joined = spaced
        .replace(" < ", "<")
        .replace(" >", ">")
        .replace("< ", "<");
    joined.replace(" ,", ",").replace(" :: ", "::")
}
