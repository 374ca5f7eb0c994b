//! The units of the fields.

use crate::errors::Errors;
use crate::fields::Shape;
use crate::setting::Setting;
use crate::stored_path::path_of;
use crate::unit;

/// Where fields with a unit are stored, each with its unit.
pub(crate) fn read_units(shape: &Shape<'_>, errors: &mut Errors) -> Vec<(String, String)> {
    let mut units = Vec::new();
    for field in shape.fields() {
        if let Some(unit) = field.settings.parse(Setting::Unit, unit::parse, errors)
            && let Some(path) = path_of(field, Setting::Unit, errors)
        {
            units.push((path, unit));
        }
    }
    units
}
