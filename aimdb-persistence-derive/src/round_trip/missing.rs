//! Fields that rows will lack, or have under another name, when they are read.

use crate::errors::Errors;
use crate::grammar::type_names::{is_map, is_option};
use crate::serde_model::attributes::{Container, Given};
use crate::serde_model::item::SerdeField;
use crate::serde_model::names::Names;

/// Complains of a field with a name that its row may lack.
pub(super) fn check(field: &SerdeField<'_>, container: &Container, errors: &mut Errors) {
    let part = &field.part;
    if !part.is_read() {
        return;
    }
    let described = field.described();
    if let Some(skip) = &part.skip_serializing {
        if !may_be_missing(field, container) {
            let or_default = match part.flatten {
                Some(_) => "",
                None => ", or add `default`",
            };
            errors.add(
                skip,
                format!(
                    "{described} is never written (`skip_serializing`), but no row can be read without it; write \
                     `#[serde(skip)]`{or_default}"
                ),
            );
        }
    } else if let Some(skip_if) = &part.skip_serializing_if {
        if part.flatten.is_some() && !may_be_missing(field, container) {
            errors.add(
                skip_if,
                format!(
                    "rows without the fields of {described} (`skip_serializing_if`) cannot be read; write an `Option`, or remove \
                     `skip_serializing_if`"
                ),
            );
        } else if !may_be_missing(field, container) {
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
    if part.is_written() && part.flatten.is_none() {
        check_names(field, &field.names, errors);
    }
}

/// Whether a row without the field can be read.
pub(super) fn may_be_missing(field: &SerdeField<'_>, container: &Container) -> bool {
    let (part, of) = (&field.part, &field.syntax.ty);
    if part.flatten.is_some() {
        return is_option(of) || is_map(of);
    }
    let is_none_if_missing = is_option(of) && !part.is_read_by_function();
    part.default.is_some() || container.default.is_some() || is_none_if_missing
}

/// Complains of a field that is read as another value than the one which was left out, as far as names tell.
pub(super) fn check_default(
    field: &SerdeField<'_>,
    skip_if: &Given,
    container: &Container,
    errors: &mut Errors,
) {
    let (described, part) = (field.described(), &field.part);
    let condition = skip_if.text().unwrap_or_default();
    let left_out = match last_name(condition) {
        "is_none" => "`None`",
        "is_empty" => "an empty value",
        "not" => "`false`",
        "is_some" => {
            return errors.add(
                skip_if,
                format!(
                    "{described} is left out where it has a value, which no row would have then; write \
                     `skip_serializing_if = \"Option::is_none\"`"
                ),
            );
        }
        _ => return,
    };
    let given = part.default.as_ref().or(container.default.as_ref());
    let Some(function) = part.default.as_ref().and_then(Given::text) else {
        return;
    };
    if !matches!(last_name(function), "new" | "default") {
        errors.add(
            given,
            format!(
                "{described} is left out if it is {left_out} (`{condition}`), but would be read as what `{function}` \
                 returns; write `default` alone"
            ),
        );
    }
}

/// The last name of a path.
fn last_name(path: &str) -> &str {
    path.rsplit("::").next().unwrap_or(path).trim()
}

fn check_names(field: &SerdeField<'_>, Names { written, read }: &Names, errors: &mut Errors) {
    if let Some(other) = read.first().filter(|_| !read.contains(written)) {
        errors.add(
            &field.member,
            format!(
                "{} is written as `{written}` but read as `{other}`, so stored rows would lose it; add \
                 `#[serde(alias = \"{written}\")]`",
                field.described()
            ),
        );
    }
}
