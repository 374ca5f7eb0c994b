//! Asking the history: a query is built step by step, then answered.

use std::fmt::{self, Debug};
use std::sync::Arc;
use std::time::Duration;

use aimdb_persistence_backend::Order;
#[cfg(doc)]
use aimdb_persistence_backend::PersistenceError;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::archive::Archive;
use crate::declaration::declared::Declaration;
use crate::declaration::versions::{FromStored, Lift, whatever_version};
use crate::query::filter::{Condition, RowFilter};
use crate::query::moment::{Moment, TimeSpan};
use crate::query::selection::Selection;
use crate::time::now_ms;

/// A question to the history: which rows, in which order, and then what of them.
///
/// It comes from `Temperature::history(&db)` for all series of a type, from `Temperature::series("sf").history(&db)` for
/// one of them, and from [`db.history("temperature.*")`](crate::Ask::history) for JSON of whatever type.
/// Nothing is read before one of its answers is awaited. An answer that is dropped half-way is read no further.
///
/// ```
/// use aimdb_persistence::{AimDbQueryExt, Persist, Persisted, PersistenceError};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Clone, Debug, Serialize, Deserialize, Persist)]
/// #[persist(key = "temperature.{station}")]
/// struct Temperature {
///     celsius: f64,
/// }
///
/// async fn warmest_hours(db: &impl AimDbQueryExt) -> Result<(), PersistenceError> {
///     let fields = Temperature::fields();
///     let last_day = Temperature::series("sf").history(db).past("24h");
///
///     let warm: Vec<Persisted<Temperature>> =
///         last_day.clone().filter(fields.celsius.gt(30.0)).rows().await?;
///     for row in warm {
///         println!("{} at {} ms: {} °C", row.record_name, row.stored_at, row.value.celsius);
///     }
///
///     // What it was at noon, in every station.
///     let noon = 1_280_664_000_000_u64;
///     let at_noon: Vec<Temperature> = Temperature::history(db).as_of(noon).values().await?;
///
///     println!("{} rows, {} stations at noon", last_day.count().await?, at_noon.len());
///     Ok(())
/// }
/// ```
///
/// # Rows that do not decode
/// They are skipped, reported and counted, as in every query; [`strict`](Self::strict) makes them an error.
///
/// # Errors
/// Every answer fails as the queries of [`AimDbQueryExt`](crate::AimDbQueryExt) do; with
/// [`InvalidQuery`](PersistenceError::InvalidQuery) where a step before made no sense, as `past("24 hours")` does; and with
/// [`TimeLimit`](PersistenceError::TimeLimit) after the time that was [set](Self::time_limit).
#[must_use = "a query does nothing until it is answered: `.values().await`, for one"]
pub struct History<T> {
    pub(crate) question: Question,
    pub(crate) from_stored: FromStored<T>,
}

/// What is asked, whatever the type.
#[derive(Clone)]
pub(crate) struct Question {
    /// `None` where the database has no history.
    pub(crate) archive: Option<Archive>,
    pub(crate) selection: Arc<Selection>,
    pub(crate) start_ms: Option<u64>,
    pub(crate) end_ms: Option<u64>,
    pub(crate) take: Take,
    pub(crate) order: Option<Order>,
    pub(crate) limit: Option<usize>,
    pub(crate) condition: Option<Condition>,
    /// Where rows may be of an older version than the condition is about.
    pub(crate) lift: Option<Lift>,
    pub(crate) strict: bool,
    /// For how long a value holds at most, where the asker says so.
    pub(crate) holds_ms: Option<u64>,
    /// Rows of all series come in one order.
    pub(crate) by_time: bool,
    /// What the type declares, where the question is about one.
    pub(crate) declaration: Option<fn() -> Declaration>,
    pub(crate) time_limit: Option<Duration>,
    /// The first step that made no sense.
    pub(crate) invalid: Option<String>,
}

/// How many rows of each series, and from which end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Take {
    All,
    Latest(usize),
    Oldest(usize),
}

impl<T: Send + 'static> History<T> {
    pub(crate) fn new(
        archive: Option<Archive>,
        selection: Selection,
        from_stored: FromStored<T>,
    ) -> Self {
        let question = Question {
            archive,
            selection: Arc::new(selection),
            start_ms: None,
            end_ms: None,
            take: Take::All,
            order: None,
            limit: None,
            condition: None,
            lift: None,
            strict: false,
            holds_ms: None,
            by_time: false,
            declaration: None,
            time_limit: None,
            invalid: None,
        };
        Self {
            question,
            from_stored,
        }
    }

    fn map(mut self, change: impl FnOnce(&mut Question)) -> Self {
        change(&mut self.question);
        self
    }

    /// Conditions look at rows of older versions as they are once lifted.
    pub(crate) fn lifting(self, lift: Option<Lift>) -> Self {
        self.map(|question| question.lift = lift)
    }

    /// The type's terms hold where those of a series are not known.
    pub(crate) fn declared_by(self, declaration: fn() -> Declaration) -> Self {
        self.map(|question| question.declaration = Some(declaration))
    }

    /// Only rows at or after this time: Unix milliseconds, or another [`Moment`]. Of several bounds the narrowest counts.
    pub fn since(self, start: impl Moment) -> Self {
        let start_ms = start.into_unix_ms();
        self.map(|question| question.start_ms = question.start_ms.max(Some(start_ms)))
    }

    /// Only rows at or before this time. Of several bounds the narrowest counts.
    pub fn until(self, end: impl Moment) -> Self {
        let end_ms = end.into_unix_ms();
        self.map(|question| {
            let before = question.end_ms.unwrap_or(u64::MAX);
            question.end_ms = Some(end_ms.min(before));
        })
    }

    /// Only rows between two times, both inclusive.
    pub fn between(self, start: impl Moment, end: impl Moment) -> Self {
        self.since(start).until(end)
    }

    /// Only rows of the past `"24h"`, or another [`TimeSpan`], up to now.
    pub fn past(self, length: impl TimeSpan) -> Self {
        let now_ms = now_ms();
        match length.length_ms() {
            Ok(length_ms) => self.between(now_ms.saturating_sub(length_ms), now_ms),
            Err(reason) => self.map(|question| question.refuse(reason)),
        }
    }

    /// Only the newest `n` rows of each series, newest first.
    pub fn latest(self, n: usize) -> Self {
        self.map(|question| question.take(Take::Latest(n)))
    }

    /// Only the oldest `n` rows of each series, oldest first.
    pub fn oldest(self, n: usize) -> Self {
        self.map(|question| question.take(Take::Oldest(n)))
    }

    /// The value that was in force at this time: of each series the newest row at or before it.
    pub fn as_of(self, time: impl Moment) -> Self {
        self.until(time).latest(1)
    }

    /// The order of the rows of each series; newest first, or what [`oldest`](Self::oldest) says. Series come by
    /// record name, unless the rows of all of them are ordered [by time](Self::by_time).
    pub fn order(self, order: Order) -> Self {
        self.map(|question| match question.order.replace(order) {
            Some(other) if other != order => {
                question.refuse("rows have one order: leave one `order` out".to_owned());
            }
            _ => {}
        })
    }

    /// Rows of all series in one [order](Self::order) of time, in place of one series after the other; rows of one time come by
    /// record name. For [`rows`](Self::rows) and [`values`](Self::values); other answers do not depend on it, and a [`stream`](Self::stream) cannot have
    /// it.
    ///
    /// ```
    /// use aimdb_persistence::{AimDbQueryExt, PersistenceError};
    ///
    /// async fn newest_events(db: &impl AimDbQueryExt) -> Result<(), PersistenceError> {
    ///     for row in db.history("event.#").by_time().limit(20).rows().await? {
    ///         println!("{} {}: {}", row.stored_at, row.record_name, row.value);
    ///     }
    ///     Ok(())
    /// }
    /// ```
    pub fn by_time(self) -> Self {
        self.map(|question| question.by_time = true)
    }

    /// At most `n` rows in all, the first of the order: over several series these are the rows of the first series by
    /// record name, and with [`by_time`](Self::by_time) the newest, or oldest, of all. For so many rows of each series there are [`latest`](Self::latest) and
    /// [`oldest`](Self::oldest). Of several limits the least counts.
    pub fn limit(self, n: usize) -> Self {
        self.map(|question| {
            let before = question.limit.unwrap_or(usize::MAX);
            question.limit = Some(n.min(before));
        })
    }

    /// For how long a value holds at most, if no other row comes: `"10m"`, or another [`TimeSpan`]. What was measured longer ago
    /// is not known any more, and answers over time leave that time out.
    ///
    /// Otherwise a value holds for twice the `max_silence` that its type declares, and without one until the next row comes.
    ///
    /// ```
    /// use aimdb_persistence::{AimDbQueryExt, Persist, PersistenceError};
    /// use serde::{Deserialize, Serialize};
    ///
    /// #[derive(Clone, Debug, Serialize, Deserialize, Persist)]
    /// #[persist(key = "power.{meter}")]
    /// struct Power {
    ///     watts: f64,
    /// }
    ///
    /// async fn mean_power(db: &impl AimDbQueryExt) -> Result<Option<f64>, PersistenceError> {
    ///     // A meter that is off for hours has not drawn its last reading all the time.
    ///     let day = Power::history(db).past("24h").holds("10m");
    ///     let day = day.aggregate(Power::fields().watts).combined().await?;
    ///     println!("known for {} of {} min", day.known_ms() / 60_000, day.range_ms() / 60_000);
    ///     Ok(day.step_mean())
    /// }
    /// ```
    pub fn holds(self, length: impl TimeSpan) -> Self {
        let length_ms = length.length_ms();
        self.map(|question| match length_ms {
            Ok(length_ms) => question.holds_ms = Some(length_ms),
            Err(reason) => question.refuse(reason),
        })
    }

    /// Only rows for which the condition holds. Of several, all must hold.
    pub fn filter(self, filter: impl RowFilter<T>) -> Self {
        let condition = filter.into_filter().into_condition();
        self.map(|question| {
            question.condition = Some(match question.condition.take() {
                Some(before) => before.and(condition),
                None => condition,
            });
        })
    }

    /// Fails on a row that does not decode, instead of skipping it.
    pub fn strict(self) -> Self {
        self.map(|question| question.strict = true)
    }

    /// Gives up after this time.
    pub fn time_limit(self, limit: Duration) -> Self {
        self.map(|question| question.time_limit = Some(limit))
    }
}

impl History<Value> {
    /// The same question, its rows decoded as a type that has no declaration.
    ///
    /// ```
    /// use aimdb_persistence::{AimDbQueryExt, Field, PersistenceError};
    /// use serde::Deserialize;
    ///
    /// #[derive(Deserialize)]
    /// struct Accuracy {
    ///     percent: f64,
    /// }
    /// const PERCENT: Field<Accuracy, f64> = Field::at(&["percent"]);
    ///
    /// async fn bad_days(db: &impl AimDbQueryExt) -> Result<Vec<Accuracy>, PersistenceError> {
    ///     let accuracy = db.history("accuracy.*").decoded_as::<Accuracy>();
    ///     accuracy.filter(PERCENT.lt(90.0)).values().await
    /// }
    /// ```
    pub fn decoded_as<T: DeserializeOwned + Send + 'static>(self) -> History<T> {
        History {
            question: self.question,
            from_stored: whatever_version,
        }
    }
}

impl Question {
    pub(crate) fn refuse(&mut self, reason: String) {
        self.invalid.get_or_insert(reason);
    }

    fn take(&mut self, take: Take) {
        if std::mem::replace(&mut self.take, take) != Take::All {
            let reason = "`latest`, `oldest` and `as_of` each say which rows of a series are meant: leave all but one out";
            self.refuse(reason.to_owned());
        }
    }

    /// The order in which rows are answered.
    pub(crate) fn order(&self) -> Order {
        self.order.unwrap_or(match self.take {
            Take::All | Take::Latest(_) => Order::NewestFirst,
            Take::Oldest(_) => Order::OldestFirst,
        })
    }

    /// How rows are read: in which order, and how many of each series.
    pub(crate) fn reading(&self) -> (Order, Option<usize>) {
        match self.take {
            Take::All => (self.order(), None),
            Take::Latest(n) => (Order::NewestFirst, Some(n)),
            Take::Oldest(n) => (Order::OldestFirst, Some(n)),
        }
    }
}

impl<T> Clone for History<T> {
    fn clone(&self) -> Self {
        Self {
            question: self.question.clone(),
            from_stored: self.from_stored,
        }
    }
}

impl<T> Debug for History<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Question {
            selection,
            start_ms,
            end_ms,
            take,
            condition,
            ..
        } = &self.question;
        f.debug_struct("History")
            .field("pattern", &selection.pattern)
            .field("start_ms", start_ms)
            .field("end_ms", end_ms)
            .field("take", take)
            .field("condition", condition)
            .finish_non_exhaustive()
    }
}
