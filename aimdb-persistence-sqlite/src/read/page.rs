//! One page of rows.

use aimdb_persistence_backend::{Page, ReadRequest, Row, RowVisitor, Visit};

use crate::file::opened::Opened;
use crate::read::cursor::After;
use crate::read::walk::{RowIndex, Walked};

pub(crate) fn read(
    connection: &Opened,
    index: &mut RowIndex,
    request: &ReadRequest,
    after: Option<&After>,
) -> rusqlite::Result<Page> {
    let mut filling = Filling {
        page: Page::default(),
        max_rows: request.max_rows,
        max_bytes: request.max_bytes,
    };
    let walked = index.walk(connection, request, after, &mut filling, || false)?;
    connection.vouch()?;
    let mut page = filling.page;
    page.next = match walked {
        Walked::ToTheEnd => None,
        Walked::Stopped(rest) | Walked::Paused(rest) => Some(rest.into_cursor()),
    };
    Ok(page)
}

/// Keeps the rows that it is shown, until the page is full.
struct Filling {
    page: Page,
    max_rows: usize,
    max_bytes: usize,
}

impl RowVisitor for Filling {
    fn visit(&mut self, row: Row<'_>) -> Visit {
        let rows = &mut self.page.rows;
        rows.push_versioned(row.record_name, row.stored_at, row.json, row.version);
        let is_full = rows.len() >= self.max_rows || rows.text_bytes() >= self.max_bytes;
        if is_full {
            Visit::Stop
        } else {
            Visit::Continue
        }
    }
}
