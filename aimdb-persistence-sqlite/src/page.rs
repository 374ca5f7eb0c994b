//! One page of rows: series by series, each by a seek of its own, within one short read transaction.

use aimdb_persistence::{Cursor, Page, ReadRequest};
use rusqlite::{Connection, Statement};

use crate::catalog::Catalog;
use crate::sql;

/// A page, and whether the pattern selected any series at all.
pub(crate) struct SelectedPage {
    pub(crate) page: Page,
    pub(crate) any_series: bool,
}

/// Reads the page within a transaction of its own, so that all of it is of one moment.
pub(crate) fn read(
    connection: &Connection,
    catalog: &mut Catalog,
    request: &ReadRequest,
) -> rusqlite::Result<SelectedPage> {
    connection.prepare_cached("BEGIN")?.execute([])?;
    let page = read_in_transaction(connection, catalog, request);
    // Whatever happened: a transaction that stays open would keep the log from ever starting over.
    let ended = connection.prepare_cached("COMMIT")?.execute([]);
    page.and_then(|page| ended.map(|_| page))
}

fn read_in_transaction(
    connection: &Connection,
    catalog: &mut Catalog,
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
    let mut rows = connection.prepare_cached(sql::READ_ROWS)?;
    for (key, id) in series {
        let mut position = Position {
            newest: (end, i64::MAX),
            taken: 0,
        };
        if let Some(cursor) = &request.after
            && cursor.record_name == key
        {
            position = Position::after(cursor, position);
        }
        let reading = SeriesReading {
            request,
            key,
            id,
            start,
        };
        selected.page.next = reading.append_to(&mut selected.page, position, &mut rows)?;
        if selected.page.next.is_some() {
            break;
        }
    }
    Ok(selected)
}

/// Where reading goes on in a series: the newest key that is still wanted, and how many rows were
/// returned before.
struct Position {
    newest: (i64, i64),
    taken: usize,
}

impl Position {
    fn after(cursor: &Cursor, start: Self) -> Self {
        let (stored_at, sequence) = (
            cursor.stored_at.cast_signed(),
            cursor.sequence.cast_signed(),
        );
        let newest = match sequence.checked_sub(1) {
            Some(before) => (stored_at, before),
            None => (stored_at.saturating_sub(1), i64::MAX),
        };
        Self {
            newest: newest.min(start.newest),
            taken: cursor.taken,
        }
    }
}

struct SeriesReading<'a> {
    request: &'a ReadRequest,
    key: &'a str,
    id: i64,
    start: i64,
}

impl SeriesReading<'_> {
    /// Appends the series' rows; a cursor says that the page is full.
    fn append_to(
        &self,
        page: &mut Page,
        position: Position,
        rows: &mut Statement<'_>,
    ) -> rusqlite::Result<Option<Cursor>> {
        let limit = self.request.limit_per_record.unwrap_or(usize::MAX);
        let wanted = limit.saturating_sub(position.taken);
        if wanted == 0 {
            return Ok(None);
        }
        let mut rows = rows.query((
            self.id,
            self.start,
            position.newest.0,
            position.newest.1,
            i64::try_from(wanted).unwrap_or(i64::MAX),
        ))?;
        let mut taken = position.taken;
        while let Some(row) = rows.next()? {
            let (stored_at, sequence): (i64, i64) = (row.get(0)?, row.get(1)?);
            let stored_at = stored_at.cast_unsigned();
            // Only a file taken over can hold text that is not UTF-8.
            let json = String::from_utf8_lossy(row.get_ref(2)?.as_bytes()?);
            page.rows.push(self.key, stored_at, &json);
            taken += 1;
            if page.rows.len() >= self.request.max_rows
                || page.rows.text_bytes() >= self.request.max_bytes
            {
                return Ok(Some(Cursor {
                    record_name: self.key.to_owned(),
                    stored_at,
                    sequence: sequence.cast_unsigned(),
                    taken,
                }));
            }
        }
        Ok(None)
    }
}
