//! One page of rows: series by series, each by a seek of its own, within one short read transaction.

use aimdb_persistence::{Cursor, Page, ReadRequest};
use rusqlite::{CachedStatement, Connection, Statement};

use crate::catalog::Catalog;
use crate::open;
use crate::sql;
use crate::tail::{Place, Tail};

/// A page, and whether the pattern selected any series at all.
pub(crate) struct SelectedPage {
    pub(crate) page: Page,
    pub(crate) any_series: bool,
}

/// Reads the page within a transaction of its own, so that all of it is of one moment.
pub(crate) fn read(
    connection: &Connection,
    catalog: &mut Catalog,
    tail: &mut Tail,
    request: &ReadRequest,
) -> rusqlite::Result<SelectedPage> {
    open::snapshot(connection, || {
        tail.refresh(connection)?;
        read_in_transaction(connection, catalog, tail, request)
    })
}

fn read_in_transaction(
    connection: &Connection,
    catalog: &mut Catalog,
    tail: &Tail,
    request: &ReadRequest,
) -> rusqlite::Result<SelectedPage> {
    let mut series = catalog.select(connection, request)?.peekable();
    let mut selected = SelectedPage {
        page: Page::default(),
        any_series: series.peek().is_some(),
    };
    // No row lies beyond i64::MAX: a query that starts there selects nothing, one that ends there
    // everything.
    let end = request
        .end_time
        .map_or(i64::MAX, |end| i64::try_from(end).unwrap_or(i64::MAX));
    let Ok(start) = i64::try_from(request.start_time.unwrap_or(0)) else {
        return Ok(selected);
    };
    let mut source = Source {
        table: connection.prepare_cached(sql::READ_ROWS)?,
        tail_value: connection.prepare_cached(sql::TAIL_VALUE)?,
        tail,
        start,
    };
    for (key, id) in series {
        let mut position = Position {
            newest: Place {
                stored_at: end,
                sequence: i64::MAX,
            },
            taken: 0,
        };
        if let Some(cursor) = &request.after
            && cursor.record_name == key
        {
            position = Position::after(cursor, position);
        }
        let filling = Filling {
            page: &mut selected.page,
            request,
            key,
            taken: position.taken,
        };
        selected.page.next = source.append_to(filling, id, position.newest)?;
        if selected.page.next.is_some() {
            break;
        }
    }
    Ok(selected)
}

/// Where reading goes on in a series: the newest place that is still wanted, and how many rows were
/// returned before.
struct Position {
    newest: Place,
    taken: usize,
}

impl Position {
    fn after(cursor: &Cursor, start: Self) -> Self {
        let (stored_at, sequence) = (
            cursor.stored_at.cast_signed(),
            cursor.sequence.cast_signed(),
        );
        let newest = match sequence.checked_sub(1) {
            Some(sequence) => Place {
                stored_at,
                sequence,
            },
            None => Place {
                stored_at: stored_at.saturating_sub(1),
                sequence: i64::MAX,
            },
        };
        Self {
            newest: newest.min(start.newest),
            taken: cursor.taken,
        }
    }
}

/// Where rows come from: the clustered table and the tail, read as one order.
struct Source<'a> {
    table: CachedStatement<'a>,
    tail_value: CachedStatement<'a>,
    tail: &'a Tail,
    start: i64,
}

impl Source<'_> {
    /// Appends a series' rows; a cursor says that the page is full.
    fn append_to(
        &mut self,
        mut filling: Filling<'_>,
        series: i64,
        newest: Place,
    ) -> rusqlite::Result<Option<Cursor>> {
        if filling.wanted() == 0 {
            return Ok(None);
        }
        let in_tail = self.tail.newest_first(series, self.start, newest);
        let mut in_tail = in_tail.peekable();
        let mut in_table = self.table.query((
            series,
            self.start,
            newest.stored_at,
            newest.sequence,
            i64::try_from(filling.wanted()).unwrap_or(i64::MAX),
        ))?;
        while let Some(row) = in_table.next()? {
            let place = Place {
                stored_at: row.get(0)?,
                sequence: row.get(1)?,
            };
            while let Some(newer) = in_tail.next_if(|in_tail| *in_tail > place) {
                if filling.push_of_tail(newer, &mut self.tail_value)? {
                    return Ok(filling.full_at(newer));
                }
            }
            if filling.push(place, row.get_ref(2)?.as_bytes()?, version(row.get(3)?)) {
                return Ok(filling.full_at(place));
            }
        }
        for place in in_tail {
            if filling.push_of_tail(place, &mut self.tail_value)? {
                return Ok(filling.full_at(place));
            }
        }
        Ok(None)
    }
}

/// The version of a value's type, as rows have it. What is beyond all versions is newer than any.
fn version(stored: Option<i64>) -> u32 {
    u32::try_from(stored.unwrap_or(0)).unwrap_or(u32::MAX)
}

/// A page that takes in a series.
struct Filling<'a> {
    page: &'a mut Page,
    request: &'a ReadRequest,
    key: &'a str,
    taken: usize,
}

impl Filling<'_> {
    /// How many rows of the series are still asked for.
    fn wanted(&self) -> usize {
        let limit = self.request.limit_per_record.unwrap_or(usize::MAX);
        limit.saturating_sub(self.taken)
    }

    fn is_full(&self) -> bool {
        self.page.rows.len() >= self.request.max_rows
            || self.page.rows.text_bytes() >= self.request.max_bytes
    }

    /// Appends a row; says whether it was the last one, of the page or of those asked for.
    fn push(&mut self, place: Place, json: &[u8], version: u32) -> bool {
        // Only a file taken over can hold text that is not UTF-8.
        let json = String::from_utf8_lossy(json);
        let stored_at = place.stored_at.cast_unsigned();
        self.page
            .rows
            .push_versioned(self.key, stored_at, &json, version);
        self.taken += 1;
        self.is_full() || self.wanted() == 0
    }

    /// The same for a row of the tail, unless somebody has deleted it by other means.
    fn push_of_tail(&mut self, place: Place, value: &mut Statement<'_>) -> rusqlite::Result<bool> {
        let mut rows = value.query([place.sequence])?;
        match rows.next()? {
            Some(row) => Ok(self.push(place, row.get_ref(0)?.as_bytes()?, version(row.get(1)?))),
            None => Ok(false),
        }
    }

    /// Where to go on, if the page is full.
    fn full_at(self, place: Place) -> Option<Cursor> {
        self.is_full().then(|| Cursor {
            record_name: self.key.to_owned(),
            stored_at: place.stored_at.cast_unsigned(),
            sequence: place.sequence.cast_unsigned(),
            taken: self.taken,
        })
    }
}
