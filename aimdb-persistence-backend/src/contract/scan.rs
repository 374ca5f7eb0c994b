//! Walking over rows where they are, without making pages of them.

use std::any::Any;
use std::ops::Range;
use std::sync::Arc;

use futures_lite::future::yield_now;

use crate::contract::cursor::Cursor;
use crate::contract::error::PersistenceError;
use crate::contract::read::{Page, ReadRequest};
use crate::contract::rows::{Row, Rows};

/// What a [scan](crate::PersistenceBackend::scan) does with each row: a filter, a sum, the choice of a few among many.
///
/// A backend may run it on a thread of its own while it reads. It should take no longer over a row than decoding it
/// takes.
pub trait RowVisitor: Any + Send {
    /// A series begins, of which there is a row at least; not called again where a scan goes on within the series.
    /// Says whether its rows are wanted.
    fn begin_series(&mut self, record_name: &str) -> bool {
        let _ = record_name;
        true
    }

    /// Looks at one row.
    fn visit(&mut self, row: Row<'_>) -> Visit;

    /// Whether rows are wanted with their JSON; without it, the text may be empty.
    fn needs_json(&self) -> bool {
        true
    }

    /// Whether rows are left out that the backend finds damaged: what is stored is not what was written. It counts them in
    /// its [health](crate::BackendHealth::damaged_rows). Otherwise the first one ends the scan with an error that names it.
    fn skips_damaged(&self) -> bool {
        true
    }
}

/// How a scan goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visit {
    /// With the next row.
    Continue,
    /// With the next series.
    NextSeries,
    /// Not at all, or later from the [rest](Scanned::rest).
    Stop,
}

/// How a scan ended.
pub struct Scanned {
    /// What was given to the scan.
    pub visitor: Box<dyn RowVisitor>,
    /// Set where the visitor stopped the scan: what is left of it.
    pub rest: Option<ScanRest>,
}

impl Scanned {
    /// The visitor as what it is.
    ///
    /// # Panics
    /// If it is of another type.
    pub fn into_visitor<V: RowVisitor>(self) -> V {
        let visitor: Box<dyn Any> = self.visitor;
        match visitor.downcast() {
            Ok(visitor) => *visitor,
            Err(_) => panic!("a backend gives back the visitor that it was given"),
        }
    }
}

/// What a stopped scan has left: where to go on, and rows that were read already.
///
/// It is good for the backend and the request that it came from.
#[derive(Debug, Clone)]
pub struct ScanRest {
    /// The series in which the scan stopped: it does not begin again.
    record_name: String,
    /// What is left of a page.
    unseen: Option<(Arc<Rows>, Range<usize>)>,
    cursor: Option<Cursor>,
}

impl ScanRest {
    /// For a backend that goes on from a place in its order: everything after it.
    pub fn after(cursor: Cursor) -> Self {
        Self {
            record_name: cursor.record_name().to_owned(),
            unseen: None,
            cursor: Some(cursor),
        }
    }

    /// The place, where the rest is nothing but what comes after it.
    pub fn cursor(&self) -> Option<&Cursor> {
        self.cursor.as_ref().filter(|_| self.unseen.is_none())
    }
}

/// A scan over pages takes so many rows and bytes at once.
const PAGE_ROWS: usize = 1_000;
const PAGE_BYTES: usize = 256 * 1024;

/// The scan of a backend that has nothing better than its pages: `read` makes one.
pub(crate) async fn over_pages<R>(
    read: impl Fn(ReadRequest) -> R,
    request: ReadRequest,
    rest: Option<ScanRest>,
    visitor: Box<dyn RowVisitor>,
) -> Result<Scanned, PersistenceError>
where
    R: Future<Output = Result<Page, PersistenceError>>,
{
    let mut request = request.with_page(PAGE_ROWS, PAGE_BYTES);
    let mut walk = Walk::new(visitor);
    if let Some(rest) = rest {
        walk.record_name = Some(rest.record_name);
        if let Some((rows, unseen)) = rest.unseen
            && let Ended::Stopped(unseen) = walk.over(&rows, unseen)
        {
            return Ok(walk.stopped(rows, unseen, rest.cursor));
        }
        match rest.cursor {
            Some(cursor) => request.after = Some(cursor),
            None => return Ok(walk.done()),
        }
    }
    loop {
        let page = read(request.clone()).await?;
        let rows = Arc::new(page.rows);
        match walk.over(&rows, 0..rows.len()) {
            Ended::Stopped(unseen) => return Ok(walk.stopped(rows, unseen, page.next)),
            Ended::WithSeries if request.pattern.exact_key().is_some() => return Ok(walk.done()),
            Ended::WithSeries | Ended::WithRows => {}
        }
        match page.next {
            Some(cursor) => request.after = Some(cursor),
            None => return Ok(walk.done()),
        }
        yield_now().await;
    }
}

/// A visitor on its way.
struct Walk {
    visitor: Box<dyn RowVisitor>,
    record_name: Option<String>,
    series_is_wanted: bool,
}

enum Ended {
    /// The visitor wants no more; so much of the page it has not seen.
    Stopped(Range<usize>),
    /// It wants no more of the last row's series.
    WithSeries,
    WithRows,
}

impl Walk {
    fn new(visitor: Box<dyn RowVisitor>) -> Self {
        Self {
            visitor,
            record_name: None,
            series_is_wanted: true,
        }
    }

    fn over(&mut self, rows: &Rows, unseen: Range<usize>) -> Ended {
        for index in unseen.clone() {
            let row = rows.get(index).expect("the range lies within the page");
            if self.record_name.as_deref() != Some(row.record_name) {
                self.series_is_wanted = self.visitor.begin_series(row.record_name);
                self.record_name = Some(row.record_name.to_owned());
            }
            if self.series_is_wanted {
                match self.visitor.visit(row) {
                    Visit::Continue => {}
                    Visit::NextSeries => self.series_is_wanted = false,
                    Visit::Stop => return Ended::Stopped(index + 1..unseen.end),
                }
            }
        }
        match self.series_is_wanted {
            true => Ended::WithRows,
            false => Ended::WithSeries,
        }
    }

    fn done(self) -> Scanned {
        Scanned {
            visitor: self.visitor,
            rest: None,
        }
    }

    fn stopped(self, rows: Arc<Rows>, unseen: Range<usize>, cursor: Option<Cursor>) -> Scanned {
        Scanned {
            visitor: self.visitor,
            rest: Some(ScanRest {
                record_name: self.record_name.unwrap_or_default(),
                unseen: Some((rows, unseen)),
                cursor,
            }),
        }
    }
}
