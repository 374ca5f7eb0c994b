//! The in-memory backend against a plain list of rows, filtered and sorted at every question.

use std::sync::Arc;

use aimdb_persistence_backend::{
    MemoryBackend, Order, Pattern, PersistenceBackend, QueryParams, ReadRequest, Retention, Rows,
    SeriesDeclaration, StoredValue, SweepRequest,
};
use futures_lite::future::block_on;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;

const NAMES: [&str; 4] = ["a.x", "a.y", "a::x", "b"];
const PATTERNS: [&str; 6] = ["#", "*", "a.*", "a.#", "#.x", "b"];
const TEMPLATES: [&str; 2] = ["a.{of}", "{which}"];

/// What is done to the backend and to the list.
#[derive(Debug, Clone)]
enum Step {
    Store(StoredValue),
    StoreBatch(Vec<StoredValue>),
    Cleanup(u64),
    Declare(SeriesDeclaration),
    Sweep(SweepRequest),
}

/// Times are few, so that ties are many.
fn row() -> impl Strategy<Value = StoredValue> {
    let value = prop_oneof![
        any::<i64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from)
    ];
    (select(&NAMES), 0..8_u64, value).prop_map(|(name, stored_at, value)| StoredValue {
        record_name: name.to_owned(),
        value,
        stored_at,
    })
}

fn retention() -> impl Strategy<Value = Retention> {
    prop_oneof![
        Just(Retention::Forever),
        (0..8_u64).prop_map(Retention::Milliseconds)
    ]
}

fn declaration() -> impl Strategy<Value = SeriesDeclaration> {
    let parts = (
        select(&NAMES),
        select(&TEMPLATES),
        prop::option::of(retention()),
    );
    parts.prop_map(|(name, template, retention)| {
        SeriesDeclaration::new(name)
            .with_template(template)
            .with_retention(retention)
    })
}

fn sweep() -> impl Strategy<Value = SweepRequest> {
    (0..10_u64, retention()).prop_map(|(now_ms, default_retention)| SweepRequest {
        now_ms,
        default_retention,
        longest_retention: Retention::Forever,
        max_ahead_ms: 3_600_000,
        clock_is_trusted: true,
    })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => row().prop_map(Step::Store),
        4 => prop::collection::vec(row(), 0..8).prop_map(Step::StoreBatch),
        1 => (0..8_u64).prop_map(Step::Cleanup),
        2 => declaration().prop_map(Step::Declare),
        1 => sweep().prop_map(Step::Sweep),
    ]
}

fn request() -> impl Strategy<Value = ReadRequest> {
    let time = || prop::option::of(0..8_u64);
    let sizes = prop_oneof![(0..6_usize, Just(usize::MAX)), (0..6_usize, 0..30_usize)];
    let template = prop::option::of(select(&TEMPLATES));
    let limit = prop::option::of(0..5_usize);
    let order = select(&[Order::NewestFirst, Order::OldestFirst]);
    (
        select(&PATTERNS),
        template,
        limit,
        time(),
        time(),
        sizes,
        order,
    )
        .prop_map(
            |(pattern, template, limit, start_time, end_time, (max_rows, max_bytes), order)| {
                ReadRequest::new(Pattern::parse(pattern).expect("a pattern"))
                    .with_template(template)
                    .with_limit(limit)
                    .with_times(start_time, end_time)
                    .with_page(max_rows, max_bytes)
                    .with_order(order)
            },
        )
}

/// Rows in the order of storing, and declarations in the order of declaring.
#[derive(Default)]
struct List {
    rows: Vec<StoredValue>,
    declarations: Vec<SeriesDeclaration>,
}

impl List {
    fn declaration(&self, name: &str) -> Option<&SeriesDeclaration> {
        let mut latest_first = self.declarations.iter().rev();
        latest_first.find(|declaration| *declaration.record_name == *name)
    }

    /// Keeps the rows that are not older, and says how many were.
    fn remove(&mut self, is_expired: impl Fn(&Self, &StoredValue) -> bool) -> u64 {
        let rows = std::mem::take(&mut self.rows);
        let before = rows.len();
        let kept = rows.into_iter().filter(|row| !is_expired(self, row));
        self.rows = kept.collect();
        (before - self.rows.len()) as u64
    }

    fn sweep(&mut self, request: SweepRequest) -> u64 {
        self.remove(|list, row| {
            let own = list.declaration(&row.record_name);
            let own = own.and_then(|declaration| declaration.retention);
            match own.unwrap_or(request.default_retention) {
                Retention::Forever => false,
                Retention::Milliseconds(length) => row.stored_at + length < request.now_ms,
            }
        })
    }

    fn select(&self, request: &ReadRequest) -> Vec<StoredValue> {
        let mut rows = self.rows.clone();
        rows.sort_by_key(|row| row.stored_at);
        if request.order == Order::NewestFirst {
            rows.reverse();
        }
        rows.sort_by_key(|row| row.record_name.clone());
        rows.retain(|row| {
            let declared = self
                .declaration(&row.record_name)
                .and_then(|d| d.template.as_deref());
            let of_template = match request.template.as_deref() {
                None => true,
                Some(asked) => declared.map_or(request.pattern.as_str() == "b", |d| d == asked),
            };
            of_template
                && request.pattern.matches(&row.record_name)
                && request
                    .start_time
                    .is_none_or(|start| row.stored_at >= start)
                && request.end_time.is_none_or(|end| row.stored_at <= end)
        });
        let mut selected: Vec<StoredValue> = Vec::new();
        for row in rows {
            let of_record = |other: &&StoredValue| other.record_name == row.record_name;
            let taken = selected.iter().filter(of_record).count();
            if request.limit_per_record.is_none_or(|limit| taken < limit) {
                selected.push(row);
            }
        }
        selected
    }
}

async fn take(step: Step, backend: &MemoryBackend, list: &mut List) -> Result<(), TestCaseError> {
    match step {
        Step::Store(row) => {
            let stored = backend
                .store(&row.record_name, &row.value, row.stored_at)
                .await;
            stored.expect("a valid row");
            list.rows.push(row);
        }
        Step::StoreBatch(rows) => {
            let mut batch = Rows::new();
            for row in &rows {
                batch.push(&row.record_name, row.stored_at, &row.value.to_string());
            }
            let outcome = backend.store_batch(Arc::new(batch)).await;
            prop_assert_eq!(outcome.settled, rows.len());
            prop_assert!(outcome.refused.is_empty() && outcome.stopped_by.is_none());
            list.rows.extend(rows);
        }
        Step::Cleanup(older_than) => {
            let removed = backend.cleanup(older_than).await.expect("never fails");
            prop_assert_eq!(removed, list.remove(|_, row| row.stored_at < older_than));
        }
        Step::Declare(declaration) => {
            let declared = backend.declare(std::slice::from_ref(&declaration)).await;
            declared.expect("a valid key");
            list.declarations.push(declaration);
        }
        Step::Sweep(request) => {
            let report = backend.sweep(request).await.expect("never fails");
            prop_assert_eq!(report.removed, list.sweep(request));
        }
    }
    Ok(())
}

/// All pages from `request` on, each no longer than asked for and none empty but the last.
async fn read(
    backend: &MemoryBackend,
    mut request: ReadRequest,
) -> Result<Vec<StoredValue>, TestCaseError> {
    let mut rows = Vec::new();
    let most_pages = backend.len() + 1;
    for _ in 0..most_pages {
        let page = backend.read(request.clone()).await.expect("never fails");
        prop_assert!(page.rows.len() <= request.max_rows.max(1));
        let last_bytes = page.rows.iter().last().map_or(0, |row| row.json.len());
        let bytes_before = page.rows.text_bytes() - last_bytes;
        prop_assert!(page.rows.len() < 2 || bytes_before < request.max_bytes);
        prop_assert!(page.next.is_none() || !page.rows.is_empty());
        rows.extend(page.rows.iter().map(|row| StoredValue {
            record_name: row.record_name.to_owned(),
            value: serde_json::from_str(row.json).expect("JSON"),
            stored_at: row.stored_at,
        }));
        match page.next {
            Some(next) => request.after = Some(next),
            None => return Ok(rows),
        }
    }
    Err(TestCaseError::fail("there were more pages than rows"))
}

proptest! {
    #[test]
    fn pages_and_queries_answer_like_a_filtered_and_sorted_list(
        steps in prop::collection::vec(step(), 0..40),
        requests in prop::collection::vec(request(), 8),
    ) {
        block_on(async {
            let (backend, mut list) = (MemoryBackend::new(), List::default());
            for step in steps {
                take(step, &backend, &mut list).await?;
            }
            prop_assert_eq!(backend.len(), list.rows.len());
            for request in requests {
                let expected = list.select(&request);
                prop_assert_eq!(&read(&backend, request.clone()).await?, &expected);
                let params = QueryParams {
                    limit_per_record: request.limit_per_record,
                    start_time: request.start_time,
                    end_time: request.end_time,
                };
                let answer = backend.query(request.pattern.as_str(), params).await.expect("a pattern");
                let of_query = request.with_template(None::<&str>).with_order(Order::NewestFirst);
                prop_assert_eq!(answer, list.select(&of_query));
            }
            Ok(())
        })?;
    }
}

#[test]
fn clones_share_their_rows_and_show_them_in_the_order_of_queries() {
    let backend = MemoryBackend::new();
    assert!(backend.is_empty());
    block_on(async {
        for (name, time) in [("b", 1), ("a", 1), ("a", 2)] {
            let value = Value::from(time);
            backend
                .clone()
                .store(name, &value, time)
                .await
                .expect("a valid row");
        }
        let rows = backend.query("#", QueryParams::default()).await;
        assert_eq!(backend.rows(), rows.expect("a pattern"));
    });
    let times: Vec<_> = backend.rows().iter().map(|row| row.stored_at).collect();
    assert_eq!(times, [2, 1, 1]);
}

#[test]
fn a_batch_is_refused_row_by_row_where_its_text_is_not_json() {
    let backend = MemoryBackend::new();
    let mut batch = Rows::new();
    for json in ["1", "{", "", "1e999", "2"] {
        batch.push("a", 1, json);
    }
    let outcome = block_on(backend.store_batch(Arc::new(batch)));
    let refused: Vec<_> = outcome.refused.iter().map(|(index, _)| *index).collect();
    assert_eq!((outcome.settled, refused), (5, vec![1, 2, 3]));
    let values: Vec<_> = backend.rows().into_iter().map(|row| row.value).collect();
    assert_eq!(values, [2, 1]);
}
