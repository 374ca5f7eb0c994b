//! A numeric field, summed up hour by hour, or month by month.

use aimdb_persistence_backend::PersistenceError;

use crate::aggregate::lengths::Calendar;
use crate::aggregate::width::Width;
use crate::query::answers::aggregate::Aggregate;
use crate::query::answers::bucket::{Bucket, Gaps};
use crate::query::answers::filling::Filling;
#[cfg(doc)]
use crate::query::history::History;
use crate::query::moment::{CalendarZone, TimeSpan};

/// An [`Aggregate`] for each stretch of time: [`Aggregate::every`].
#[must_use = "a query does nothing until it is answered: `.per_series().await`, for one"]
pub struct Buckets<T> {
    aggregate: Aggregate<T>,
    width: Width,
    gaps: Gaps,
}

impl<T: Send + 'static> Aggregate<T> {
    /// One summary for each `"1h"`, or another [`TimeSpan`], counted from 1970 in UTC: days begin at midnight there, and weeks on
    /// Monday. [`utc_offset_minutes`](Buckets::utc_offset_minutes) moves them, and a time zone does with
    /// the feature `jiff`. Years and months are no lengths of time, and refused: see [`every_calendar`](Self::every_calendar).
    ///
    /// Answers over time go on across the boundaries: a bucket begins with what was in force at its start, and what a meter has counted between two readings is
    /// that of the later one's bucket.
    ///
    /// ```
    /// use aimdb_persistence::{AimDbQueryExt, Persist, PersistenceError, answers::Gaps};
    /// use serde::{Deserialize, Serialize};
    ///
    /// #[derive(Clone, Debug, Serialize, Deserialize, Persist)]
    /// #[persist(key = "temperature.{station}")]
    /// struct Temperature {
    ///     celsius: f64,
    /// }
    ///
    /// async fn yesterday(db: &impl AimDbQueryExt) -> Result<(), PersistenceError> {
    ///     let celsius = Temperature::fields().celsius;
    ///     let day = Temperature::series("sf").history(db).past("24h").aggregate(celsius);
    ///     for hour in day.every("1h").gaps(Gaps::Null).per_series().await? {
    ///         println!("{} {:?}", hour.start_ms, hour.summary.mean());
    ///     }
    ///     Ok(())
    /// }
    /// ```
    pub fn every(mut self, length: impl TimeSpan) -> Buckets<T> {
        let width_ms = length.bucket_ms().unwrap_or_else(|reason| {
            self.question.refuse(reason);
            1
        });
        if width_ms == 0 {
            let reason =
                "buckets of no length cannot be filled; `every` wants a length such as \"1h\"";
            self.question.refuse(reason.to_owned());
        }
        self.buckets(Width::Fixed {
            width_ms: width_ms.max(1),
            offset_ms: 0,
        })
    }

    /// One summary for each day, week, month or year of a calendar, as long as it is there: a day on which clocks are put
    /// forward has 23 hours. An hour that comes twice lies in its own day, also where clocks are put back across midnight.
    ///
    /// It needs the feature `jiff`, whose `TimeZone`, or the name of one, is the second argument: `every_calendar(Calendar::Month, "Europe/Vienna")`.
    ///
    #[cfg_attr(not(feature = "jiff"), doc = "```compile_fail")]
    #[cfg_attr(feature = "jiff", doc = "```")]
    /// use aimdb_persistence::{AimDbQueryExt, Persist, PersistenceError, answers::Bucket, question::Calendar};
    /// use serde::{Deserialize, Serialize};
    ///
    /// #[derive(Clone, Debug, Serialize, Deserialize, Persist)]
    /// #[persist(key = "meter.{number}")]
    /// struct Meter {
    ///     kwh: f64,
    /// }
    ///
    /// async fn months(db: &impl AimDbQueryExt) -> Result<Vec<Bucket>, PersistenceError> {
    ///     let year = Meter::history(db).past("365d").aggregate(Meter::fields().kwh);
    ///     year.every_calendar(Calendar::Month, "Europe/Vienna").combined().await
    /// }
    /// ```
    pub fn every_calendar(mut self, unit: Calendar, time_zone: impl CalendarZone) -> Buckets<T> {
        let width = time_zone.calendar(unit).unwrap_or_else(|reason| {
            self.question.refuse(reason);
            Width::Fixed {
                width_ms: 1,
                offset_ms: 0,
            }
        });
        self.buckets(width)
    }

    fn buckets(self, width: Width) -> Buckets<T> {
        Buckets {
            aggregate: self,
            width,
            gaps: Gaps::Skip,
        }
    }
}

/// No clock on earth is farther from UTC.
const MOST_OFFSET_MINUTES: i32 = 24 * 60;

impl<T: Send + 'static> Buckets<T> {
    /// What becomes of buckets without a number, between the first and the last one, or from [`since`](History::since) and to
    /// the end of the range where these are given.
    pub fn gaps(mut self, gaps: Gaps) -> Self {
        self.gaps = gaps;
        self
    }

    /// Hours, days and weeks begin as clocks show it that are so many minutes ahead of UTC: 345 in Kathmandu, -300 in Lima.
    pub fn utc_offset_minutes(mut self, minutes: i32) -> Self {
        match &mut self.width {
            _ if minutes.abs() > MOST_OFFSET_MINUTES => {
                let reason =
                    format!("{minutes} minutes are more than a day: no clock is so far from UTC");
                self.aggregate.question.refuse(reason);
            }
            Width::Fixed { offset_ms, .. } => *offset_ms = i64::from(minutes) * 60_000,
            #[cfg(feature = "jiff")]
            Width::Zoned(..) | Width::Calendar(..) => self.refuse_a_second_zone(),
        }
        self
    }

    /// Hours, days and weeks begin as the clocks of a time zone show it: a day on which these are put forward has 23 hours, and `"6h"` begin at
    /// midnight, six, twelve and eighteen o'clock. (Feature `jiff`.)
    pub fn time_zone(mut self, time_zone: impl CalendarZone) -> Self {
        match self.width {
            Width::Fixed {
                width_ms,
                offset_ms: 0,
            } => match time_zone.lengths(width_ms) {
                Ok(width) => self.width = width,
                Err(reason) => self.aggregate.question.refuse(reason),
            },
            _ => self.refuse_a_second_zone(),
        }
        self
    }

    fn refuse_a_second_zone(&mut self) {
        let reason = "buckets have one time zone or offset: leave the others out";
        self.aggregate.question.refuse(reason.to_owned());
    }

    /// The buckets of each series, by record name and then by time.
    ///
    /// # Errors
    /// As every answer of a [`History`]; [`InvalidQuery`](PersistenceError::InvalidQuery) where there would be more than 100,000
    /// buckets.
    pub async fn per_series(self) -> Result<Vec<Bucket>, PersistenceError> {
        self.fill(false).await
    }

    /// The buckets of all series together, by time.
    ///
    /// # Errors
    /// As [`per_series`](Self::per_series); percentiles are those of single series, and asking for them here is an
    /// [`InvalidQuery`](PersistenceError::InvalidQuery).
    pub async fn combined(mut self) -> Result<Vec<Bucket>, PersistenceError> {
        if !self.aggregate.percents.is_empty() {
            let reason = "percentiles of combined buckets are not kept; ask for them per series, or without buckets";
            self.aggregate.question.refuse(reason.to_owned());
        }
        self.fill(true).await
    }

    async fn fill(self, combined: bool) -> Result<Vec<Bucket>, PersistenceError> {
        let Aggregate {
            question,
            path,
            percents,
            check,
            in_force,
            ..
        } = self.aggregate;
        let filling = Filling::new(self.width, self.gaps, in_force, combined, &percents);
        question.pour(path, &check, filling).await?.buckets()
    }
}
