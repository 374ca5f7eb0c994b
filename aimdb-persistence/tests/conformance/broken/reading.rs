//! The faults of what is read.

use aimdb_persistence::backend::{
    Cursor, Page, ReadRequest, Row, RowVisitor, ScanRest, Scanned, Visit,
};
use aimdb_persistence::{
    Pattern, PersistenceBackend, PersistenceError, QueryParams, StoredValue, question::Order,
};

use super::Broken;
use crate::faults::Fault;

impl Broken {
    /// The whole history, of which a broken selection then takes what it should not.
    async fn all(&self, params: QueryParams) -> Result<Vec<StoredValue>, PersistenceError> {
        self.inner.query("#", params).await
    }

    pub(super) async fn query(
        &self,
        pattern: &str,
        mut params: QueryParams,
    ) -> Result<Vec<StoredValue>, PersistenceError> {
        let limit = params.limit_per_record;
        match self.fault {
            Fault::LimitOfZeroMeansNone if limit == Some(0) => params.limit_per_record = None,
            Fault::LimitIsForTheWholeAnswer => params.limit_per_record = None,
            Fault::EndIsExclusive => {
                params.end_time = params.end_time.map(|end| end.saturating_sub(1))
            }
            Fault::ReversedBoundsAreSwapped if params.start_time > params.end_time => {
                std::mem::swap(&mut params.start_time, &mut params.end_time);
            }
            Fault::BoundsWrapAround => {
                params.start_time = params
                    .start_time
                    .map(|start| start & i64::MAX as u64 & !u64::from(u32::MAX));
            }
            _ => {}
        }
        let mut rows = match (self.fault, Pattern::parse(pattern)) {
            (Fault::LeaksByPrefix, Ok(parsed)) if parsed.exact_key().is_none() => {
                let prefix = pattern.split(['*', '#']).next().unwrap_or_default();
                let mut rows = self.all(params).await?;
                rows.retain(|row| row.record_name.starts_with(prefix));
                rows
            }
            (Fault::LoneStarIsOneSegment, _) if pattern == "*" => {
                let mut rows = self.all(params).await?;
                rows.retain(|row| !row.record_name.contains(['.', ':']));
                rows
            }
            (Fault::CaseIsFolded, Ok(parsed)) if parsed.exact_key().is_some() => {
                let mut rows = self.all(params).await?;
                rows.retain(|row| row.record_name.eq_ignore_ascii_case(pattern));
                rows
            }
            (Fault::UnderscoreIsAWildcard, Ok(parsed)) if parsed.exact_key().is_none() => {
                self.inner.query(&pattern.replace('_', "*"), params).await?
            }
            (Fault::MalformedMeansEverything, Err(_)) => self.all(params).await?,
            (Fault::LimitComesBeforeTheBounds, _) => {
                let bounds = params.start_time.unwrap_or(0)..=params.end_time.unwrap_or(u64::MAX);
                let unbounded = QueryParams {
                    limit_per_record: limit,
                    ..QueryParams::default()
                };
                let mut rows = self.inner.query(pattern, unbounded).await?;
                rows.retain(|row| bounds.contains(&row.stored_at));
                rows
            }
            _ => self.inner.query(pattern, params).await?,
        };
        match self.fault {
            Fault::LimitIsForTheWholeAnswer => rows.truncate(limit.unwrap_or(usize::MAX)),
            Fault::OrderIsByTimeAlone => rows.sort_by_key(|row| std::cmp::Reverse(row.stored_at)),
            Fault::OrderOfTiesIsReversed => {
                rows.reverse();
                rows.sort_by(|a, b| {
                    (&a.record_name, b.stored_at).cmp(&(&b.record_name, a.stored_at))
                });
            }
            Fault::QueriesSeeTheLastQuerysRows => {
                let mut last = self.last_answer.lock().expect("no panic while locked");
                std::mem::swap(&mut *last, &mut rows);
            }
            _ => {}
        }
        Ok(rows)
    }

    pub(super) async fn read(&self, mut request: ReadRequest) -> Result<Page, PersistenceError> {
        match (self.fault, request.after.as_mut()) {
            (Fault::CursorIsIgnored, _) => request.after = None,
            (Fault::PagesAreTooLong, _) => request.max_rows = request.max_rows.saturating_mul(2),
            (Fault::LimitIsForEachPage, Some(cursor)) => {
                in_memory(cursor, |[.., taken, _]| *taken = 0)
            }
            (Fault::BoundsAreForTheFirstPage, Some(_)) => request.start_time = None,
            (Fault::TemplateIsIgnored, _) => request.template = None,
            (Fault::OldestFirstIsIgnored, _) => request.order = Order::NewestFirst,
            (Fault::LaterRowsShow, Some(cursor)) => {
                in_memory(cursor, |[.., last]| *last = u64::MAX)
            }
            (Fault::ForeignCursorsStartOver, Some(cursor))
                if cursor.numbers::<4>("memory").is_err() =>
            {
                request.after = None;
            }
            (Fault::PagesGoByOffset, _) => return self.read_by_offset(request).await,
            _ => {}
        }
        let max_bytes = request.max_bytes;
        let mut page = self.inner.read(request).await?;
        if self.fault == Fault::ByteBudgetEndsTheAnswer && page.rows.text_bytes() >= max_bytes {
            page.next = None;
        }
        Ok(page)
    }

    async fn read_by_offset(&self, request: ReadRequest) -> Result<Page, PersistenceError> {
        let offset = request
            .after
            .as_ref()
            .map(|cursor| cursor.numbers("offset"));
        let [offset] = offset.transpose()?.unwrap_or([0]);
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        let mut whole = request.clone();
        (whole.max_rows, whole.after) = (usize::MAX, None);
        let whole = self.inner.read(whole).await?.rows;
        let mut page = Page::default();
        for Row {
            record_name,
            stored_at,
            json,
            version,
            ..
        } in whole.iter().skip(offset).take(request.max_rows)
        {
            page.rows
                .push_versioned(record_name, stored_at, json, version);
        }
        let taken = offset + page.rows.len();
        page.next = (taken < whole.len()).then(|| Cursor::of_numbers("", "offset", [taken as u64]));
        Ok(page)
    }

    pub(super) async fn scan(
        &self,
        mut request: ReadRequest,
        rest: Option<ScanRest>,
        visitor: Box<dyn RowVisitor>,
    ) -> Result<Scanned, PersistenceError> {
        match self.fault {
            Fault::ScanIgnoresBounds => request.start_time = None,
            Fault::ScanIgnoresTheEnd => request.end_time = None,
            Fault::ScanStartsOver => return self.inner.scan(request, None, visitor).await,
            Fault::ScanIsNotLedOn => {
                let stubborn = Box::new(Stubborn(visitor));
                let mut scanned = self.inner.scan(request, rest, stubborn).await?;
                let rest = scanned.rest.take();
                let Stubborn(visitor) = scanned.into_visitor();
                return Ok(Scanned { visitor, rest });
            }
            Fault::ScanWithoutJsonIsEmpty if !visitor.needs_json() => {
                return Ok(Scanned {
                    visitor,
                    rest: None,
                });
            }
            _ => {}
        }
        self.inner.scan(request, rest, visitor).await
    }
}

/// Changes what a cursor of the [`MemoryBackend`](aimdb_persistence::MemoryBackend) says.
fn in_memory(cursor: &mut Cursor, change: impl FnOnce(&mut [u64; 4])) {
    let mut numbers = cursor
        .numbers("memory")
        .expect("a cursor of the backend in memory");
    change(&mut numbers);
    *cursor = Cursor::of_numbers(cursor.record_name(), "memory", numbers);
}

/// Stays in a series that its visitor wants to leave.
struct Stubborn(Box<dyn RowVisitor>);

impl RowVisitor for Stubborn {
    fn begin_series(&mut self, record_name: &str) -> bool {
        self.0.begin_series(record_name)
    }

    fn visit(&mut self, row: Row<'_>) -> Visit {
        match self.0.visit(row) {
            Visit::NextSeries => Visit::Continue,
            visit => visit,
        }
    }

    fn needs_json(&self) -> bool {
        self.0.needs_json()
    }
}
