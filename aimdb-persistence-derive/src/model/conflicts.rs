//! Settings that contradict each other, and settings without effect.

use aimdb_persistence_duration::{Retention, describe_ms};

use crate::attributes::catalog::Setting;
use crate::attributes::settings::Settings;
use crate::errors::Errors;
use crate::grammar::choice::OnDuplicate;
use crate::model::policy::Policy;
use crate::shape::{Field, Shape};

/// The settings that say which values become rows, and which rows are kept.
pub(crate) struct Terms<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) shape: &'a Shape<'a>,
    pub(crate) policy: &'a Policy<'a>,
    pub(crate) retention: Option<Retention>,
    /// The shape may have fewer fields than the value.
    pub(crate) of_another_type: bool,
}

impl Terms<'_> {
    pub(crate) fn check(&self, errors: &mut Errors) {
        self.check_changes(errors);
        self.check_intervals(errors);
        self.check_rows(errors);
        self.check_expiry(errors);
        self.check_duplicates(errors);
    }

    fn check_duplicates(&self, errors: &mut Errors) {
        let duplicates = self.settings.name(Setting::OnDuplicate);
        if duplicates.is_some() && !self.is_set(Setting::Timestamp) {
            errors.add(
                duplicates,
                "`on_duplicate` is about rows of the same event time, and no field is marked `#[persist(timestamp)]`; \
                 mark one, or remove `on_duplicate`",
            );
        }
        if !matches!(
            self.policy.on_duplicate,
            Some(OnDuplicate::Replace | OnDuplicate::Ignore)
        ) {
            return;
        }
        for field in self.shape.fields() {
            let unit = field.settings.text(Setting::Timestamp);
            if let Some(unit) = unit.filter(|unit| ["us", "ns"].contains(&unit.value().as_str())) {
                errors.add(
                    unit,
                    "the time of a row is a whole millisecond, so `on_duplicate` would take different times for the same, and \
                     lose values; write the time in `\"ms\"`, or remove `on_duplicate`",
                );
            }
        }
    }

    fn check_changes(&self, errors: &mut Errors) {
        let (settings, shape) = (self.settings, self.shape);
        let fields = shape.fields();
        let with = |setting| fields.iter().find(|field| field.has(setting));
        if let (true, Some(field)) = (self.policy.on_change, with(Setting::Deadband)) {
            errors.add(
                settings.name(Setting::OnChange),
                format!(
                    "{} has a deadband, which already says what a change is; remove `on_change`, or the deadband",
                    field.described()
                ),
            );
        } else if let (false, Some(field)) = (self.policy.on_change, with(Setting::Ignore)) {
            errors.add(
                field.settings.name(Setting::Ignore),
                "`ignore` does nothing without `on_change`; add `on_change` to the type, or remove `ignore`",
            );
        }
        let is_compared = |field: &Field<'_>| {
            field.is_stored() && !field.has(Setting::Timestamp) && !field.has(Setting::Ignore)
        };
        if let Shape::Struct(fields) = shape
            && self.policy.on_change
            && !self.of_another_type
            && !fields.iter().any(is_compared)
        {
            errors.add(
                settings.name(Setting::OnChange),
                "`on_change` compares nothing here: every field is ignored, left out of what is stored, or the event time; remove it",
            );
        }
    }

    fn check_intervals(&self, errors: &mut Errors) {
        let settings = self.settings;
        let keep = settings.name(Setting::Keep);
        if keep.is_some() && settings.lacks(Setting::MinInterval) {
            errors.add(
                keep,
                "`keep` does nothing without `min_interval`; add one, such as `min_interval = \"10s\"`, or remove `keep`",
            );
        }
        let max_silence = settings.name(Setting::MaxSilence);
        if max_silence.is_some() && !self.policy.on_change && !self.is_set(Setting::Deadband) {
            errors.add(
                max_silence,
                "`max_silence` does nothing where no value is left out for being unchanged; add `on_change`, or a \
                 field's `deadband`, or remove `max_silence`",
            );
        }
        if let (Some(min_ms), Some(max_ms)) =
            (self.policy.min_interval_ms, self.policy.max_silence_ms)
            && min_ms > max_ms
        {
            let (min, max) = (describe_ms(min_ms), describe_ms(max_ms));
            errors.add(
                settings.text(Setting::MaxSilence),
                format!(
                    "`min_interval` keeps rows {min} apart, so that a silence of {max} cannot be broken; write \
                     `max_silence = \"{min}\"` or more, or a shorter `min_interval`"
                ),
            );
        }
    }

    fn check_rows(&self, errors: &mut Errors) {
        let (settings, retention) = (self.settings, self.retention);
        let keep_last = settings.value(Setting::KeepLast);
        if keep_last.is_some() && retention == Some(Retention::Forever) {
            errors.add(
                settings.name(Setting::KeepLast),
                "`keep_last` does nothing where all rows are kept for ever; remove it, or write a shorter `retention`",
            );
        }
        if let (Some(floor), Some(cap)) = (self.policy.keep_last, self.policy.max_rows)
            && floor > cap
        {
            errors.add(
                keep_last,
                format!(
                    "`max_rows = {cap}` keeps no more than {cap} rows, so that `keep_last` cannot keep {floor}; write \
                     `keep_last = {cap}` or less, or a larger `max_rows`"
                ),
            );
        }
    }

    /// Refuses rows that expire before the next one may come.
    fn check_expiry(&self, errors: &mut Errors) {
        let Some(Retention::Milliseconds(retention_ms)) = self.retention else {
            return;
        };
        for (setting, gap_ms) in [
            (Setting::MinInterval, self.policy.min_interval_ms),
            (Setting::MaxSilence, self.policy.max_silence_ms),
        ] {
            if let Some(gap_ms) = gap_ms.filter(|gap_ms| *gap_ms > retention_ms) {
                let (retention, gap) = (describe_ms(retention_ms), describe_ms(gap_ms));
                errors.add(
                    self.settings.text(setting),
                    format!(
                        "rows may be {gap} apart, and `retention` removes them after {retention}, before the next has \
                         come; write `retention = \"{gap}\"` or more, or a shorter `{}`",
                        setting.name()
                    ),
                );
            }
        }
    }

    fn is_set(&self, setting: Setting) -> bool {
        self.shape.fields().iter().any(|field| field.has(setting))
    }
}
