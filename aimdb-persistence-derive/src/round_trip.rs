//! What serde writes and could not read again: such a history would be lost at the moment it is asked for.

use proc_macro2::Ident;
use quote::ToTokens;
use syn::{Field, Type};

use crate::errors::Errors;
use crate::grammar::type_names::{is_option, reference_in};
use crate::serde_model::attributes::{Container, Names, Part};

/// Complains of a field that rows will lack, or have under another name, when they are read.
pub(crate) fn check_field(
    field: &Field,
    part: &Part,
    names: &Names,
    container: &Container,
    errors: &mut Errors,
) {
    if !container.read_as_another && !part.skip_deserializing && !part.deserialize_with {
        refuse_references(field, errors);
    }
    // Fields without a name are told by their position.
    let Some(name) = &field.ident else { return };
    let other_type = container.written_as_another || container.read_as_another;
    if other_type || container.transparent || part.flatten || part.skip_deserializing {
        return;
    }
    let may_lack =
        part.default || container.default || (is_option(&field.ty) && !part.deserialize_with);
    if part.skip_serializing {
        if !may_lack {
            errors.add(
                name,
                format!(
                    "`{name}` is never written (`skip_serializing`), but no row can be read without it; write \
                     `#[serde(skip)]`, or add `default`"
                ),
            );
        }
    } else if part.skip_serializing_if && !may_lack {
        errors.add(
            name,
            format!(
                "some rows will lack `{name}` (`skip_serializing_if`), and cannot be read without it; add \
                 `#[serde(default)]`"
            ),
        );
    } else {
        check_names(name, names, errors);
    }
}

/// Complains of a variant that rows will have under another name when they are read.
pub(crate) fn check_variant(
    variant: &Ident,
    part: &Part,
    names: &Names,
    container: &Container,
    errors: &mut Errors,
) {
    let other_type = container.written_as_another || container.read_as_another;
    let unnamed = container.untagged || part.untagged;
    if !other_type && !unnamed && !part.skip_serializing && !part.skip_deserializing {
        check_names(variant, names, errors);
    }
}

fn refuse_references(field: &Field, errors: &mut Errors) {
    let Some(reference) = reference_in(&field.ty) else {
        return;
    };
    let owned = match &*reference.elem {
        Type::Path(path) if path.path.is_ident("str") => "write `String`".to_owned(),
        Type::Slice(slice) => format!("write `Vec<{}>`", slice.elem.to_token_stream()),
        other => format!("write `{}`", other.to_token_stream()),
    };
    errors.add(
        reference,
        format!("a value that is read from the history owns all of its data, so nothing in it can be borrowed; {owned}"),
    );
}

fn check_names(own: &Ident, Names { written, read }: &Names, errors: &mut Errors) {
    if let Some(other) = read.first().filter(|_| !read.contains(written)) {
        errors.add(
            own,
            format!(
                "`{own}` is written as `{written}` but read as `{other}`, so stored rows would lose it; add \
                 `#[serde(alias = \"{written}\")]`"
            ),
        );
    }
}
