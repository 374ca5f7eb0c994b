//! Rows as a backend has them, page by page.

use aimdb_persistence::question::RowTest;
use aimdb_persistence_backend::{Cursor, Order, Pattern, ReadRequest, Rows};

use crate::error::HistoryError;
use crate::location::OpenHistory;

/// Which rows are meant.
#[derive(Debug, Clone)]
pub struct Selection {
    /// Of which series.
    pub pattern: Pattern,
    /// At or after this time, in Unix milliseconds.
    pub from_ms: Option<u64>,
    /// At or before this time.
    pub to_ms: Option<u64>,
    /// For which this holds.
    pub test: Option<RowTest>,
}

impl Selection {
    /// Every row of the series that a pattern selects.
    pub fn of(pattern: Pattern) -> Self {
        Self {
            pattern,
            from_ms: None,
            to_ms: None,
            test: None,
        }
    }

    /// Reads the rows, series by series, each from its oldest row on.
    pub fn read(&self, history: &OpenHistory) -> Pages {
        self.read_in(history, Order::OldestFirst)
    }

    /// Reads the rows, series by series.
    pub fn read_in(&self, history: &OpenHistory, order: Order) -> Pages {
        let request = ReadRequest::new(self.pattern.clone())
            .with_times(self.from_ms, self.to_ms)
            .with_order(order)
            .with_page(PAGE_ROWS, PAGE_BYTES);
        Pages {
            history: history.clone(),
            request,
            next: Next::First,
        }
    }
}

const PAGE_ROWS: usize = 4_096;
const PAGE_BYTES: usize = 1 << 20;

impl Pages {
    /// Pages of so many rows and bytes at most.
    #[must_use]
    pub fn sized(mut self, rows: usize, bytes: usize) -> Self {
        self.request = self.request.with_page(rows, bytes);
        self
    }
}

/// Pages of rows, all of the moment at which the first one is read.
#[derive(Debug)]
pub struct Pages {
    history: OpenHistory,
    request: ReadRequest,
    next: Next,
}

#[derive(Debug)]
enum Next {
    First,
    After(Cursor),
    Nothing,
}

impl Pages {
    /// The next page; `None` after the last. A page may be empty.
    ///
    /// # Errors
    /// The backend's.
    pub async fn next(&mut self) -> Result<Option<Rows>, HistoryError> {
        let mut request = self.request.clone();
        match std::mem::replace(&mut self.next, Next::Nothing) {
            Next::First => {}
            Next::After(cursor) => request.after = Some(cursor),
            Next::Nothing => return Ok(None),
        }
        let page = self.history.backend.read(request).await?;
        if let Some(cursor) = page.next {
            self.next = Next::After(cursor);
        }
        Ok(Some(page.rows))
    }
}
