//! `restore`: whether a record begins with its last value.

use aimdb_persistence_duration::Purpose;

use crate::attributes::catalog::Setting;
use crate::attributes::entries::Value;
use crate::attributes::settings::Settings;
use crate::errors::Errors;

/// How old a value may be to be restored when the database starts.
#[derive(Clone, Copy)]
pub(crate) enum Restore {
    Always,
    NoOlderThan(u64),
}

pub(crate) fn read_restore(settings: &Settings, errors: &mut Errors) -> Option<Restore> {
    match settings.value(Setting::Restore)? {
        Value::Text(_) => {
            let age_ms = settings.parse_ms(Setting::Restore, Purpose::RestoreAge, errors);
            age_ms.map(Restore::NoOlderThan)
        }
        _ => Some(Restore::Always),
    }
}
