//! Where a field is stored, for settings that speak of a stored field.

use crate::attributes::catalog::Setting;
use crate::errors::Errors;
use crate::serde_model::item::Tagging;
use crate::shape::{Field, OfVariant, Shape, Stored};

/// Where a field lies, and of which variant it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredPath {
    /// All names, from the outside in.
    names: Vec<String>,
    pub(crate) variant: Option<OfVariant>,
}

impl StoredPath {
    pub(crate) fn new(names: &[String], variant: Option<&OfVariant>) -> Self {
        Self {
            names: names.to_vec(),
            variant: variant.cloned(),
        }
    }

    /// The names within the variant.
    pub(crate) fn within_variant(&self) -> &[String] {
        let tagging = self.variant.as_ref().map(|variant| &variant.tagging);
        match tagging {
            Some(Tagging::External | Tagging::Adjacent { .. }) => &self.names[1..],
            Some(Tagging::Internal { .. } | Tagging::Untagged) | None => &self.names,
        }
    }
}

/// Refuses a setting of a field of an untagged variant if another one has a field of that name without it: what is stored
/// does not say of which of them it is.
pub(crate) fn check_untagged(shape: &Shape<'_>, setting: Setting, errors: &mut Errors) {
    let is_untagged = |field: &Field<'_>| {
        let variant = field.variant.as_ref();
        variant.is_some_and(|variant| variant.tagging == Tagging::Untagged)
    };
    let fields = shape.fields();
    let marked = fields
        .iter()
        .filter(|field| is_untagged(field) && field.has(setting));
    for field in marked {
        let is_other = |other: &&&Field<'_>| {
            is_untagged(other) && other.stored == field.stored && !other.has(setting)
        };
        if let (Stored::At(_), Some(other)) = (&field.stored, fields.iter().find(is_other)) {
            let other = other.variant.as_ref().map_or("", |variant| &variant.name);
            let (name, described) = (setting.name(), field.described());
            errors.add(
                field.settings.name(setting),
                format!(
                    "`{other}` has a field in the place of {described}, and an untagged enum does not store which variant a \
                     value is; write `{name}` in both, or `#[serde(tag = \"type\")]` above the type"
                ),
            );
        }
    }
}

/// Where a field is stored. If that is not known, an error says why this setting cannot be used.
pub(crate) fn path_of(
    field: &Field<'_>,
    setting: Setting,
    errors: &mut Errors,
) -> Option<StoredPath> {
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
        Stored::At(path) => return Some(StoredPath::new(path, field.variant.as_ref())),
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
