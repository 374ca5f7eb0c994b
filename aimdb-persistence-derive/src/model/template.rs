//! The key of the records of a type.

use proc_macro2::{Ident, Span};
use syn::Generics;
use syn::ext::IdentExt;

use crate::attributes::catalog::Setting;
use crate::attributes::settings::Settings;
use crate::errors::Errors;
use crate::grammar::key;
use crate::serde_model::rename_all::Case;

/// The key or template. If there is none, one that the type might have.
pub(crate) fn read_key(type_name: &Ident, settings: &Settings, errors: &mut Errors) -> String {
    let example = Case::Snake.of_variant(&type_name.unraw().to_string());
    if settings.lacks(Setting::Key) {
        errors.add(
            type_name,
            format!(
                "`{type_name}` has no key; write `#[persist(key = \"{example}\")]` above it, or \
                 `#[persist(key = \"{example}.{{id}}\")]` for one record per `id`"
            ),
        );
    }
    let Some(text) = settings.text(Setting::Key) else {
        return example;
    };
    let key = text.value();
    if let Err(message) = key::check(&key) {
        errors.add(text, message);
    }
    key
}

/// The arguments of `series`.
///
/// They are raw identifiers, since a placeholder may be a keyword. They have the key's location, but belong to the macro,
/// so that the user's lints do not check a name such as `{Station}`. An argument cannot have the name of a constant
/// parameter of the type, so that is given another one.
pub(crate) fn placeholder_arguments(
    template: &str,
    settings: &Settings,
    generics: &Generics,
) -> Vec<Ident> {
    let span = match settings.text(Setting::Key) {
        Some(text) => Span::mixed_site().located_at(text.span()),
        None => Span::mixed_site(),
    };
    let is_taken = |name: &str| {
        let mut constants = generics.const_params();
        constants.any(|constant| constant.ident.unraw() == name)
    };
    let placeholders = key::placeholders(template);
    let argument = |placeholder: &str| {
        let mut name = placeholder.to_owned();
        while is_taken(&name) || name != placeholder && placeholders.contains(&name.as_str()) {
            name.push('_');
        }
        Ident::new_raw(&name, span)
    };
    placeholders.iter().copied().map(argument).collect()
}
