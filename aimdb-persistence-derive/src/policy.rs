//! Which values become rows, and which rows are kept: the settings that make a `Policy`.

mod conflicts;

use aimdb_persistence_duration::{Purpose, Retention};
use syn::{LitInt, Type};

use crate::choice::choose;
use crate::deadband::{self, Deadband};
use crate::entries::Value;
use crate::errors::Errors;
use crate::fields::{Field, Shape, Stored};
use crate::setting::Setting;
use crate::settings::Settings;

#[derive(Default)]
pub(crate) struct Policy<'a> {
    pub(crate) on_change: bool,
    /// Where fields are stored that `on_change` looks past.
    pub(crate) ignored: Vec<String>,
    pub(crate) deadbands: Vec<FieldDeadband<'a>>,
    pub(crate) min_interval_ms: Option<u64>,
    pub(crate) keep: Option<Keep>,
    pub(crate) max_silence_ms: Option<u64>,
    pub(crate) keep_last: Option<u64>,
    pub(crate) max_rows: Option<u64>,
    pub(crate) on_duplicate: Option<OnDuplicate>,
}

/// How far a field must move for the value to be stored.
pub(crate) struct FieldDeadband<'a> {
    pub(crate) path: String,
    pub(crate) of: &'a Type,
    pub(crate) deadband: Deadband,
}

/// Which value of an interval is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    First,
    Last,
}

/// What becomes of a second row of the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnDuplicate {
    Keep,
    Replace,
    Ignore,
}

/// As many fields as the library's `Policy` can name for one purpose.
const MOST_FIELDS: usize = 16;

impl<'a> Policy<'a> {
    pub(crate) fn read(
        settings: &Settings,
        shape: &Shape<'a>,
        retention: Option<Retention>,
        errors: &mut Errors,
    ) -> Self {
        let policy = Self {
            on_change: settings.name(Setting::OnChange).is_some(),
            ignored: read_ignored(shape, errors),
            deadbands: read_deadbands(shape, errors),
            min_interval_ms: settings.parse_ms(Setting::MinInterval, Purpose::MinInterval, errors),
            keep: settings.parse(Setting::Keep, parse_keep, errors),
            max_silence_ms: settings.parse_ms(Setting::MaxSilence, Purpose::MaxSilence, errors),
            keep_last: read_rows(settings, Setting::KeepLast, errors),
            max_rows: read_rows(settings, Setting::MaxRows, errors),
            on_duplicate: settings.parse(Setting::OnDuplicate, parse_on_duplicate, errors),
        };
        policy.check(settings, shape, retention, errors);
        policy
    }

    /// Whether it says nothing, so that every value is stored and kept by its age.
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

pub(crate) fn parse_keep(text: &str) -> Result<Keep, String> {
    choose(
        "keep",
        &[("first", Keep::First), ("last", Keep::Last)],
        text,
    )
}

pub(crate) fn parse_on_duplicate(text: &str) -> Result<OnDuplicate, String> {
    let choices = [
        ("keep", OnDuplicate::Keep),
        ("replace", OnDuplicate::Replace),
        ("ignore", OnDuplicate::Ignore),
    ];
    choose("on_duplicate", &choices, text)
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
    match whole::<u64>(number) {
        Ok(0) => errors.add(number, zero),
        Ok(rows) => return Some(rows),
        Err(message) => errors.add(number, message),
    }
    None
}

/// A whole number of limited size.
pub(crate) fn whole<N: std::str::FromStr<Err: std::fmt::Display>>(
    number: &LitInt,
) -> Result<N, String> {
    let bits = 8 * size_of::<N>();
    number
        .base10_parse::<N>()
        .map_err(|_| format!("`{number}` is too large; write less than 2^{bits}"))
}

fn read_ignored(shape: &Shape<'_>, errors: &mut Errors) -> Vec<String> {
    let mut ignored = Vec::new();
    for field in shape.fields() {
        if field.has(Setting::Ignore) {
            ignored.extend(path_of(field, Setting::Ignore, errors));
            refuse_too_many(ignored.len(), field, Setting::Ignore, errors);
        }
    }
    ignored
}

fn read_deadbands<'a>(shape: &Shape<'a>, errors: &mut Errors) -> Vec<FieldDeadband<'a>> {
    let mut deadbands = Vec::new();
    for field in shape.fields() {
        let Some(value) = field.settings.value(Setting::Deadband) else {
            continue;
        };
        let deadband = deadband::parse(value).map_err(|message| errors.add(value, message));
        let path = path_of(field, Setting::Deadband, errors);
        if let Some(other) = deadband::known_other_than_a_number(field.of) {
            errors.add(
                field.of,
                format!("a deadband watches a number, and this is {other}; remove `deadband`, or write `on_change` on the type"),
            );
        } else if let (Ok(deadband), Some(path)) = (deadband, path) {
            deadbands.push(FieldDeadband {
                path,
                of: field.of,
                deadband,
            });
            refuse_too_many(deadbands.len(), field, Setting::Deadband, errors);
        }
    }
    deadbands
}

fn refuse_too_many(count: usize, field: &Field<'_>, setting: Setting, errors: &mut Errors) {
    if count == MOST_FIELDS + 1 {
        errors.add(
            field.settings.name(setting),
            format!(
                "at most {MOST_FIELDS} fields of a type may have `{}`",
                setting.name()
            ),
        );
    }
}

/// Where a field is stored that has a setting which needs to know, with a complaint if that cannot be told.
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
                "{described} is the event time, which makes no change anyway; remove `{name}`"
            ),
        },
        Stored::At(path) => return Some(path.join(".")),
        Stored::LeftOut => format!(
            "serde leaves {described} out of what is stored, so that `{name}` does nothing; remove one of the two"
        ),
        Stored::Flattened(_) => format!(
            "`{name}` is of one stored field, and the flattened {described} is stored as several; remove it"
        ),
        Stored::Unknown => format!(
            "serde writes this type as another (`into`), so that it is not known where {described} is stored; remove `{name}`"
        ),
    };
    errors.add(field.settings.name(setting), reason);
    None
}
