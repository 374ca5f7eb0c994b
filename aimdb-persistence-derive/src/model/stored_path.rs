//! Where a field is stored, for settings that speak of a stored field.

use crate::attributes::catalog::Setting;
use crate::errors::Errors;
use crate::shape::{Field, Stored};

/// Where a field is stored. If that is not known, an error says why this setting cannot be used.
pub(crate) fn path_of(field: &Field<'_>, setting: Setting, errors: &mut Errors) -> Option<String> {
    let (name, described) = (setting.name(), field.described());
    let reason = match &field.stored {
        _ if field.has(Setting::Timestamp) => match setting {
            Setting::Unit => format!(
                "{described} is the event time, whose unit is written `timestamp = \"s\"`; remove `unit`"
            ),
            Setting::Deadband => format!(
                "{described} is the event time, which moves with every value; remove `deadband`"
            ),
            _ => format!(
                "{described} is the event time, which never counts as a change; remove `{name}`"
            ),
        },
        Stored::At(path) => return Some(path.join(".")),
        Stored::LeftOut => format!(
            "serde leaves {described} out of what is stored, so `{name}` has no effect; remove one of the two"
        ),
        Stored::Flattened(_) => format!(
            "`{name}` is of one stored field, and the flattened {described} is stored as several; remove it"
        ),
        Stored::Unknown => format!(
            "serde writes this type as another (`into`), so it is not known where {described} is stored; remove `{name}`"
        ),
    };
    errors.add(field.settings.name(setting), reason);
    None
}
