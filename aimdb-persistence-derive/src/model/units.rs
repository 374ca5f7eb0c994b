//! The units of the fields.

use crate::attributes::catalog::Setting;
use crate::errors::Errors;
use crate::grammar::measurement_unit;
use crate::model::stored_path::path_of;
use crate::shape::Shape;

/// Where fields with a unit are stored, each with its unit.
pub(crate) fn read_units(shape: &Shape<'_>, errors: &mut Errors) -> Vec<(String, String)> {
    let mut units = Vec::new();
    for field in shape.fields() {
        if let Some(unit) = field
            .settings
            .parse(Setting::Unit, measurement_unit::parse, errors)
            && let Some(path) = path_of(field, Setting::Unit, errors)
        {
            units.push((path, unit));
        }
    }
    units
}
