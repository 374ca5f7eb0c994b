//! `crate = "renamed"`: where `aimdb_persistence` is found.

use syn::{Path, parse_quote};

use crate::attributes::catalog::Setting;
use crate::attributes::settings::Settings;
use crate::errors::Errors;

/// The path of `aimdb_persistence`.
pub(crate) fn read_library(settings: &Settings, errors: &mut Errors) -> Path {
    if let Some(text) = settings.text(Setting::Crate) {
        match text.parse_with(Path::parse_mod_style) {
            Ok(path) => return path,
            Err(_) => errors.add(
                text,
                format!(
                    "`{}` is not a path; write the name under which this crate knows `aimdb_persistence`, such as \
                     `crate = \"renamed\"` or `crate = \"other::aimdb_persistence\"`",
                    text.value().escape_debug()
                ),
            ),
        }
    }
    parse_quote!(::aimdb_persistence)
}
