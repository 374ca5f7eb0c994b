//! The backend under test, and how the checks speak to it.

use std::sync::Arc;

use serde_json::Value;

use crate::contract::backend::{BoxFuture, PersistenceBackend, QueryParams, StoredValue};
use crate::contract::error::PersistenceError;
use crate::contract::feature::Feature;
use crate::contract::pattern::Pattern;
use crate::contract::read::{Page, ReadRequest};
use crate::contract::rows::Rows;
use crate::contract::terms::{BatchOutcome, SeriesDeclaration, SweepReport, SweepRequest};

/// A backend under test. What must succeed panics where it does not.
pub struct Subject {
    /// What is tested.
    pub backend: Arc<dyn PersistenceBackend>,
    open: Option<Open>,
}

/// Opens the storage that a backend keeps its rows in.
pub(crate) type Open =
    Box<dyn Fn() -> BoxFuture<'static, Arc<dyn PersistenceBackend>> + Send + Sync>;

impl Subject {
    pub(crate) async fn open(open: Open) -> Self {
        let subject = Self::initialize(open().await).await;
        Self {
            open: Some(open),
            ..subject
        }
    }

    /// Lets go of the backend and opens its storage again, where there is one.
    pub(crate) async fn reopen(self) -> Option<Self> {
        let open = self.open?;
        drop(self.backend);
        Some(Self::open(open).await)
    }

    pub(crate) async fn initialize(backend: Arc<dyn PersistenceBackend>) -> Self {
        let initialized = backend.initialize().await;
        initialized.expect("a fresh backend can be initialized");
        Self {
            backend,
            open: None,
        }
    }

    pub(crate) fn keeps_declarations(&self) -> bool {
        self.backend.keeps_declarations()
    }

    /// Whether the backend says so.
    pub fn supports(&self, feature: Feature) -> bool {
        self.backend.supports(feature)
    }

    pub(crate) async fn try_store(&self, row: &StoredValue) -> Result<(), PersistenceError> {
        let stored = self
            .backend
            .store(&row.record_name, &row.value, row.stored_at);
        stored.await
    }

    /// Stores one row.
    pub async fn store(&self, record_name: &str, stored_at: u64, value: impl Into<Value>) {
        self.store_all(&[row(record_name, stored_at, value)]).await;
    }

    /// Stores these rows one by one.
    pub async fn store_all(&self, rows: &[StoredValue]) {
        for row in rows {
            if let Err(error) = self.try_store(row).await {
                panic!(
                    "a valid row must be stored, but {} was not: {error}",
                    sketch(row)
                );
            }
        }
    }

    /// Stores these rows as one batch.
    pub async fn store_batch(&self, rows: &[StoredValue]) -> BatchOutcome {
        self.backend.store_batch(Arc::new(as_batch(rows))).await
    }

    pub(crate) async fn query(&self, pattern: &str, params: QueryParams) -> Vec<StoredValue> {
        match self.backend.query(pattern, params.clone()).await {
            Ok(rows) => rows,
            Err(error) => panic!("`{pattern}` with {params:?} must be answered, not: {error}"),
        }
    }

    /// All rows of the records that `pattern` selects.
    pub async fn select(&self, pattern: &str) -> Vec<StoredValue> {
        self.query(pattern, QueryParams::default()).await
    }

    pub(crate) async fn cleanup(&self, older_than: u64) -> u64 {
        let removed = self.backend.cleanup(older_than).await;
        removed.unwrap_or_else(|error| panic!("cleanup({older_than}) must succeed, not: {error}"))
    }

    pub(crate) async fn sweep(&self, request: SweepRequest) -> SweepReport {
        let report = self.backend.sweep(request).await;
        report.unwrap_or_else(|error| panic!("a sweep must succeed, not: {error}"))
    }

    pub(crate) async fn flush(&self) {
        let flushed = self.backend.flush().await;
        flushed.unwrap_or_else(|error| panic!("a flush must succeed, not: {error}"));
    }

    pub(crate) async fn declare(&self, declarations: &[SeriesDeclaration]) {
        let declared = self.backend.declare(declarations).await;
        declared.unwrap_or_else(|error| panic!("valid declarations must be taken, not: {error}"));
    }

    /// What is declared of the series of `pattern`.
    pub(crate) async fn declarations(&self, pattern: &str) -> Vec<SeriesDeclaration> {
        let pattern = Pattern::parse(pattern).expect("the checks ask by well-formed patterns");
        let declared = self.backend.declarations(&pattern).await;
        declared.unwrap_or_else(|error| panic!("`{pattern}` must be answered, not: {error}"))
    }

    pub(crate) async fn page(&self, request: ReadRequest) -> Page {
        let page = self.backend.read(request.clone()).await;
        let page =
            page.unwrap_or_else(|error| panic!("{request:?} must be answered, not: {error}"));
        expect_page_within_its_size(&request, &page);
        page
    }

    /// The rows of all pages from `request` on.
    pub(crate) async fn read(&self, mut request: ReadRequest) -> Vec<StoredValue> {
        let mut rows = Vec::new();
        for _ in 0..MOST_PAGES {
            let page = self.page(request.clone()).await;
            rows.extend(rows_of(&page));
            match page.next {
                Some(next) => request.after = Some(next),
                None => return rows,
            }
        }
        panic!("paging must end: after {MOST_PAGES} pages there still is a next one");
    }
}

/// More pages than any check has rows.
const MOST_PAGES: usize = 1_000;

/// A page may be longer than asked for only where the backend has no pages at all.
fn expect_page_within_its_size(request: &ReadRequest, page: &Page) {
    let has_pages = request.after.is_some() || page.next.is_some();
    if !has_pages {
        return;
    }
    assert!(
        page.rows.len() <= request.max_rows,
        "a page must end after `max_rows`: asked for {} rows, got {}",
        request.max_rows,
        page.rows.len()
    );
    let last_row_bytes = page.rows.iter().last().map_or(0, |row| row.json.len());
    assert!(
        page.rows.len() < 2 || page.rows.text_bytes() - last_row_bytes < request.max_bytes,
        "a page must end after the row that brings it to `max_bytes`: {} bytes were reached earlier",
        request.max_bytes
    );
}

/// A row.
pub fn row(record_name: &str, stored_at: u64, value: impl Into<Value>) -> StoredValue {
    StoredValue {
        record_name: record_name.to_owned(),
        value: value.into(),
        stored_at,
    }
}

/// Everything that `pattern` selects, in one page.
pub(crate) fn read_request(pattern: &str) -> ReadRequest {
    ReadRequest::new(Pattern::parse(pattern).expect("the checks read by well-formed patterns"))
}

fn as_batch(rows: &[StoredValue]) -> Rows {
    let mut batch = Rows::new();
    for row in rows {
        batch.push(&row.record_name, row.stored_at, &row.value.to_string());
    }
    batch
}

pub(crate) fn rows_of(page: &Page) -> Vec<StoredValue> {
    let parse = |json| match serde_json::from_str::<Value>(json) {
        Ok(value) => value,
        Err(error) => panic!("a page's values must be JSON, not {json:?}: {error}"),
    };
    let rows = page.rows.iter();
    rows.map(|r| row(r.record_name, r.stored_at, parse(r.json)))
        .collect()
}

/// Rows stored in this order, as queries return them.
pub fn in_order(stored: &[StoredValue]) -> Vec<StoredValue> {
    let mut rows = stored.to_vec();
    rows.reverse(); // the sort is stable: of equal times, the row stored last stays in front
    rows.sort_by(|a, b| (&a.record_name, b.stored_at).cmp(&(&b.record_name, a.stored_at)));
    rows
}

/// Panics with the promise that is broken unless these are the rows.
pub fn expect_rows(actual: &[StoredValue], expected: &[StoredValue], promise: &str) {
    assert!(
        actual == expected,
        "{promise}\n  expected {}\n  got      {}",
        sketch_all(expected),
        sketch_all(actual)
    );
}

fn sketch_all(rows: &[StoredValue]) -> String {
    const MOST: usize = 20;
    let mut sketches: Vec<_> = rows.iter().take(MOST).map(sketch).collect();
    if rows.len() > MOST {
        sketches.push(format!("… {} rows in all", rows.len()));
    }
    format!("[{}]", sketches.join(", "))
}

/// A row in few characters, however large it is.
fn sketch(row: &StoredValue) -> String {
    let name: String = row.record_name.chars().take(40).collect();
    let value: String = row.value.to_string().chars().take(40).collect();
    format!("({name:?} at {}: {value})", row.stored_at)
}
