//! The time spent in each state.

use std::collections::BTreeMap;
use std::sync::Arc;

use aimdb_persistence_backend::json::{Number, Projection, Scalar};
use aimdb_persistence_backend::{Order, PersistenceError, Row, Visit};
use serde::Serialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use crate::declaration::field::Field;
use crate::declaration::field_path::FieldPath;
use crate::query::decoding::Check;
use crate::query::history::History;
use crate::query::look::{Decodable, Look, Reading};
use crate::query::range::{Range, TermsOfSeries};
use crate::query::timeline::{Edge, Extract, Outside, Timeline};
use aimdb_persistence_packed::statistics::{Stretch, Window};

/// How long a series was in a state.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct TimeInState {
    /// The record's key.
    pub record_name: String,
    /// What the field held, as it is stored: `true`, `"Open"`, `3`; of an enum whose variants carry data, the variant's name.
    pub state: Value,
    /// For how long in all, in milliseconds.
    pub total_ms: u64,
    /// How often it came to be in this state within the range.
    pub times: u64,
    /// For how much of the range any state is known, in milliseconds: the same for every state of a series.
    pub known_ms: u64,
    /// How long the range is.
    pub range_ms: u64,
}

/// They are all in memory.
const MOST_STATES: usize = 10_000;

impl<T: Send + 'static> History<T> {
    /// How long each series was in each state of a field: of an enum, a `bool`, or a number of few values. By record name, and then by state as it is
    /// stored.
    ///
    /// The answer begins with the state in force at the start of the range: that of the newest row before it. A state holds until the next row, the
    /// last one to the end of the range: [`until`](Self::until), or now where [`since`](Self::since) alone is given, or the newest row. A row that a filter
    /// leaves out, a `null`, a row without the field, or one that does not decode ends what held, and so does the time for which a value [holds](Self::holds): after
    /// that, no state is known until the next row.
    ///
    /// An enum's variant that carries data, `{"Open":{"by":"Ann"}}`, is the state `"Open"`, as every object of one member is. Of an enum with
    /// a `tag`, the tag is the field to ask for: `mode.then(Field::at(&["type"]))`.
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
    ///     for door in Door::history(db).past("24h").time_in_states(Door::fields().open).await? {
    ///         println!("{} {}: {} min", door.record_name, door.state, door.total_ms / 60_000);
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
        let check = Check::of::<T>(self.from_stored);
        let question = self.question;
        let at = || StateAt {
            path: field.path(),
            slot: 0,
        };
        let states = question.in_time(async {
            let range = Range::of(&question);
            let outside = question.outside(&range, &check, false, at).await?;
            let (order, limit_per_series) = question.reading_by_time();
            let states = States {
                at: at(),
                ascending: order == Order::OldestFirst,
                range,
                terms: TermsOfSeries::of(&question),
                outside,
                series: None,
                times: Vec::new(),
            };
            let reading = Reading {
                decodable: Some(Decodable {
                    check: &check,
                    are_told: true,
                }),
                ..question.read_as(order, limit_per_series)
            };
            let mut states = question.look(reading, states).await?;
            states.end();
            Ok(states)
        });
        let mut times = states.await?.times;
        if times.len() > MOST_STATES {
            return Err(PersistenceError::InvalidQuery {
                reason: format!("`{}` has more than {MOST_STATES} states", field.path()),
            });
        }
        // Of one series they are in order already.
        times.sort_by(|a, b| a.record_name.cmp(&b.record_name));
        Ok(times)
    }
}

/// Where a state lies; it is kept as the JSON text that it is answered with.
struct StateAt {
    path: FieldPath,
    slot: usize,
}

impl Extract for StateAt {
    type Value = Arc<str>;

    fn bind(&mut self, projection: &mut Projection) {
        self.slot = projection.slot(self.path.names());
    }

    fn value(&self, _: Row<'_>, scalars: &[Scalar<'_>]) -> Option<Arc<str>> {
        let text = match scalars.get(self.slot)? {
            Scalar::Missing | Scalar::Null => return None,
            Scalar::Bool(value) => value.to_string(),
            Scalar::Text(text) => Value::from(&**text).to_string(),
            Scalar::Number(Number::Integer(value)) => value.to_string(),
            Scalar::Number(Number::Large(value)) => value.to_string(),
            Scalar::Number(Number::Decimal(decimal)) => Value::from(decimal.float).to_string(),
            Scalar::Other(json) => match variant(json) {
                Some(name) => Value::from(name).to_string(),
                None => json.to_string(),
            },
        };
        Some(text.into())
    }
}

/// The name of the one member of an object.
fn variant(json: &str) -> Option<String> {
    struct OneMember;

    impl<'de> Visitor<'de> for OneMember {
        type Value = Option<String>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut name = None;
            while let Some((next, IgnoredAny)) = map.next_entry::<String, _>()? {
                if name.replace(next).is_some() {
                    name = None;
                    while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                }
            }
            Ok(name)
        }
    }

    if !json.starts_with('{') {
        return None;
    }
    serde_json::Deserializer::from_str(json)
        .deserialize_map(OneMember)
        .ok()?
}

struct States {
    at: StateAt,
    ascending: bool,
    range: Range,
    terms: Option<TermsOfSeries>,
    outside: Outside<Arc<str>>,
    series: Option<Series>,
    times: Vec<TimeInState>,
}

struct Series {
    record_name: String,
    holds_ms: u64,
    timeline: Timeline<Arc<str>>,
    /// The state of the row beside, for as long as it holds.
    beside: Option<(Arc<str>, Window)>,
    /// Milliseconds and times.
    states: BTreeMap<Arc<str>, (u64, u64)>,
}

impl Series {
    /// The time for which a state holds, as far as it lies within the range.
    fn hold(&mut self, stretch: &Stretch<Arc<str>>, window: Window) {
        let held = stretch.held(self.holds_ms).within(window).length_ms();
        // What held before the range is known only if it reaches into it.
        if held > 0 || self.states.contains_key(&stretch.value) {
            self.states.entry(Arc::clone(&stretch.value)).or_default().0 += held;
        }
    }

    fn enter(&mut self, state: &Arc<str>) {
        self.states.entry(Arc::clone(state)).or_default().1 += 1;
    }
}

impl States {
    fn begin(&mut self, record_name: &str) {
        self.end_series();
        let before = self.outside.before.remove(record_name);
        let terms = self.terms.as_ref();
        let holds_ms = terms.map_or(u64::MAX, |terms| terms.holds_ms(record_name));
        let held =
            |edge: &Edge<Arc<str>>| Some((edge.value.clone()?, lasting(edge.at_ms, holds_ms)));
        self.series = Some(Series {
            record_name: record_name.to_owned(),
            holds_ms,
            beside: before.as_ref().and_then(held),
            timeline: match self.ascending {
                true => Timeline::ascending(before),
                false => Timeline::descending(),
            },
            states: BTreeMap::new(),
        });
    }

    fn take(&mut self, at_ms: u64, state: Option<Arc<str>>, is_own: bool) -> Option<()> {
        let series = self.series.as_mut()?;
        let mut window = Window {
            start_ms: self.range.start_ms.unwrap_or(0),
            end_ms: u64::MAX,
        };
        if !self.ascending && series.timeline.rows().are_none() {
            window.end_ms = self.range.end_with(at_ms);
            series.timeline.ends_with(Edge {
                at_ms: window.end_ms,
                value: None,
            });
        }
        if let Some(stretch) = series.timeline.row(at_ms, state.clone(), is_own) {
            series.hold(&stretch, window);
        }
        let held = state.map(|state| (state, lasting(at_ms, series.holds_ms)));
        let beside = std::mem::replace(&mut series.beside, held.clone());
        match self.ascending {
            true => {
                let (state, _) = held?;
                let was_in_it =
                    beside.is_some_and(|(before, held)| before == state && at_ms <= held.end_ms);
                if !was_in_it {
                    series.enter(&state);
                }
            }
            // Whether the row after it came to be in its state is known only now.
            false => {
                let (after, entered) = beside?;
                let was_in_it = held
                    .is_some_and(|(state, held)| state == after && entered.start_ms <= held.end_ms);
                if !was_in_it {
                    series.enter(&after);
                }
            }
        }
        Some(())
    }

    fn end_series(&mut self) {
        let Some(mut series) = self.series.take() else {
            return;
        };
        let Some(window) = self.range.of_series(series.timeline.rows()) else {
            return;
        };
        if self.ascending {
            let end = Edge {
                at_ms: window.end_ms,
                value: None,
            };
            if let Some(stretch) = series.timeline.end(end) {
                series.hold(&stretch, window);
            }
        } else if let Some((first, _)) = series.beside.take() {
            series.enter(&first);
        }
        let known_ms = series.states.values().map(|(total_ms, _)| total_ms).sum();
        for (state, (total_ms, times)) in series.states {
            self.times.push(TimeInState {
                record_name: series.record_name.clone(),
                state: serde_json::from_str(&state).unwrap_or_else(|_| Value::from(&*state)),
                total_ms,
                times,
                known_ms,
                range_ms: window.length_ms(),
            });
        }
    }

    /// Series without rows in the range are those of which something was in force when it began.
    fn end(&mut self) {
        self.end_series();
        while let Some((record_name, edge)) = self.outside.before.pop_first() {
            self.outside.before.insert(record_name.clone(), edge);
            self.begin(&record_name);
            self.end_series();
        }
    }

    fn is_within_bounds(&self) -> Visit {
        let of_series = self.series.as_ref().map_or(0, |series| series.states.len());
        match self.times.len() + of_series > MOST_STATES {
            true => Visit::Stop,
            false => Visit::Continue,
        }
    }
}

fn lasting(from_ms: u64, holds_ms: u64) -> Window {
    Window {
        start_ms: from_ms,
        end_ms: from_ms.saturating_add(holds_ms),
    }
}

impl Look for States {
    fn bind(&mut self, projection: &mut Projection) {
        self.at.bind(projection);
    }

    fn begin_series(&mut self, record_name: &str) {
        self.begin(record_name);
    }

    fn row(&mut self, row: Row<'_>, scalars: &[Scalar<'_>]) -> Visit {
        let state = self.at.value(row, scalars);
        self.take(row.stored_at, state, true);
        self.is_within_bounds()
    }

    fn left_out(&mut self, stored_at: u64) -> Visit {
        self.take(stored_at, None, false);
        self.is_within_bounds()
    }
}
