//! One page of rows.

use aimdb_persistence::{Page, ReadRequest, Row};
use rusqlite::Connection;

use crate::layout::tail::Tail;
use crate::read::catalog::Catalog;
use crate::read::walk::{self, Sink, Step};

/// A page, and whether the pattern selected any series at all.
pub(crate) struct SelectedPage {
    pub(crate) page: Page,
    pub(crate) any_series: bool,
}

pub(crate) fn read(
    connection: &Connection,
    catalog: &mut Catalog,
    tail: &mut Tail,
    request: &ReadRequest,
) -> rusqlite::Result<SelectedPage> {
    let mut filling = Filling {
        page: Page::default(),
        request,
    };
    let walked = walk::walk(connection, catalog, tail, request, &mut filling)?;
    let mut page = filling.page;
    page.next = walked.next;
    Ok(SelectedPage {
        page,
        any_series: walked.any_series,
    })
}

/// A page that takes rows in.
struct Filling<'a> {
    page: Page,
    request: &'a ReadRequest,
}

impl Sink for Filling<'_> {
    fn row(&mut self, row: Row<'_>) -> Step {
        let rows = &mut self.page.rows;
        rows.push_versioned(row.record_name, row.stored_at, row.json, row.version);
        let is_full =
            rows.len() >= self.request.max_rows || rows.text_bytes() >= self.request.max_bytes;
        if is_full { Step::Stop } else { Step::Next }
    }
}
