//! What of a series is to be packed next.

use aimdb_persistence_backend::Order;
use aimdb_persistence_packed::MOST_ROWS;
use rusqlite::Connection;

use crate::chunks::count::Stretch;
use crate::chunks::place::{self, ChunkPlace};
use crate::layout::place::Place;

/// What makes a chunk.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measure {
    /// Fewer rows are left as they are.
    pub(crate) least_rows: usize,
    /// A chunk is packed again when more than this part of its rows lies beside it.
    pub(crate) late_part: usize,
    /// Every chunk has so many rows; `None` where it has as many as fill its pages.
    pub(crate) rows: Option<usize>,
    /// Rows that could fill more of a chunk are packed as well.
    pub(crate) is_forced: bool,
}

impl Measure {
    /// Chunks that fill pages, or of so many rows each.
    pub(crate) fn of(rows: Option<usize>) -> Self {
        Self {
            least_rows: rows.unwrap_or(256),
            late_part: if rows.is_some() { 2 } else { 20 },
            rows,
            is_forced: false,
        }
    }
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Plan {
    /// The oldest of these clustered rows become a chunk. `is_bounded` says that no more rows can come behind them.
    Pack {
        rows: Stretch,
        count: usize,
        is_bounded: bool,
    },
    /// A chunk is packed again, with the clustered rows of the stretch.
    Again(ChunkPlace, Stretch),
    /// So many rows lie beside a chunk that it is unpacked first.
    Unpack(ChunkPlace),
}

/// The first thing to do from `rows.oldest` on, with rows up to `rows.newest`.
pub(crate) fn next(
    connection: &Connection,
    mut rows: Stretch,
    measure: Measure,
) -> rusqlite::Result<Option<Plan>> {
    let order = Order::OldestFirst;
    while let Some(first) = rows.nth_clustered(connection, order, 0)? {
        rows.oldest = first;
        let behind = (first, Place::NEWEST);
        let chunk = place::next(connection, rows.series, behind, order)?;
        if chunk.is_none_or(|chunk| first < chunk.first) {
            let before = Stretch {
                newest: chunk.map_or(rows.newest, |chunk| chunk.first.before().min(rows.newest)),
                ..rows
            };
            let count = before.count_clustered(connection, MOST_ROWS)?;
            if count >= measure.least_rows {
                return Ok(Some(Plan::Pack {
                    rows: before,
                    count,
                    is_bounded: chunk.is_some_and(|chunk| chunk.first <= rows.newest),
                }));
            }
        }
        let Some(chunk) = chunk.filter(|chunk| chunk.last <= rows.newest) else {
            return Ok(None);
        };
        let beside = Stretch {
            newest: chunk.last,
            ..rows
        };
        let late = beside.count_clustered(connection, 2 * MOST_ROWS)?;
        if late == 2 * MOST_ROWS {
            return Ok(Some(Plan::Unpack(chunk)));
        }
        if (late * measure.late_part) as i64 > chunk.counted() {
            return Ok(Some(Plan::Again(chunk, beside)));
        }
        rows.oldest = chunk.last.after();
    }
    Ok(None)
}
