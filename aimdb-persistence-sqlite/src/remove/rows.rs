//! Finding rows of a series by how many lie before or behind them, and removing rows in steps.

use std::ops::ControlFlow;

use aimdb_persistence_backend::Order;
use rusqlite::Connection;

use crate::chunks::count::Stretch;
use crate::layout::place::Place;

/// One transaction removes so many rows: a store may have to wait for it.
pub(crate) const STEP_ROWS: usize = 500;
/// One step looks up so many series.
pub(crate) const STEP_SERIES: u64 = 1_000;
/// Removing a chunk takes as long as removing so many rows.
const ROWS_FOR_A_CHUNK: usize = 32;

/// How far one step removes of a stretch, and what that takes of a step.
pub(crate) struct Reach {
    pub(crate) up_to: Place,
    pub(crate) cost: usize,
    /// Whether that is all of it.
    pub(crate) is_last: bool,
}

/// So many of the oldest rows, or the first chunk as a whole with what lies before it.
pub(crate) fn reach(
    connection: &Connection,
    stretch: Stretch,
    room: usize,
) -> rusqlite::Result<Reach> {
    let order = Order::OldestFirst;
    let chunk = stretch.chunk(connection, order)?;
    let before = Stretch {
        newest: chunk.map_or(stretch.newest, |chunk| {
            chunk.first.before().min(stretch.newest)
        }),
        ..stretch
    };
    let nth = before.nth_clustered(connection, order, room.saturating_sub(1))?;
    Ok(match (nth, chunk) {
        (Some(place), _) => Reach {
            up_to: place,
            cost: room,
            is_last: false,
        },
        (None, Some(chunk)) => Reach {
            up_to: chunk.last.min(stretch.newest),
            cost: ROWS_FOR_A_CHUNK,
            is_last: chunk.last >= stretch.newest,
        },
        (None, None) => Reach {
            up_to: stretch.newest,
            cost: 1,
            is_last: true,
        },
    })
}

/// A descent passes so many rows at once. Passing so many takes as long as looking up one series.
const STRIDE_ROWS: u64 = 5_000;
const ROWS_FOR_A_SERIES: u64 = 50;

/// The way from a series' newest row up to a time down to the one so many rows below it, in strides.
pub(crate) struct Descent {
    at: Place,
    left: u64,
}

impl Descent {
    pub(crate) fn from(latest_ms: i64, rows: u64) -> Self {
        Self {
            at: Place::last_at(latest_ms),
            left: rows,
        }
    }

    /// Takes one stride, and takes its cost from `budget`. The outer result is `None` while rows are left to pass. The inner
    /// one is the row that was searched, or `None` if the series has fewer rows.
    pub(crate) fn stride(
        &mut self,
        connection: &Connection,
        series: i64,
        budget: &mut u64,
    ) -> rusqlite::Result<Option<Option<Place>>> {
        let rows = self.left.min(STRIDE_ROWS);
        *budget = budget.saturating_sub(rows / ROWS_FOR_A_SERIES);
        let below = Stretch::up_to(series, self.at);
        let rows_below = usize::try_from(rows).unwrap_or(usize::MAX);
        let ControlFlow::Break(place) = below.nth(connection, Order::NewestFirst, rows_below)?
        else {
            return Ok(Some(None));
        };
        self.left -= rows;
        self.at = place;
        Ok((self.left == 0).then_some(Some(place)))
    }
}
