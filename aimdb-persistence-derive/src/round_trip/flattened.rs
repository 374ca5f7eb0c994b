//! `flatten`: the fields of several values share one object.

use quote::ToTokens;

use crate::errors::Errors;
use crate::grammar::type_names::{is_map, is_never_an_object, is_option, without_option};
use crate::serde_model::attributes::Container;
use crate::serde_model::item::{SerdeField, SerdeFields};

/// Complains of flattened fields that take what belongs to others.
pub(super) fn check(fields: &SerdeFields<'_>, errors: &mut Errors) {
    let all: Vec<_> = fields
        .list
        .iter()
        .filter(|field| is_flattened(field))
        .collect();
    for (index, field) in all.iter().enumerate() {
        let of = without_option(&field.syntax.ty);
        let described = field.described();
        if is_never_an_object(of) {
            errors.add(
                &field.syntax.ty,
                format!(
                    "{described} is flattened, and its type is not written as an object, so no value could be stored; \
                     remove `flatten`"
                ),
            );
        }
        if is_option(&field.syntax.ty) && is_map(of) {
            errors.add(
                &field.syntax.ty,
                format!(
                    "{described} is a flattened map, which is read as an empty one where it was `None`; write the map without \
                     `Option`"
                ),
            );
        }
        let before = &all[..index];
        let (is_map_here, of_here) = (is_map(of), of.to_token_stream().to_string());
        for earlier in before {
            let of_earlier = without_option(&earlier.syntax.ty);
            let earlier_described = earlier.described();
            if is_map(of_earlier) {
                errors.add(
                    &earlier.part.flatten,
                    format!(
                        "this map would also be given the fields of {described}, which is flattened after it; put \
                         {earlier_described} last, or remove one `flatten`"
                    ),
                );
            } else if !is_map_here && of_earlier.to_token_stream().to_string() == of_here {
                errors.add(
                    &field.part.flatten,
                    format!(
                        "{earlier_described} has the same type and is flattened, too, so both would be stored under the same \
                         names; remove one `flatten`"
                    ),
                );
            }
        }
    }
}

/// Complains of a struct whose tag would be read into a flattened map.
pub(super) fn check_tag(fields: &SerdeFields<'_>, container: &Container, errors: &mut Errors) {
    let Some(tag) = &container.tag else { return };
    let mut flattened = fields.list.iter().filter(|field| is_flattened(field));
    if let Some(map) = flattened.find(|field| is_map(without_option(&field.syntax.ty))) {
        errors.add(
            tag,
            format!(
                "{} is a flattened map, which would also be given the tag `{}` of each row; remove one of the two",
                map.described(),
                tag.text().unwrap_or_default()
            ),
        );
    }
}

fn is_flattened(field: &SerdeField<'_>) -> bool {
    let part = &field.part;
    part.flatten.is_some() && part.is_written() && part.is_read()
}
