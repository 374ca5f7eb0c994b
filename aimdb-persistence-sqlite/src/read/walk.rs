//! Walking over rows in order: series by series, each by a seek of its own, within one short read transaction.

use std::borrow::Cow;
use std::ops::ControlFlow;

use aimdb_persistence_backend::{Order, ReadRequest, Row, RowVisitor, Visit};
use rusqlite::{CachedStatement, Connection, OptionalExtension};

use crate::chunks::rows::LastChunk;
use crate::error::damage;
use crate::layout::place::{Place, RowKey};
use crate::layout::seal;
use crate::layout::sql;
use crate::layout::state::{Moment, State};
use crate::layout::tail::Tail;
use crate::read::catalog::Catalog;
use crate::read::cursor::{After, GoOn};
use crate::read::found::{Found, row_is_damaged, row_is_gone, rows_are_out_of_order};
use crate::read::packed::Packed;
use crate::read::source::{Clustered, InTail, Source, TailValues, merge};
use crate::read::stored_row::{Content, StoredRow};

/// What a connection knows of where rows lie.
pub(crate) struct RowIndex {
    pub(crate) catalog: Catalog,
    pub(crate) tail: Tail,
    pub(crate) found: Found,
    pub(crate) last_chunk: LastChunk,
    /// What is known is of this state, or an earlier one of the same history.
    known: Option<State>,
}

/// How a walk ended.
pub(crate) enum Walked {
    ToTheEnd,
    /// The visitor wanted no more; the rest comes after this.
    Stopped(After),
    /// It was time for something else; the rest comes after this.
    Paused(After),
}

impl RowIndex {
    /// Nothing is known yet. Damage is told to `found`.
    pub(crate) fn new(found: Found) -> Self {
        Self {
            catalog: Catalog::default(),
            tail: Tail::default(),
            found,
            last_chunk: LastChunk::default(),
            known: None,
        }
    }

    pub(crate) fn forget(&mut self) {
        self.catalog = Catalog::default();
        self.tail = Tail::default();
        self.last_chunk = LastChunk::default();
        self.known = None;
    }

    /// Learns where rows of the tail lie, and tells of those that are damaged.
    pub(crate) fn follow_tail(
        &mut self,
        connection: &Connection,
        state: &State,
    ) -> rusqlite::Result<()> {
        self.tail.follow(connection, state)?;
        let damaged = self.tail.take_damaged();
        if damaged > 0 {
            let what = "rows of the tail are damaged: their checksums do not fit, and it is not certain of which record they \
                 are";
            self.found.rows(damaged, what);
        }
        Ok(())
    }

    /// Shows the rows of the request to the visitor. `is_to_pause` is asked after each row and after each series,
    /// those that the pattern leaves out included.
    ///
    /// The walk has a transaction of its own, so that all of it is of one moment. Where it goes on after another
    /// walk, rows are left out that were stored after the first walk began.
    pub(crate) fn walk(
        &mut self,
        connection: &Connection,
        request: &ReadRequest,
        after: Option<&After>,
        visitor: &mut (impl RowVisitor + ?Sized),
        is_to_pause: impl FnMut() -> bool,
    ) -> rusqlite::Result<Walked> {
        let mut statement = Moment::statement(connection)?;
        let (_moment, state) = Moment::begin(&mut statement)?;
        if self.known.is_some_and(|known| !state.follows(&known)) {
            self.forget();
        }
        self.known = Some(state);
        self.follow_tail(connection, &state)?;
        self.walk_at(&state, connection, request, after, visitor, is_to_pause)
    }

    fn walk_at(
        &mut self,
        state: &State,
        connection: &Connection,
        request: &ReadRequest,
        after: Option<&After>,
        visitor: &mut (impl RowVisitor + ?Sized),
        mut is_to_pause: impl FnMut() -> bool,
    ) -> rusqlite::Result<Walked> {
        // No row lies beyond i64::MAX: a request that begins there selects nothing, one that ends there everything.
        let Ok(start) = i64::try_from(request.start_time.unwrap_or(0)) else {
            return Ok(Walked::ToTheEnd);
        };
        let last_sequence = after.map_or(state.last_sequence(), |after| after.last_sequence);
        let mut walk = Walk {
            table: connection.prepare_cached(statement(request.order, visitor.needs_json()))?,
            tail: &self.tail,
            tail_values: TailValues::of(connection),
            connection,
            found: &mut self.found,
            chunks: state.has_chunks.then_some(&mut self.last_chunk),
            order: request.order,
            oldest: Place::first_at(start),
            newest: Place::last_at(request.end_time.map_or(i64::MAX, to_i64)),
            limit: request.limit_per_record.unwrap_or(usize::MAX),
            last_sequence: after.map_or(i64::MAX, |after| after.last_sequence),
        };
        let first_name = after.map_or("", |after| &after.record_name);
        let series = self
            .catalog
            .select(connection, state, request, first_name)?;
        for (record_name, id) in series {
            let go_on = after.filter(|after| *after.record_name == *record_name);
            let go_on = go_on.map(|after| after.go_on);
            let rest = |go_on: GoOn| After {
                record_name: record_name.into(),
                go_on,
                last_sequence,
            };
            let Some(id) = id else {
                match is_to_pause() {
                    true => return Ok(Walked::Paused(rest(GoOn::WithNextSeries))),
                    false => continue,
                }
            };
            match walk.over_series(record_name, id, go_on, visitor, &mut is_to_pause)? {
                SeriesEnd::Stopped(at) => return Ok(Walked::Stopped(rest(at))),
                SeriesEnd::Paused(at) => return Ok(Walked::Paused(rest(at))),
                SeriesEnd::Failed(error) => return Err(error),
                SeriesEnd::Done if is_to_pause() => {
                    return Ok(Walked::Paused(rest(GoOn::WithNextSeries)));
                }
                SeriesEnd::Done => {}
            }
        }
        Ok(Walked::ToTheEnd)
    }
}

fn to_i64(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn statement(order: Order, needs_json: bool) -> &'static str {
    match (order, needs_json) {
        (Order::NewestFirst, true) => sql::NEWEST_ROWS,
        (Order::OldestFirst, true) => sql::OLDEST_ROWS,
        (Order::NewestFirst, false) => sql::NEWEST_PLACES,
        (Order::OldestFirst, false) => sql::OLDEST_PLACES,
    }
}

/// What is the same for each series of a walk.
struct Walk<'a> {
    table: CachedStatement<'a>,
    tail: &'a Tail,
    tail_values: TailValues<'a>,
    connection: &'a Connection,
    found: &'a mut Found,
    /// `None` where nothing is packed.
    chunks: Option<&'a mut LastChunk>,
    order: Order,
    oldest: Place,
    newest: Place,
    limit: usize,
    /// Rows with a higher sequence are left out.
    last_sequence: i64,
}

/// How the walk over one series ended.
enum SeriesEnd {
    Done,
    Stopped(GoOn),
    Paused(GoOn),
    /// A row is damaged, and the visitor does without none.
    Failed(rusqlite::Error),
}

impl Walk<'_> {
    fn over_series(
        &mut self,
        record_name: &str,
        series: i64,
        go_on: Option<GoOn>,
        visitor: &mut (impl RowVisitor + ?Sized),
        is_to_pause: &mut impl FnMut() -> bool,
    ) -> rusqlite::Result<SeriesEnd> {
        let (mut oldest, mut newest, mut shown) = (self.oldest, self.newest, 0);
        match go_on {
            None => {}
            Some(GoOn::WithNextSeries) => return Ok(SeriesEnd::Done),
            Some(GoOn::Behind {
                place,
                shown: so_far,
            }) => {
                shown = so_far;
                match self.order {
                    Order::NewestFirst => newest = newest.min(place.before()),
                    Order::OldestFirst => oldest = oldest.max(place.after()),
                }
            }
        }
        let (order, limit, last_sequence) = (self.order, self.limit, self.last_sequence);
        if shown >= limit {
            return Ok(SeriesEnd::Done);
        }
        let mut has_begun = go_on.is_some();
        let is_verified = visitor.needs_json();
        let is_whole = go_on.is_none()
            && oldest.stored_at <= 0
            && newest == Place::NEWEST
            && (limit, last_sequence) == (usize::MAX, i64::MAX);
        let found = &mut *self.found;
        let mut seen = 0;
        let mut previous = match go_on {
            Some(GoOn::Behind { place, .. }) => Some(place),
            _ => None,
        };
        let show = |row: StoredRow<'_>| {
            let StoredRow { place, .. } = row;
            if place.sequence > last_sequence {
                return ControlFlow::Continue(());
            }
            if !has_begun && !visitor.begin_series(record_name) {
                return ControlFlow::Break(SeriesEnd::Done);
            }
            has_begun = true;
            seen += i64::from(!matches!(
                row.content,
                Content::Packed { .. } | Content::Damaged { .. }
            ));
            if previous.is_some_and(|previous: Place| !previous.comes_before(place, order)) {
                // A page leads to one row twice, and to another one never.
                let what = rows_are_out_of_order(record_name, place);
                return ControlFlow::Break(SeriesEnd::Failed(damage(what)));
            }
            previous = Some(place);
            let read = match row.content {
                Content::Packed { json, version } => Ok((json.as_bytes(), version)),
                Content::Damaged { rows, what } => Err((rows, what.to_owned())),
                Content::Sealed { json, seal } => {
                    let key = RowKey { series, place };
                    let version = |json| match is_verified {
                        true => seal::opened(key, seal, json),
                        false => Some(seal::version_of(seal)),
                    };
                    let read = json.and_then(|json| Some((json, version(json)?)));
                    read.ok_or_else(|| match json {
                        Some(_) => (1, row_is_damaged(record_name, place)),
                        None => (1, row_is_gone(record_name, place)),
                    })
                }
            };
            let (json, version) = match read {
                Ok(read) => read,
                Err((rows, what)) if visitor.skips_damaged() => {
                    found.rows(rows, &what);
                    return ControlFlow::Continue(());
                }
                Err((_, what)) => return ControlFlow::Break(SeriesEnd::Failed(damage(what))),
            };
            shown += 1;
            let here = GoOn::Behind { place, shown };
            match visit(visitor, record_name, place, json, version) {
                Visit::Stop => ControlFlow::Break(SeriesEnd::Stopped(here)),
                Visit::NextSeries => ControlFlow::Break(SeriesEnd::Done),
                Visit::Continue if shown >= limit => ControlFlow::Break(SeriesEnd::Done),
                Visit::Continue if is_to_pause() => ControlFlow::Break(SeriesEnd::Paused(here)),
                Visit::Continue => ControlFlow::Continue(()),
            }
        };
        let mut in_tail = self.tail.between(series, oldest, newest, order);
        let rows = match order {
            Order::NewestFirst => {
                let from = (series, oldest.stored_at, newest.stored_at, newest.sequence);
                self.table.query(from)?
            }
            Order::OldestFirst => {
                let from = (series, newest.stored_at, oldest.stored_at, oldest.sequence);
                self.table.query(from)?
            }
        };
        let clustered = Source::Clustered(Clustered::new(rows));
        let in_tail = Source::Tail(InTail::new(&mut in_tail, &self.tail_values));
        let end = match self.chunks.as_deref_mut() {
            None => merge(&mut [clustered, in_tail], order, show)?,
            Some(last) => {
                let bounds = (oldest, newest);
                let packed = Packed::new(self.connection, last, series, bounds, order, is_verified);
                merge(
                    &mut [clustered, in_tail, Source::Packed(packed)],
                    order,
                    show,
                )?
            }
        };
        if is_whole && end.is_none() {
            let in_tail = self.tail.count(series);
            let noted = rows_noted(self.connection, series)?;
            if seen - in_tail < noted {
                self.found.missing(record_name, noted, seen - in_tail);
            }
        }
        Ok(end.unwrap_or(SeriesEnd::Done))
    }
}

/// How many rows of the series lie in the clustered table.
fn rows_noted(connection: &Connection, series: i64) -> rusqlite::Result<i64> {
    let mut noted = connection.prepare_cached(sql::NOTED_ROWS)?;
    let noted = noted.query_row([series], |r| r.get(0)).optional()?;
    Ok(noted.unwrap_or(0))
}

fn visit(
    visitor: &mut (impl RowVisitor + ?Sized),
    record_name: &str,
    place: Place,
    json: &[u8],
    version: u32,
) -> Visit {
    let json = match str::from_utf8(json) {
        Ok(json) => Cow::Borrowed(json),
        Err(_) => String::from_utf8_lossy(json),
    };
    visitor.visit(Row {
        record_name,
        stored_at: place.stored_at.cast_unsigned(),
        json: &json,
        version,
        source: None,
    })
}
