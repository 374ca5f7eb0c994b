//! Which rows to read, and pages of them.

use std::sync::Arc;

use crate::contract::pattern::Pattern;
use crate::contract::rows::Rows;

/// Which rows to read, in which order, and how many of them at once.
///
/// ```
/// use aimdb_persistence_backend::{Order, Pattern, ReadRequest};
///
/// let pattern = Pattern::parse("temperature.*")?;
/// let oldest = ReadRequest::new(pattern).with_order(Order::OldestFirst).with_limit(10);
/// assert_eq!(oldest.start_time, None);
/// # Ok::<(), aimdb_persistence_backend::PatternError>(())
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ReadRequest {
    /// Selects the series.
    pub pattern: Pattern,
    /// Only series declared with this key template; of an exact pattern also a series that was never declared.
    /// For backends that [keep declarations](crate::PersistenceBackend::keeps_declarations); others may ignore it.
    pub template: Option<Arc<str>>,
    /// At most so many rows of each series, the first of the order, over all pages together.
    pub limit_per_record: Option<usize>,
    /// Only rows at or after this time (Unix milliseconds).
    pub start_time: Option<u64>,
    /// Only rows at or before this time (Unix milliseconds).
    pub end_time: Option<u64>,
    /// The order of the rows of each series.
    pub order: Order,
    /// End the page after so many rows. A backend may return more only where it has no pages.
    pub max_rows: usize,
    /// End the page after the row that brings its JSON text to so many bytes.
    pub max_bytes: usize,
    /// Go on where this page ended.
    pub after: Option<Cursor>,
}

impl ReadRequest {
    /// Every row of the records that the pattern selects, newest first, in one page.
    pub fn new(pattern: Pattern) -> Self {
        Self {
            pattern,
            template: None,
            limit_per_record: None,
            start_time: None,
            end_time: None,
            order: Order::NewestFirst,
            max_rows: usize::MAX,
            max_bytes: usize::MAX,
            after: None,
        }
    }

    /// Only series declared with this key template, if there is one.
    #[must_use]
    pub fn with_template(mut self, template: Option<impl Into<Arc<str>>>) -> Self {
        self.template = template.map(Into::into);
        self
    }

    /// At most so many rows of each series.
    #[must_use]
    pub fn with_limit(mut self, limit_per_record: impl Into<Option<usize>>) -> Self {
        self.limit_per_record = limit_per_record.into();
        self
    }

    /// Only rows between two times (Unix milliseconds), both inclusive.
    #[must_use]
    pub fn with_times(
        mut self,
        start_time: impl Into<Option<u64>>,
        end_time: impl Into<Option<u64>>,
    ) -> Self {
        self.start_time = start_time.into();
        self.end_time = end_time.into();
        self
    }

    /// In this order.
    #[must_use]
    pub fn with_order(mut self, order: Order) -> Self {
        self.order = order;
        self
    }

    /// In pages of so many rows and bytes.
    #[must_use]
    pub fn with_page(mut self, max_rows: usize, max_bytes: usize) -> Self {
        self.max_rows = max_rows;
        self.max_bytes = max_bytes;
        self
    }
}

/// The order of the rows of a series. Series always come by record name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// The latest time first; of rows with the same time, the one stored last.
    #[default]
    NewestFirst,
    /// Exactly the reverse.
    OldestFirst,
}

/// Where a page ended. Opaque to all but the backend that made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// The record of the page's last row.
    pub record_name: String,
    /// The time of the page's last row.
    pub stored_at: u64,
    /// Tells rows of the same time apart.
    pub sequence: u64,
    /// Rows of this record returned so far, towards the limit.
    pub taken: usize,
    /// The highest sequence there was when the first page was read: a row with a higher one does not show.
    pub last_sequence: u64,
}

/// Rows in order, and where to go on.
///
/// Pages show the rows that were there when the first one was read, less what was removed meanwhile.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// The rows.
    pub rows: Rows,
    /// Set while there may be more.
    pub next: Option<Cursor>,
}
