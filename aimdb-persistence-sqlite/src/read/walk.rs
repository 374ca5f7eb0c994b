//! Walking over rows in order: series by series, each by a seek of its own, within one short read
//! transaction.

use std::borrow::Cow;
use std::cmp::Ordering;

use aimdb_persistence::{Cursor, Order, ReadRequest, Row};
use rusqlite::{CachedStatement, Connection};

use crate::layout::sql;
use crate::layout::state::{Moment, State};
use crate::layout::tail::{Place, Tail};
use crate::read::catalog::Catalog;

/// What takes the rows in.
pub(crate) trait Sink {
    /// A series begins, of which there is a row at least. Whether it is wanted.
    fn begin_series(&mut self, _key: &str) -> bool {
        true
    }

    fn row(&mut self, row: Row<'_>) -> Step;

    /// Whether the walk is to stop between this series and the next.
    fn stops_after_series(&mut self) -> bool {
        false
    }

    /// Whether rows come with their JSON.
    fn needs_json(&self) -> bool {
        true
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Next,
    NextSeries,
    /// This was the last row for now.
    Stop,
}

/// How a walk ended.
pub(crate) struct Walked {
    /// Whether the pattern selected any series at all.
    pub(crate) any_series: bool,
    /// Where to go on, if the sink stopped it.
    pub(crate) next: Option<Cursor>,
}

/// Walks within a transaction of its own, so that all of it is of one moment. Rows that were stored
/// after the walk began from whose end the request goes on are left out.
pub(crate) fn walk(
    connection: &Connection,
    catalog: &mut Catalog,
    tail: &mut Tail,
    request: &ReadRequest,
    sink: &mut dyn Sink,
) -> rusqlite::Result<Walked> {
    let mut statement = Moment::statement(connection)?;
    let (_moment, state) = Moment::begin(&mut statement)?;
    tail.follow(connection, &state)?;
    walk_at(&state, connection, catalog, tail, request, sink)
}

fn walk_at(
    state: &State,
    connection: &Connection,
    catalog: &mut Catalog,
    tail: &Tail,
    request: &ReadRequest,
    sink: &mut dyn Sink,
) -> rusqlite::Result<Walked> {
    let mut series = catalog.select(connection, state, request)?.peekable();
    let mut walked = Walked {
        any_series: series.peek().is_some(),
        next: None,
    };
    // No row lies beyond i64::MAX: a query that starts there selects nothing, one that ends there
    // everything.
    let as_i64 = |time| i64::try_from(time).unwrap_or(i64::MAX);
    let Ok(start) = i64::try_from(request.start_time.unwrap_or(0)) else {
        return Ok(walked);
    };
    let mut source = Source {
        table: connection.prepare_cached(statement(request.order, sink.needs_json()))?,
        connection,
        tail_value: None,
        tail,
        order: request.order,
        start,
        end: request.end_time.map_or(i64::MAX, as_i64),
        limit: request.limit_per_record.unwrap_or(usize::MAX),
        last_sequence: request
            .after
            .as_ref()
            .map_or(i64::MAX, |cursor| as_i64(cursor.last_sequence)),
    };
    for (key, id) in series {
        let cursor = request.after.as_ref();
        let cursor = cursor.filter(|cursor| cursor.record_name == key);
        let stopped_at = match source.walk_over(key, id, cursor, sink)? {
            None if sink.stops_after_series() => Some(SERIES_IS_DONE),
            stopped_at => stopped_at,
        };
        if let Some((place, taken)) = stopped_at {
            let last_sequence = match &request.after {
                Some(cursor) => cursor.last_sequence,
                None => state.last_sequence().cast_unsigned(),
            };
            walked.next = Some(Cursor {
                record_name: key.to_owned(),
                stored_at: place.stored_at.cast_unsigned(),
                sequence: place.sequence.cast_unsigned(),
                taken,
                last_sequence,
            });
            break;
        }
    }
    Ok(walked)
}

/// More rows of the series than any limit lets through.
const SERIES_IS_DONE: (Place, usize) = (
    Place {
        stored_at: 0,
        sequence: 0,
    },
    usize::MAX,
);

fn statement(order: Order, needs_json: bool) -> &'static str {
    match (order, needs_json) {
        (Order::NewestFirst, true) => sql::NEWEST_ROWS,
        (Order::OldestFirst, true) => sql::OLDEST_ROWS,
        (Order::NewestFirst, false) => sql::NEWEST_PLACES,
        (Order::OldestFirst, false) => sql::OLDEST_PLACES,
    }
}

/// Where rows come from: the clustered table and the tail, read as one order.
struct Source<'a> {
    table: CachedStatement<'a>,
    connection: &'a Connection,
    /// Fetched for the first row of the tail: often there is none.
    tail_value: Option<CachedStatement<'a>>,
    tail: &'a Tail,
    order: Order,
    start: i64,
    end: i64,
    limit: usize,
    last_sequence: i64,
}

impl Source<'_> {
    /// Says where the sink stopped, and how many rows of the series it has had by then.
    fn walk_over(
        &mut self,
        key: &str,
        series: i64,
        cursor: Option<&Cursor>,
        sink: &mut dyn Sink,
    ) -> rusqlite::Result<Option<(Place, usize)>> {
        let mut taken = cursor.map_or(0, |cursor| cursor.taken);
        if taken >= self.limit {
            return Ok(None);
        }
        let mut has_begun = cursor.is_some();
        let Self {
            order,
            limit,
            last_sequence,
            ..
        } = *self;
        let mut show = |place: Place, json: &[u8], version: Option<i64>| {
            if place.sequence > last_sequence {
                return Step::Next;
            }
            if !has_begun && !sink.begin_series(key) {
                return Step::NextSeries;
            }
            has_begun = true;
            taken += 1;
            // Only a file taken over can hold text that is not UTF-8.
            let json = match str::from_utf8(json) {
                Ok(json) => Cow::Borrowed(json),
                Err(_) => String::from_utf8_lossy(json),
            };
            let row = Row {
                record_name: key,
                stored_at: place.stored_at.cast_unsigned(),
                json: &json,
                // What is beyond all versions is newer than any.
                version: u32::try_from(version.unwrap_or(0)).unwrap_or(u32::MAX),
            };
            match sink.row(row) {
                Step::Next if taken >= limit => Step::NextSeries,
                step => step,
            }
        };
        let (oldest, newest) = self.ends(cursor);
        let in_tail = self.tail.between(series, oldest, newest, order);
        let mut in_tail = in_tail.peekable();
        let mut in_table = match order {
            Order::NewestFirst => {
                self.table
                    .query((series, oldest.stored_at, newest.stored_at, newest.sequence))?
            }
            Order::OldestFirst => {
                self.table
                    .query((series, newest.stored_at, oldest.stored_at, oldest.sequence))?
            }
        };
        let comes_first = match order {
            Order::NewestFirst => Ordering::Greater,
            Order::OldestFirst => Ordering::Less,
        };
        loop {
            let row = in_table.next()?;
            let place = match row {
                Some(row) => Some(Place {
                    stored_at: row.get(0)?,
                    sequence: row.get(1)?,
                }),
                None => None,
            };
            // Those of the tail that come before it, or all that are left.
            while let Some(in_tail) = in_tail
                .next_if(|in_tail| place.is_none_or(|place| in_tail.cmp(&place) == comes_first))
            {
                let tail_value = match &mut self.tail_value {
                    Some(fetched) => fetched,
                    none => none.insert(self.connection.prepare_cached(sql::TAIL_VALUE)?),
                };
                let mut value = tail_value.query([in_tail.sequence])?;
                // Somebody may have deleted it by other means.
                let Some(value) = value.next()? else { continue };
                match show(in_tail, value.get_ref(0)?.as_bytes()?, value.get(1)?) {
                    Step::Next => {}
                    Step::NextSeries => return Ok(None),
                    Step::Stop => return Ok(Some((in_tail, taken))),
                }
            }
            let (Some(row), Some(place)) = (row, place) else {
                return Ok(None);
            };
            match show(place, row.get_ref(2)?.as_bytes()?, row.get(3)?) {
                Step::Next => {}
                Step::NextSeries => return Ok(None),
                Step::Stop => return Ok(Some((place, taken))),
            }
        }
    }

    /// The first and the last place, in time, that are still wanted.
    fn ends(&self, cursor: Option<&Cursor>) -> (Place, Place) {
        let oldest = Place {
            stored_at: self.start,
            sequence: i64::MIN,
        };
        let newest = Place {
            stored_at: self.end,
            sequence: i64::MAX,
        };
        let Some(cursor) = cursor else {
            return (oldest, newest);
        };
        let place = Place {
            stored_at: cursor.stored_at.cast_signed(),
            sequence: cursor.sequence.cast_signed(),
        };
        match self.order {
            Order::NewestFirst => (oldest, newest.min(place.before())),
            Order::OldestFirst => (oldest.max(place.after()), newest),
        }
    }
}
