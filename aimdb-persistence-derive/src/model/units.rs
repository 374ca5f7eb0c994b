//! What is declared of the stored fields: where each lies, what kind of JSON it is, and its unit.

use crate::attributes::catalog::Setting;
use crate::errors::Errors;
use crate::grammar::field_kind::FieldKind;
use crate::grammar::measurement_unit;
use crate::model::stored_path::path_of;
use crate::shape::{Shape, Stored};

/// One stored field.
pub(crate) struct StoredField {
    pub(crate) path: String,
    pub(crate) kind: FieldKind,
    pub(crate) unit: Option<String>,
    /// Neither of a variant, nor left out at times.
    pub(crate) in_every_row: bool,
}

/// Every field of which it is known where it is stored.
pub(crate) fn read_stored_fields(shape: &Shape<'_>, errors: &mut Errors) -> Vec<StoredField> {
    let mut stored = Vec::new();
    for field in shape.fields() {
        let unit = field
            .settings
            .parse(Setting::Unit, measurement_unit::parse, errors);
        let unit = unit.filter(|_| path_of(field, Setting::Unit, errors).is_some());
        if let Stored::At(path) = &field.stored {
            stored.push(StoredField {
                path: path.join("."),
                kind: FieldKind::of(field.of),
                unit,
                in_every_row: field.is_in_every_row(),
            });
        }
    }
    stored
}
