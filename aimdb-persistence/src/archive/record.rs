//! What is known of one record.

use std::any::TypeId;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, Weak};

use aimdb_persistence_backend::{Feature, OnDuplicate, Packing, Retention, SeriesDeclaration};
use async_lock::OnceCell;

use crate::archive::event::{LossKind, PersistenceEvent};
use crate::archive::odd_times::{FineTimes, OddTimes};
use crate::archive::options::PersistenceOptions;
use crate::archive::reporter::{Reporter, warn};
use crate::archive::stats::{Counters, Outcome, RecordStats};
use crate::declaration::declared::{BufferKind, Declaration, Declared, Restore};
use crate::declaration::field_info::FieldInfo;
use crate::declaration::field_path::FieldPath;
use crate::declaration::policy::Policy;
use crate::thinning::rules::{Rules, VersionOf};

/// One persisted record.
#[derive(Debug)]
pub(crate) struct RecordState {
    pub(crate) name: Arc<str>,
    pub(crate) counters: Counters,
    /// Its Rust type and the name of that; of several the first.
    pub(crate) rust_type: OnceLock<(TypeId, &'static str)>,
    pub(crate) declared: OnceLock<DeclaredAs>,
    /// What its values and rows are judged by, where it is not the default. Records of one type share it.
    policy: OnceLock<Arc<Policy>>,
    /// Which of its values become rows, where not all of them do without further ado.
    rules: OnceLock<Box<Rules>>,
    /// Times below the millisecond, where a row of the same time is no other row.
    pub(crate) times: FineTimes,
    /// Why nothing of it is being recorded, once that is known.
    pub(crate) problem: OnceLock<String>,
    /// How many records have one. Each query asks, and looks at the records only if some do.
    with_problems: Arc<AtomicUsize>,
    pub(crate) lag_reported: AtomicBool,
    /// Whether it was reported that its type says more than is known of it.
    plain_reported: AtomicBool,
    /// Which kinds of times that are far from the clock were reported.
    pub(crate) odd_times: OddTimes,
    /// Set where a record of a database is recorded here: who reports its losses. Weak, since producers keep the record
    /// for as long as they like.
    reporter: OnceLock<Weak<Reporter>>,
    open_captures: AtomicUsize,
    /// Whether a series that was first named after the database was built has been declared to the backend.
    pub(crate) introduced: OnceCell<()>,
    /// Whether its rules know what is stored of it.
    pub(crate) learnt: OnceCell<()>,
}

/// What the record's type declares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DeclaredAs {
    pub(crate) type_id: TypeId,
    /// Of its values: another type where that which declares is a marker.
    pub(crate) value_id: TypeId,
    pub(crate) template: &'static str,
    pub(crate) retention: Option<Retention>,
    pub(crate) buffer: Option<BufferKind>,
    pub(crate) type_name: &'static str,
    pub(crate) version: u32,
    pub(crate) restore: Option<Restore>,
    pub(crate) pack: Option<Packing>,
    pub(crate) fields: &'static [FieldInfo],
    /// Values may have others than these.
    pub(crate) has_further_fields: bool,
}

impl DeclaredAs {
    /// What the type declares, with the identity that tells generic instances apart.
    pub(crate) fn of<T: Declared>() -> Self {
        Self::as_in::<T>(&T::DECLARATION)
    }

    /// The same of a declaration that was changed for one series.
    pub(crate) fn as_in<T: Declared>(declaration: &Declaration) -> Self {
        Self {
            type_id: TypeId::of::<T>(),
            value_id: TypeId::of::<T::Value>(),
            template: declaration.template(),
            retention: declaration.retention(),
            buffer: declaration.buffer(),
            type_name: std::any::type_name::<T>(),
            version: declaration.version(),
            pack: declaration.pack(),
            restore: declaration.restore(),
            fields: declaration.fields(),
            has_further_fields: declaration.has_further_fields(),
        }
    }
}

impl DeclaredAs {
    /// The type's name without paths.
    pub(crate) fn short_name(&self) -> String {
        short_name(self.type_name)
    }
}

impl RecordState {
    pub(crate) fn new(name: &str, with_problems: Arc<AtomicUsize>) -> Self {
        Self {
            name: name.into(),
            counters: Counters::default(),
            rust_type: OnceLock::new(),
            declared: OnceLock::new(),
            policy: OnceLock::new(),
            rules: OnceLock::new(),
            times: FineTimes::default(),
            problem: OnceLock::new(),
            with_problems,
            lag_reported: AtomicBool::new(false),
            plain_reported: AtomicBool::new(false),
            odd_times: OddTimes::default(),
            reporter: OnceLock::new(),
            open_captures: AtomicUsize::new(0),
            introduced: OnceCell::new(),
            learnt: OnceCell::new(),
        }
    }

    /// Of several the first holds, as of declarations.
    pub(crate) fn set_policy(
        &self,
        policy: Arc<Policy>,
        event_time: &[FieldPath],
        version: VersionOf,
    ) {
        if *policy == Policy::new() || self.policy.set(Arc::clone(&policy)).is_err() {
            return;
        }
        if policy.judges_values() {
            let rules = Rules::new(&policy, event_time, version);
            let _ = self.rules.set(Box::new(rules));
        }
    }

    /// # Errors
    /// If what is declared contradicts itself, or is more than the backend can keep: nothing can be recorded then, and
    /// nothing is declared.
    pub(crate) fn check(&self, options: &PersistenceOptions) -> Result<(), String> {
        if let Some(problem) = self.problem.get() {
            return Err(problem.clone());
        }
        options.check()?;
        let declared = self.declared.get().and_then(|declared| declared.retention);
        if declared == Some(Retention::Milliseconds(0)) {
            return Err("its retention is zero: every row would expire at once".to_owned());
        }
        let (policy, backend) = (self.policy(), &options.backend);
        policy.check()?;
        let needed = [
            (Feature::SchemaVersions, self.version() > 1),
            (Feature::KeepLast, policy.keep_last.is_some()),
            (Feature::MaxRows, policy.max_rows.is_some()),
            (
                Feature::OnDuplicate,
                policy.on_duplicate != OnDuplicate::Keep,
            ),
        ];
        let mut lacking = needed
            .iter()
            .filter(|(feature, needed)| *needed && !backend.supports(*feature));
        match lacking.next() {
            Some((feature, _)) => Err(format!(
                "it declares {feature}, which its backend ({}) cannot keep: remove the setting, or choose another backend",
                backend.name()
            )),
            None => Ok(()),
        }
    }

    pub(crate) fn policy(&self) -> Policy {
        let policy = self.policy.get();
        policy.map_or(Policy::new(), |policy| **policy)
    }

    /// What becomes of a row of the same time as another.
    pub(crate) fn on_duplicate(&self) -> OnDuplicate {
        let policy = self.policy.get();
        policy.map_or(OnDuplicate::Keep, |policy| policy.on_duplicate)
    }

    /// How many of its newest rows are kept however old they are.
    fn keep_last(&self) -> u64 {
        let policy = self.policy();
        let declared = self.declared.get();
        let is_restored = declared.is_some_and(|declared| declared.restore.is_some());
        let is_state = policy.looks_at_values() || is_restored;
        policy.keep_last.unwrap_or(u64::from(is_state))
    }

    /// The rules that values have to pass, if there are any.
    pub(crate) fn gated(&self) -> Option<&Rules> {
        self.rules.get().map(|rules| &**rules)
    }

    /// The version of its type's schema; 0 without a declaration.
    pub(crate) fn version(&self) -> u32 {
        self.declared.get().map_or(0, |declared| declared.version)
    }

    /// What a backend is to know of the series; `None` where nothing is declared, or what is declared was refused: a sweep
    /// would follow it.
    pub(crate) fn declaration(&self, options: &PersistenceOptions) -> Option<SeriesDeclaration> {
        let declared = self.declared.get();
        if (declared.is_none() && self.policy.get().is_none()) || self.check(options).is_err() {
            return None;
        }
        let policy = self.policy();
        let mut declaration = SeriesDeclaration::new(Arc::clone(&self.name));
        if let Some(declared) = declared {
            declaration.template = Some(declared.template.into());
            declaration.retention = declared.retention;
            declaration.type_name = Some(declared.short_name().into());
            declaration.version = declared.version;
            declaration.pack = declared.pack;
            declaration.fields = declared.fields.iter().map(FieldInfo::owned).collect();
        }
        declaration.keep_last = self.keep_last();
        declaration.max_rows = policy.max_rows;
        declaration.on_duplicate = policy.on_duplicate;
        Some(declaration)
    }

    pub(crate) fn is_first_time_told(&self) -> bool {
        !self.plain_reported.swap(true, Ordering::AcqRel)
    }

    /// Nothing of it is recorded, for this reason. The first reason is reported.
    pub(crate) fn refuse(&self, reporter: Option<&Reporter>, reason: &str) {
        if self.problem.set(reason.to_owned()).is_ok() {
            self.with_problems.fetch_add(1, Ordering::AcqRel);
            self.report_not_recorded(reporter, reason);
        }
    }

    /// Without a reporter, which is there once `with_persistence` was called, the log is told.
    pub(crate) fn report_not_recorded(&self, reporter: Option<&Reporter>, reason: &str) {
        let event = PersistenceEvent::NotRecorded {
            record_name: self.name.to_string(),
            reason: reason.to_owned(),
        };
        match reporter {
            Some(reporter) => reporter.report(&event),
            None => warn(&event.to_string()),
        }
    }

    /// A database records it. This reporter reports its losses.
    pub(crate) fn is_recorded_by(&self, reporter: &Arc<Reporter>) {
        // Another stream of values under the same name has set it already.
        let _ = self.reporter.set(Arc::downgrade(reporter));
    }

    /// Whether a database records it. Values can also be stored into other series.
    pub(crate) fn is_of_a_database(&self) -> bool {
        self.reporter.get().is_some()
    }

    /// Counts values as lost, and reports the first loss of this kind.
    pub(crate) fn lose(&self, reporter: &Reporter, outcome: Outcome, values: u64, reason: &str) {
        let before = self.counters.settle(outcome, values);
        if before == 0
            && let Some(kind) = LossKind::of(outcome)
        {
            reporter.report(&PersistenceEvent::Loss {
                record_name: self.name.to_string(),
                kind,
                values,
                reason: reason.to_owned(),
            });
        }
    }

    /// Counts values as dropped, and reports the first.
    pub(crate) fn drop_values(&self, values: u64, reason: &str) {
        match self.reporter.get().and_then(Weak::upgrade) {
            Some(reporter) => self.lose(&reporter, Outcome::Dropped, values, reason),
            None => {
                self.counters.settle(Outcome::Dropped, values);
            }
        }
    }

    pub(crate) fn capture_opened(&self) {
        self.open_captures.fetch_add(1, Ordering::AcqRel);
    }

    pub(crate) fn capture_closed(&self) {
        self.open_captures.fetch_sub(1, Ordering::AcqRel);
    }

    /// Whether a buffer of the record feeds the recorder, so that no reader of a buffer needs to.
    pub(crate) fn is_captured(&self) -> bool {
        self.open_captures.load(Ordering::Acquire) > 0
    }

    pub(crate) fn stats(&self) -> RecordStats {
        RecordStats {
            record_name: self.name.to_string(),
            counts: self.counters.snapshot(),
            problem: self.problem.get().cloned(),
        }
    }
}

/// A type's name without the paths of it and of its arguments: `core::option::Option<alloc::string::String>` is
/// `Option<String>`. Where a type lies in its program may change.
fn short_name(type_name: &str) -> String {
    let mut short = String::with_capacity(type_name.len());
    let mut path_began = 0;
    let mut rest = type_name.chars().peekable();
    while let Some(character) = rest.next() {
        if character == ':' && rest.next_if_eq(&':').is_some() {
            short.truncate(path_began);
            continue;
        }
        short.push(character);
        if !character.is_alphanumeric() && !"_{}#".contains(character) {
            path_began = short.len();
        }
    }
    short
}

/// A type's short name without its arguments.
pub(crate) fn base_name(short_name: &str) -> &str {
    short_name.split('<').next().unwrap_or(short_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_s_short_name_has_no_paths_and_all_of_its_arguments() {
        for (long, short) in [
            ("f64", "f64"),
            ("program::readings::Power<f64>", "Power<f64>"),
            (
                "a::G<core::option::Option<alloc::string::String>, [b::c::D; 3]>",
                "G<Option<String>, [D; 3]>",
            ),
            ("a::f::{{closure}}::T", "T"),
            ("(a::B, &c::D)", "(B, &D)"),
        ] {
            assert_eq!(short_name(long), short);
        }
    }
}
