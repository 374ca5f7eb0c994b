//! Which values of a record become rows, and which rows are kept beyond their age: what a declaration says of it.

use std::fmt;

use aimdb_persistence_backend::OnDuplicate;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

/// How many fields a policy can name for each purpose.
const MOST_FIELDS: usize = 16;

/// Which values become rows, and how many rows are kept.
///
/// `#[derive(Persist)]` makes one of a type's attributes. The default stores every value and keeps rows by age alone.
///
/// Fields are named as they are stored: by what serde's `rename` makes of them, with a dot before the name of an inner
/// one (`wind.gust`), and a number where an array lies in the way (`axes.0`). A member whose own name has a dot in it is
/// found as well. The empty name is the value itself, for a record that is a number.
///
/// ```
/// use aimdb_persistence::{Deadband, Policy};
///
/// // At least once an hour, and whenever the temperature or the humidity has moved.
/// const POLICY: Policy = Policy::new()
///     .deadband("celsius", Deadband::Absolute(0.2))
///     .deadband("humidity", Deadband::Relative(0.02))
///     .max_silence_ms(3_600_000);
///
/// // It is printed as far as it says something.
/// assert_eq!(format!("{:?}", Policy::new().on_change()), "Policy { on_change: true }");
/// ```
#[derive(Clone, Copy, PartialEq)]
pub struct Policy {
    pub(crate) on_change: bool,
    ignored: [Option<&'static str>; MOST_FIELDS],
    deadbands: [Option<(&'static str, Deadband)>; MOST_FIELDS],
    pub(crate) min_interval: Option<MinInterval>,
    pub(crate) max_silence_ms: Option<u64>,
    pub(crate) keep_last: Option<u64>,
    pub(crate) max_rows: Option<u64>,
    pub(crate) on_duplicate: OnDuplicate,
}

/// How far a number must move to be stored.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub enum Deadband {
    /// At least so far from the last stored number.
    Absolute(f64),
    /// At least this part of the last stored number: 0.02 is 2 %. Around zero every change is one.
    Relative(f64),
}

/// Which value of an interval is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Keep {
    /// The first: it is stored at once, and what follows within the interval is left out.
    First,
    /// The last: it is held until the interval has ended, or a flush or the end of the database comes before.
    Last,
}

/// At most one row for each interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct MinInterval {
    pub(crate) ms: u64,
    pub(crate) keep: Keep,
}

impl Policy {
    /// Every value becomes a row, and rows are kept by their age alone.
    pub const fn new() -> Self {
        Self {
            on_change: false,
            ignored: [None; MOST_FIELDS],
            deadbands: [None; MOST_FIELDS],
            min_interval: None,
            max_silence_ms: None,
            keep_last: None,
            max_rows: None,
            on_duplicate: OnDuplicate::Keep,
        }
    }

    /// Stores a value only if it differs from the last stored one, the declared event time aside.
    #[must_use]
    pub const fn on_change(mut self) -> Self {
        self.on_change = true;
        self
    }

    /// A field whose changes are no reason to store: a counter of messages, the strength of a signal.
    ///
    /// # Panics
    /// With more than sixteen of them, in a constant at compile time.
    #[must_use]
    pub const fn ignore(mut self, field: &'static str) -> Self {
        let mut index = 0;
        while self.ignored[index].is_some() {
            index += 1;
            assert!(
                index < MOST_FIELDS,
                "a policy ignores sixteen fields at most"
            );
        }
        self.ignored[index] = Some(field);
        self
    }

    /// Stores a value only if this field, or another one with a deadband, has moved at least so far from the last
    /// *stored* value: small steps in one direction add up.
    ///
    /// Numbers are compared as `f64`. A field that is no number (`null`, missing, a text) has moved when it becomes
    /// one, ceases to be one, or differs.
    ///
    /// # Panics
    /// With more than sixteen fields, in a constant at compile time.
    #[must_use]
    pub const fn deadband(mut self, field: &'static str, deadband: Deadband) -> Self {
        let mut index = 0;
        while self.deadbands[index].is_some() {
            index += 1;
            assert!(
                index < MOST_FIELDS,
                "a policy has sixteen deadbands at most"
            );
        }
        self.deadbands[index] = Some((field, deadband));
        self
    }

    /// At most one row for each interval of so many milliseconds.
    #[must_use]
    pub const fn min_interval_ms(mut self, ms: u64, keep: Keep) -> Self {
        self.min_interval = Some(MinInterval { ms, keep });
        self
    }

    /// Stores a value whatever else the policy says, if the last stored one is so many milliseconds away.
    #[must_use]
    pub const fn max_silence_ms(mut self, ms: u64) -> Self {
        self.max_silence_ms = Some(ms);
        self
    }

    /// Keeps the newest so many rows of the series, however old they are. One by default where the newest row is the
    /// state: with `on_change`, a deadband, or a declared restore.
    #[must_use]
    pub const fn keep_last(mut self, rows: u64) -> Self {
        self.keep_last = Some(rows);
        self
    }

    /// Removes the oldest rows beyond so many, however young they are.
    #[must_use]
    pub const fn max_rows(mut self, rows: u64) -> Self {
        self.max_rows = Some(rows);
        self
    }

    /// What becomes of a second row of the same time.
    #[must_use]
    pub const fn on_duplicate(mut self, on_duplicate: OnDuplicate) -> Self {
        self.on_duplicate = on_duplicate;
        self
    }

    /// # Errors
    /// If the settings contradict each other, or one of them has no meaning: what to change.
    pub(crate) fn check(&self) -> Result<(), String> {
        let wrong = self.contradiction().map(str::to_owned);
        match wrong.or_else(|| self.meaningless_deadband()) {
            Some(wrong) => Err(format!("its policy cannot be followed: {wrong}")),
            None => Ok(()),
        }
    }

    fn contradiction(&self) -> Option<&'static str> {
        let has_deadband = self.deadbands().next().is_some();
        let interval_ms = self.min_interval.map(|interval| interval.ms);
        if self.on_change && has_deadband {
            Some(
                "`on_change` and a deadband contradict each other: every change is one for `on_change`",
            )
        } else if !self.on_change && self.ignored().next().is_some() {
            Some("fields to ignore have no effect without `on_change`")
        } else if interval_ms == Some(0) || self.max_silence_ms == Some(0) {
            Some("an interval of 0 ms has no effect")
        } else if self.max_silence_ms.is_some() && !self.looks_at_values() {
            Some(
                "`max_silence` has no effect without `on_change` or a deadband: every value is stored",
            )
        } else if self.max_silence_ms.is_some_and(|ms| Some(ms) < interval_ms) {
            Some("`min_interval` is longer than `max_silence`: no row could be stored in time")
        } else if self.keep_last == Some(0) || self.max_rows == Some(0) {
            Some("a number of rows is 1 at least")
        } else if self
            .max_rows
            .is_some_and(|rows| Some(rows) < self.keep_last)
        {
            Some("`keep_last` is greater than `max_rows`")
        } else {
            None
        }
    }

    fn meaningless_deadband(&self) -> Option<String> {
        let mut deadbands = self.deadbands();
        let (field, deadband) = deadbands.find(|(_, deadband)| !deadband.has_meaning())?;
        Some(format!(
            "the deadband {deadband:?} of `{field}` is no distance: write a finite number, 0 or above"
        ))
    }

    /// Whether any value can be left out or made to wait.
    pub(crate) fn judges_values(&self) -> bool {
        self.looks_at_values() || self.min_interval.is_some()
    }

    pub(crate) fn looks_at_values(&self) -> bool {
        self.on_change || self.deadbands().next().is_some()
    }

    pub(crate) fn ignored(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.ignored.iter().flatten().copied()
    }

    pub(crate) fn deadbands(&self) -> impl Iterator<Item = (&'static str, Deadband)> + '_ {
        self.deadbands.iter().flatten().copied()
    }
}

/// What is set, and nothing else.
impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut policy = f.debug_struct("Policy");
        let mut field = |name, value: Option<&dyn fmt::Debug>| {
            if let Some(value) = value {
                policy.field(name, value);
            }
        };
        let (ignored, deadbands) = (
            Vec::from_iter(self.ignored()),
            Vec::from_iter(self.deadbands()),
        );
        field("on_change", self.on_change.then_some(&true));
        field("ignored", (!ignored.is_empty()).then_some(&ignored));
        field("deadbands", (!deadbands.is_empty()).then_some(&deadbands));
        field(
            "min_interval",
            self.min_interval.as_ref().map(|set| set as _),
        );
        field(
            "max_silence_ms",
            self.max_silence_ms.as_ref().map(|set| set as _),
        );
        field("keep_last", self.keep_last.as_ref().map(|set| set as _));
        field("max_rows", self.max_rows.as_ref().map(|set| set as _));
        let is_default = self.on_duplicate == OnDuplicate::default();
        field("on_duplicate", (!is_default).then_some(&self.on_duplicate));
        policy.finish()
    }
}

/// What is set, and nothing else.
impl Serialize for Policy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut policy = serializer.serialize_map(None)?;
        if self.on_change {
            policy.serialize_entry("on_change", &true)?;
        }
        let (ignored, deadbands) = (
            Vec::from_iter(self.ignored()),
            Vec::from_iter(self.deadbands()),
        );
        if !ignored.is_empty() {
            policy.serialize_entry("ignored", &ignored)?;
        }
        if !deadbands.is_empty() {
            policy.serialize_entry("deadbands", &deadbands)?;
        }
        if let Some(interval) = &self.min_interval {
            policy.serialize_entry("min_interval", interval)?;
        }
        let numbers = [
            ("max_silence_ms", self.max_silence_ms),
            ("keep_last", self.keep_last),
            ("max_rows", self.max_rows),
        ];
        for (name, number) in numbers {
            if let Some(number) = number {
                policy.serialize_entry(name, &number)?;
            }
        }
        if self.on_duplicate != OnDuplicate::default() {
            policy.serialize_entry("on_duplicate", &self.on_duplicate)?;
        }
        policy.end()
    }
}

impl Deadband {
    fn has_meaning(self) -> bool {
        let (Self::Absolute(distance) | Self::Relative(distance)) = self;
        distance.is_finite() && distance >= 0.0
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self::new()
    }
}
