//! What serde writes and could not read again: such a history would be lost at the moment it is asked for.

use proc_macro2::Ident;
use syn::{Field, Type};

use crate::errors::Errors;
use crate::serde_attributes::{Container, Names, Part};

/// Complains of a field that rows will lack, or have under another name, when they are read.
pub(crate) fn check_field(
    field: &Field,
    part: &Part,
    names: &Names,
    container: &Container,
    errors: &mut Errors,
) {
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

fn is_option(of: &Type) -> bool {
    let Type::Path(path) = of else { return false };
    let last = path.path.segments.last();
    last.is_some_and(|segment| segment.ident == "Option")
}
