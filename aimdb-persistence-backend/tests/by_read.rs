//! What backends that read natively, and backends that wrap others, take from the crate.

use std::num::NonZero;
use std::sync::Arc;

use aimdb_persistence_backend::{
    BoxFuture, Cursor, Feature, MemoryBackend, Page, Pattern, PersistenceBackend, PersistenceError,
    QueryParams, ReadRequest, RequiredOnly, Rows, StoredValue, query_by_read,
};
use futures_lite::future::block_on;
use serde_json::{Value, json};

/// Storage that another program has written: an odd name, and a row that is not JSON. One row a page.
struct Elsewhere {
    page_rows: NonZero<usize>,
}

const ROWS: [(&str, u64, &str); 4] = [
    ("a..*", 3, "7"),
    ("t", 3, "{"),
    ("t", 2, "[2]"),
    ("t", 1, "1"),
];

impl PersistenceBackend for Elsewhere {
    fn store<'a>(
        &'a self,
        _: &'a str,
        _: &'a Value,
        _: u64,
    ) -> BoxFuture<'a, Result<(), PersistenceError>> {
        Box::pin(async { Err(PersistenceError::Backend("it is read only".to_owned())) })
    }

    fn query<'a>(
        &'a self,
        record_pattern: &'a str,
        params: QueryParams,
    ) -> BoxFuture<'a, Result<Vec<StoredValue>, PersistenceError>> {
        query_by_read(self, record_pattern, params)
    }

    fn cleanup(&self, _: u64) -> BoxFuture<'_, Result<u64, PersistenceError>> {
        Box::pin(async { Ok(0) })
    }

    fn read(&self, request: ReadRequest) -> BoxFuture<'_, Result<Page, PersistenceError>> {
        Box::pin(async move {
            let offset = request.after.map(|cursor| cursor.numbers("elsewhere"));
            let [offset] = offset.transpose()?.unwrap_or([0]);
            let start = request.start_time.unwrap_or(0);
            let selected = ROWS.iter().filter(|row| row.1 >= start);
            let mut left = selected
                .filter(|row| request.pattern.matches(row.0))
                .skip(offset as usize);
            let mut page = Page::default();
            for row in left.by_ref().take(self.page_rows.get()) {
                page.rows.push(row.0, row.1, row.2);
            }
            let end = offset + page.rows.len() as u64;
            let cursor = || Cursor::of_numbers("t", "elsewhere", [end]);
            page.next = left.next().map(|_| cursor());
            Ok(page)
        })
    }
}

fn values(pattern: &str, params: QueryParams) -> Result<Vec<Value>, PersistenceError> {
    let page_rows = NonZero::<usize>::MIN;
    let rows = block_on(Elsewhere { page_rows }.query(pattern, params))?;
    Ok(rows.into_iter().map(|row| row.value).collect())
}

#[test]
fn a_query_by_pages_leaves_out_what_is_not_json() {
    let found = values("t", QueryParams::default()).expect("rows that can be read");
    assert_eq!(found, [json!([2]), json!(1)]);
}

#[test]
fn a_malformed_pattern_is_an_error_unless_it_is_the_name_of_a_series() {
    let found = values("a..*", QueryParams::default()).expect("there is such a series");
    assert_eq!(found, [json!(7)]);
    let later = QueryParams {
        start_time: Some(4),
        ..QueryParams::default()
    };
    assert_eq!(
        values("a..*", later).expect("there is such a series"),
        [0; 0]
    );
    let malformed = values("b..*", QueryParams::default());
    assert!(matches!(
        malformed,
        Err(PersistenceError::InvalidPattern(_))
    ));
}

#[test]
fn a_backend_is_called_by_its_type_unless_it_has_a_name() {
    let memory = MemoryBackend::new();
    assert_eq!(memory.name(), "MemoryBackend");
    assert_eq!(RequiredOnly(&memory).name(), "MemoryBackend");
    let page_rows = NonZero::<usize>::MIN;
    assert_eq!(Elsewhere { page_rows }.name(), "Elsewhere");
    let shared: Arc<dyn PersistenceBackend> = Arc::new(memory);
    assert_eq!(shared.name(), "MemoryBackend");
}

#[test]
fn a_backend_by_its_required_methods_has_nothing_beyond_them() {
    let memory = MemoryBackend::new();
    let required = RequiredOnly(&memory);
    assert!(!required.keeps_declarations());
    assert!(!required.supports(Feature::SchemaVersions));
    let mut rows = Rows::new();
    rows.push_versioned("a", 1, "1", 7);
    let outcome = block_on(required.store_batch(Arc::new(rows)));
    assert_eq!(outcome.settled, 1);
    let page = block_on(memory.read(ReadRequest::new(Pattern::exact("a"))));
    let page = page.expect("rows in memory can be read");
    let versions: Vec<_> = page.rows.iter().map(|row| row.version).collect();
    assert_eq!(versions, [0], "`store` knows of no version");
}
