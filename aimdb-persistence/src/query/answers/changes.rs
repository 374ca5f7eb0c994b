//! Runs of equal values, and the time spent in a state.

use std::collections::BTreeMap;

use aimdb_persistence_backend::json::{Number, Projection, Scalar};
use aimdb_persistence_backend::{Order, PersistenceError, Row, Visit};
use serde_json::Value;

use crate::declaration::field::Field;
use crate::declaration::field_path::FieldPath;
use crate::query::decoder::{Decoded, Decoder};
use crate::query::history::History;
use crate::query::look::Look;

/// Rows of one series that follow each other and hold the same value.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Run<T> {
    /// The record's key.
    pub record: String,
    /// The time of the first of the rows, in Unix milliseconds.
    pub start_ms: u64,
    /// The time of the last.
    pub end_ms: u64,
    /// How many there are.
    pub rows: u64,
    /// The value.
    pub value: T,
}

/// How long a series was in a state.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct TimeInState {
    /// The record's key.
    pub record: String,
    /// What the field held, as it is stored: `true`, `"Open"`, `3`, and `null` where there was nothing.
    pub state: Value,
    /// For how long in all, in milliseconds.
    pub total_ms: u64,
    /// How often it came to be in this state.
    pub times: u64,
}

impl<T: Send + 'static> History<T> {
    /// Runs of equal values, by record name and then by time: what changed when. Values are equal where the same text is stored of them. A
    /// [`limit`](Self::limit) and an [`order`](Self::order) do not count; a value with an event time in it never equals the next:
    /// for those there is [`time_in_states`](Self::time_in_states).
    ///
    /// # Errors
    /// As every answer of a [`History`].
    pub async fn changes(self) -> Result<Vec<Run<T>>, PersistenceError> {
        let Self {
            question,
            from_stored,
        } = self;
        let (order, limit_per_series) = question.reading_by_time();
        let changes = Changes {
            decoder: Decoder::new(from_stored, question.strict),
            record: String::new(),
            json: None,
            runs: Vec::new(),
        };
        let reading = question.read_as(order, limit_per_series);
        let Changes {
            mut decoder,
            mut runs,
            ..
        } = question.look(reading, changes).await?;
        decoder.report(question.archive()?)?;
        if order == Order::NewestFirst {
            for run in &mut runs {
                (run.start_ms, run.end_ms) = (run.end_ms, run.start_ms);
            }
            runs.sort_by(|a, b| (&a.record, a.start_ms).cmp(&(&b.record, b.start_ms)));
        }
        Ok(runs)
    }

    /// How long each series was in each state of a field: of an enum, a `bool`, or a number of few values. A state holds from its row to the next one,
    /// the last to [`until`](Self::until), if that is given. By record name, and then by state as it is stored.
    ///
    /// ```
    /// use aimdb_persistence::{AimDbQueryExt, Persist, PersistenceError};
    /// use serde::{Deserialize, Serialize};
    ///
    /// #[derive(Clone, Debug, Serialize, Deserialize, Persist)]
    /// #[persist(key = "door.{number}", on_change)]
    /// struct Door {
    ///     open: bool,
    /// }
    ///
    /// async fn open_today(db: &impl AimDbQueryExt) -> Result<(), PersistenceError> {
    ///     for door in Door::history(db).last("24h").time_in_states(Door::fields().open).await? {
    ///         println!("{} {}: {} min", door.record, door.state, door.total_ms / 60_000);
    ///     }
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    /// As every answer of a [`History`]; [`InvalidQuery`](PersistenceError::InvalidQuery) for a field of more than 10,000 states.
    pub async fn time_in_states<V>(
        self,
        field: Field<T, V>,
    ) -> Result<Vec<TimeInState>, PersistenceError> {
        let question = self.question;
        let (order, limit_per_series) = question.reading_by_time();
        let states = States {
            path: field.path(),
            slot: 0,
            ascending: order == Order::OldestFirst,
            until_ms: question.end_ms,
            record: None,
            held: None,
            newer_ms: None,
            of_series: BTreeMap::new(),
            times: Vec::new(),
        };
        let reading = question.read_as(order, limit_per_series);
        let mut states = question.look(reading, states).await?;
        states.end_series();
        match states.times.len() > MOST_STATES {
            true => Err(PersistenceError::InvalidQuery {
                reason: format!("`{}` has more than {MOST_STATES} states", states.path),
            }),
            false => Ok(states.times),
        }
    }
}

/// They are all in memory.
const MOST_STATES: usize = 10_000;

struct Changes<T> {
    decoder: Decoder<T>,
    record: String,
    /// Of the run under way; `None` at the beginning of a series.
    json: Option<String>,
    runs: Vec<Run<T>>,
}

impl<T: Send + 'static> Look for Changes<T> {
    fn begin_series(&mut self, record_name: &str) {
        record_name.clone_into(&mut self.record);
        self.json = None;
    }

    fn row(&mut self, row: Row<'_>, _: &[Scalar<'_>]) -> Visit {
        if self.json.as_deref() == Some(row.json)
            && let Some(run) = self.runs.last_mut()
        {
            run.end_ms = row.stored_at;
            run.rows += 1;
            return Visit::Continue;
        }
        match self.decoder.decode(row) {
            Decoded::Value(value) => self.runs.push(Run {
                record: self.record.clone(),
                start_ms: row.stored_at,
                end_ms: row.stored_at,
                rows: 1,
                value,
            }),
            Decoded::Skipped => {
                self.json = None;
                return Visit::Continue;
            }
            Decoded::Failed => return Visit::Stop,
        }
        self.json = Some(row.json.to_owned());
        Visit::Continue
    }
}

struct States {
    path: FieldPath,
    slot: usize,
    ascending: bool,
    until_ms: Option<u64>,
    record: Option<String>,
    /// The state of the row before, and its time.
    held: Option<(String, u64)>,
    /// Read backwards: the time of the row after.
    newer_ms: Option<u64>,
    /// By state as it is stored: milliseconds and times.
    of_series: BTreeMap<String, (u64, u64)>,
    times: Vec<TimeInState>,
}

impl States {
    fn hold(&mut self, state: &str, length_ms: u64, is_new: bool) {
        let (total_ms, times) = self.of_series.entry(state.to_owned()).or_default();
        *total_ms += length_ms;
        *times += u64::from(is_new);
    }

    fn end_series(&mut self) {
        if self.ascending
            && let Some((state, since_ms)) = self.held.take()
            && let Some(until_ms) = self.until_ms
        {
            self.hold(&state, until_ms.saturating_sub(since_ms), false);
        }
        (self.held, self.newer_ms) = (None, None);
        let Some(record) = self.record.take() else {
            return;
        };
        for (state, (total_ms, times)) in std::mem::take(&mut self.of_series) {
            self.times.push(TimeInState {
                record: record.clone(),
                state: serde_json::from_str(&state).unwrap_or(Value::Null),
                total_ms,
                times,
            });
        }
    }
}

impl Look for States {
    fn bind(&mut self, projection: &mut Projection) {
        self.slot = self.path.slot_in(projection);
    }

    fn begin_series(&mut self, record_name: &str) {
        self.end_series();
        self.record = Some(record_name.to_owned());
    }

    fn row(&mut self, row: Row<'_>, scalars: &[Scalar<'_>]) -> Visit {
        let state = as_stored(&scalars[self.slot]);
        let before = self.held.replace((state.clone(), row.stored_at));
        match (self.ascending, before) {
            (true, Some((before, since_ms))) => {
                self.hold(&before, row.stored_at.saturating_sub(since_ms), false);
                self.hold(&state, 0, before != state);
            }
            (true, None) => self.hold(&state, 0, true),
            (false, newer) => {
                let until_ms = self.newer_ms.or(self.until_ms).unwrap_or(row.stored_at);
                let length_ms = until_ms.saturating_sub(row.stored_at);
                // Of a run of rows the newest has been counted, whichever way it is read.
                let is_new = newer.is_none_or(|(newer, _)| newer != state);
                self.hold(&state, length_ms, is_new);
                self.newer_ms = Some(row.stored_at);
            }
        }
        match self.times.len() + self.of_series.len() > MOST_STATES {
            true => Visit::Stop,
            false => Visit::Continue,
        }
    }
}

fn as_stored(scalar: &Scalar<'_>) -> String {
    match scalar {
        Scalar::Missing | Scalar::Null | Scalar::Compound => Value::Null,
        Scalar::Bool(value) => Value::from(*value),
        Scalar::Text(text) => Value::from(&**text),
        Scalar::Number(Number::Float(value)) => Value::from(*value),
        Scalar::Number(Number::Integer(value)) => {
            match (i64::try_from(*value), u64::try_from(*value)) {
                (Ok(value), _) => Value::from(value),
                (_, Ok(value)) => Value::from(value),
                _ => Value::from(*value as f64),
            }
        }
    }
    .to_string()
}
