//! Names that two fields or two variants share.

use proc_macro2::TokenStream;
use quote::ToTokens;

use crate::errors::Errors;
use crate::serde_model::attributes::{Container, Part};
use crate::serde_model::item::{SerdeFields, SerdeVariant};
use crate::serde_model::names::Names;

/// A field or a variant.
struct Named<'a> {
    place: TokenStream,
    described: String,
    part: &'a Part,
    names: &'a Names,
}

/// Complains of a field that is stored under the name of another.
pub(super) fn check_fields(fields: &SerdeFields<'_>, errors: &mut Errors) {
    let fields = fields
        .list
        .iter()
        .filter(|field| field.part.flatten.is_none());
    let named: Vec<_> = fields
        .map(|field| Named {
            place: field.member.to_token_stream(),
            described: field.described(),
            part: &field.part,
            names: &field.names,
        })
        .collect();
    check(&named, errors);
}

/// Complains of a variant that is stored under the name of another.
pub(super) fn check_variants(variants: &[&SerdeVariant<'_>], errors: &mut Errors) {
    let named: Vec<_> = variants
        .iter()
        .map(|variant| Named {
            place: variant.name.to_token_stream(),
            described: format!("`{}`", variant.name),
            part: &variant.part,
            names: &variant.names,
        })
        .collect();
    check(&named, errors);
}

/// Complains of the tag of a struct that is also the name of a field.
pub(super) fn check_tag(fields: &SerdeFields<'_>, container: &Container, errors: &mut Errors) {
    let Some(tag) = &container.tag else { return };
    let text = tag.text().unwrap_or_default();
    let mut all = fields.list.iter();
    let same = all.find(|field| {
        let part = &field.part;
        let is_written_so = part.is_written() && field.names.written == text;
        let is_read_so = part.is_read() && field.names.read.iter().any(|name| name == text);
        part.flatten.is_none() && (is_written_so || is_read_so)
    });
    if let Some(field) = same {
        errors.add(
            tag,
            format!(
                "{} has the name `{text}`, too, so the tag of a row would be read as its value; choose another tag",
                field.described()
            ),
        );
    }
}

fn check(all: &[Named<'_>], errors: &mut Errors) {
    for (index, this) in all.iter().enumerate() {
        if !this.part.is_written() {
            continue;
        }
        let written = &this.names.written;
        let mut earlier = all[..index].iter();
        if let Some(other) =
            earlier.find(|other| other.part.is_written() && other.names.written == *written)
        {
            errors.add(
                &this.place,
                format!(
                    "{} and {} are both stored as `{written}`; give one of them another name (`rename`)",
                    this.described, other.described
                ),
            );
            continue;
        }
        let is_reader =
            |other: &&Named<'_>| other.part.is_read() && other.names.read.contains(written);
        let reader = all.iter().position(|other| is_reader(&other));
        if let Some(reader) = reader.filter(|reader| *reader != index) {
            let other = &all[reader];
            errors.add(
                &other.place,
                format!(
                    "{} is also read from `{written}`, which is the stored name of {}; remove that name from the first (`alias`, `rename`)",
                    other.described, this.described
                ),
            );
        }
    }
}
