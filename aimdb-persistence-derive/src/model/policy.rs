//! Which values become rows, and which rows are kept: the settings that make a `Policy`.

use aimdb_persistence_duration::Purpose;

use crate::attributes::catalog::Setting;
use crate::attributes::entries::Value;
use crate::attributes::settings::Settings;
use crate::errors::Errors;
use crate::grammar::choice::{Keep, OnDuplicate, parse_keep, parse_on_duplicate};
use crate::grammar::whole_number;
use crate::model::deadbands::{FieldDeadband, read_deadbands, read_ignored};
use crate::model::stored_path::StoredPath;
use crate::shape::Shape;

#[derive(Default)]
pub(crate) struct Policy<'a> {
    pub(crate) on_change: bool,
    /// Where the fields are stored that `on_change` ignores.
    pub(crate) ignored: Vec<StoredPath>,
    pub(crate) deadbands: Vec<FieldDeadband<'a>>,
    pub(crate) min_interval_ms: Option<u64>,
    pub(crate) keep: Option<Keep>,
    pub(crate) max_silence_ms: Option<u64>,
    pub(crate) keep_last: Option<u64>,
    pub(crate) max_rows: Option<u64>,
    pub(crate) on_duplicate: Option<OnDuplicate>,
}

impl<'a> Policy<'a> {
    pub(crate) fn read(settings: &Settings, shape: &Shape<'a>, errors: &mut Errors) -> Self {
        Self {
            on_change: settings.name(Setting::OnChange).is_some(),
            ignored: read_ignored(shape, errors),
            deadbands: read_deadbands(shape, errors),
            min_interval_ms: settings.parse_ms(Setting::MinInterval, Purpose::MinInterval, errors),
            keep: settings.parse(Setting::Keep, parse_keep, errors),
            max_silence_ms: settings.parse_ms(Setting::MaxSilence, Purpose::MaxSilence, errors),
            keep_last: read_rows(settings, Setting::KeepLast, errors),
            max_rows: read_rows(settings, Setting::MaxRows, errors),
            on_duplicate: settings.parse(Setting::OnDuplicate, parse_on_duplicate, errors),
        }
    }

    /// Whether nothing is set: every value is stored, and kept for the retention.
    pub(crate) fn is_default(&self) -> bool {
        let Self {
            on_change,
            deadbands,
            min_interval_ms,
            keep_last,
            max_rows,
            on_duplicate,
            ..
        } = self;
        !on_change
            && deadbands.is_empty()
            && min_interval_ms.is_none()
            && keep_last.is_none()
            && max_rows.is_none()
            && on_duplicate.is_none()
    }
}

fn read_rows(settings: &Settings, setting: Setting, errors: &mut Errors) -> Option<u64> {
    let Some(Value::Whole(number)) = settings.value(setting) else {
        return None;
    };
    let zero = match setting {
        Setting::KeepLast => {
            "`keep_last = 0` would keep no row beyond its age; remove it, or write how many rows to keep, such as \
             `keep_last = 1`"
        }
        _ => {
            "`max_rows = 0` would keep no row at all; write how many to keep, such as `max_rows = 10_000`"
        }
    };
    match whole_number::parse::<u64>(number) {
        Ok(0) => errors.add(number, zero),
        Ok(rows) => return Some(rows),
        Err(message) => errors.add(number, message),
    }
    None
}
