//! What series are declared to keep, wherever their rows lie: held against the backend in memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aimdb_persistence::backend::{
    BatchOutcome, ReadRequest, Rows, SeriesDeclaration, SweepRequest,
};
use aimdb_persistence::{MemoryBackend, OnDuplicate, Pattern, PersistenceBackend, Retention};
use aimdb_persistence_sqlite::SqliteBackend;
use proptest::prelude::*;

use crate::support::{plain, query, rows, scratch, store, values};

const NAMES: [&str; 3] = ["t.a", "t.b", "t.c"];

/// A row: which series, when, with which version, and whether it is a long one.
type Planned = (usize, u64, u32, bool);

#[derive(Debug, Clone)]
enum Step {
    Declare {
        series: usize,
        keep_last: u64,
        max_rows: Option<u64>,
        on_duplicate: OnDuplicate,
    },
    /// Few rows go to the tail.
    Store(Vec<Planned>),
    /// Many rows go to the table at once.
    Flood(usize, u64),
    Sweep(u64),
    Cleanup(u64),
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    let way = prop_oneof![
        Just(OnDuplicate::Keep),
        Just(OnDuplicate::Replace),
        Just(OnDuplicate::Ignore)
    ];
    let row = (0..3_usize, 0..12_u64, 0..3_u32, prop::bool::weighted(0.2));
    prop_oneof![
        2 => (0..3_usize, 0..4_u64, prop::option::of(1..12_u64), way).prop_map(
            |(series, keep_last, max_rows, on_duplicate)| Step::Declare {
                series,
                keep_last,
                max_rows,
                on_duplicate,
            }
        ),
        6 => prop::collection::vec(row, 1..6).prop_map(Step::Store),
        1 => (0..3_usize, 0..12_u64).prop_map(|(series, at)| Step::Flood(series, at)),
        2 => (0..16_u64).prop_map(Step::Sweep),
        1 => (0..6_u64).prop_map(Step::Cleanup),
        1 => Just(Step::Reopen),
    ]
}

fn batch(rows: &[Planned], number: usize) -> Arc<Rows> {
    let mut batch = Rows::new();
    for (index, (series, at, version, is_long)) in rows.iter().enumerate() {
        let padding = ".".repeat(if *is_long { 1_000 } else { 0 });
        let json = format!("\"{number}-{index}{padding}\"");
        batch.push_versioned(NAMES[*series], *at, &json, *version);
    }
    Arc::new(batch)
}

fn sweep_at(now_ms: u64) -> SweepRequest {
    SweepRequest {
        now_ms,
        default_retention: Retention::Milliseconds(5),
        longest_retention: Retention::Milliseconds(5),
        max_ahead_ms: 3_600_000,
        clock_is_trusted: true,
    }
}

async fn all_rows(backend: &dyn PersistenceBackend) -> Vec<(String, u64, String, u32)> {
    let request = ReadRequest::new(Pattern::parse("#").unwrap());
    let page = backend.read(request).await.unwrap();
    let rows = page.rows.iter();
    rows.map(|r| {
        (
            r.record_name.to_owned(),
            r.stored_at,
            r.json.to_owned(),
            r.version,
        )
    })
    .collect()
}

/// What the steps do to both, after each of which they hold the same.
async fn compare(steps: Vec<Step>) -> Result<(), TestCaseError> {
    let scratch = scratch();
    // So small a tail is merged all the time.
    let open = || SqliteBackend::builder(&scratch.path).tail_rows(8).open();
    let mut sqlite = open().unwrap();
    let memory = MemoryBackend::new();
    for (number, step) in steps.into_iter().enumerate() {
        match step {
            Step::Declare {
                series,
                keep_last,
                max_rows,
                on_duplicate,
            } => {
                let mut declaration = SeriesDeclaration::new(NAMES[series])
                    .with_keep_last(keep_last)
                    .with_on_duplicate(on_duplicate);
                declaration.max_rows = max_rows;
                let declarations = [declaration];
                sqlite.declare(&declarations).await.unwrap();
                memory.declare(&declarations).await.unwrap();
            }
            Step::Store(rows) => {
                let batch = batch(&rows, number);
                let outcomes = [
                    sqlite.store_batch(Arc::clone(&batch)).await,
                    memory.store_batch(batch).await,
                ];
                let [sqlite, memory] = outcomes.map(|outcome: BatchOutcome| outcome.left_out);
                prop_assert_eq!(sqlite, memory);
            }
            Step::Flood(series, at) => {
                let rows: Vec<Planned> = (0..600).map(|n| (series, at + n % 5, 0, false)).collect();
                let batch = batch(&rows, number);
                sqlite.store_batch(Arc::clone(&batch)).await;
                memory.store_batch(batch).await;
            }
            Step::Sweep(now_ms) => {
                let removed = sqlite.sweep(sweep_at(now_ms)).await.unwrap().removed;
                prop_assert_eq!(
                    removed,
                    memory.sweep(sweep_at(now_ms)).await.unwrap().removed
                );
            }
            Step::Cleanup(before) => {
                let removed = sqlite.cleanup(before).await.unwrap();
                prop_assert_eq!(removed, memory.cleanup(before).await.unwrap());
            }
            Step::Reopen => {
                sqlite.close().await.unwrap();
                sqlite = open().unwrap();
            }
        }
        prop_assert_eq!(all_rows(&sqlite).await, all_rows(&memory).await);
    }
    let orphans = crate::support::plain(&scratch.path)
        .query_row(
            "SELECT count(*) FROM large WHERE sequence NOT IN (SELECT sequence FROM row UNION SELECT sequence FROM tail)",
            [],
            |r| r.get::<_, i64>(0),
        )
        .unwrap();
    prop_assert_eq!(orphans, 0, "long values go with their rows");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn what_is_kept_and_what_goes_is_the_same_as_in_memory(
        steps in prop::collection::vec(step(), 1..25),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(compare(steps))?;
    }
}

#[tokio::test]
async fn rows_beyond_the_greatest_number_are_counted_and_removed_in_steps() {
    const ROWS: u64 = 40_000;
    const MOST: u64 = 12_345;
    let scratch = scratch();
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    let declarations = NAMES.map(|name| SeriesDeclaration::new(name).with_max_rows(MOST));
    backend.declare(&declarations).await.unwrap();
    for name in NAMES {
        let all = (0..ROWS).map(|at| (name, at, "1"));
        backend.store_batch(rows(all)).await;
    }
    // Kept in the file: a program that declares nothing sweeps by it.
    backend.close().await.unwrap();
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    let forever = SweepRequest {
        default_retention: Retention::Forever,
        ..sweep_at(ROWS)
    };
    let report = backend.sweep(forever).await.unwrap();
    assert_eq!(report.removed, 3 * (ROWS - MOST));
    let oldest = all_rows(&backend).await;
    assert_eq!(oldest.len() as u64, 3 * MOST);
    assert!(oldest.iter().all(|(_, at, ..)| *at >= ROWS - MOST));
    // What comes while nothing is swept stays until the next sweep.
    backend
        .store_batch(rows((0..7).map(|n| ("t.a", ROWS + n, "1"))))
        .await;
    assert_eq!(backend.sweep(forever).await.unwrap().removed, 7);
}

#[tokio::test]
async fn another_program_s_declaration_is_followed_at_once() {
    let scratch = scratch();
    let one = SqliteBackend::new(&scratch.path).unwrap();
    let other = SqliteBackend::new(&scratch.path).unwrap();
    one.store_batch(rows([("t", 1, "1")])).await;
    let declaration = SeriesDeclaration::new("t").with_on_duplicate(OnDuplicate::Ignore);
    other.declare(&[declaration]).await.unwrap();
    let outcome = one.store_batch(rows([("t", 1, "2"), ("t", 2, "3")])).await;
    assert_eq!(outcome.left_out, [0]);
    let stored = all_rows(&other).await;
    let stored: Vec<_> = stored
        .iter()
        .map(|(_, at, json, _)| (*at, &**json))
        .collect();
    assert_eq!(stored, [(2, "3"), (1, "1")]);
}

#[tokio::test]
async fn a_replaced_row_of_another_program_is_seen_by_every_reader() {
    let scratch = scratch();
    let one = SqliteBackend::new(&scratch.path).unwrap();
    let other = SqliteBackend::new(&scratch.path).unwrap();
    let declaration = SeriesDeclaration::new("t").with_on_duplicate(OnDuplicate::Replace);
    one.declare(&[declaration]).await.unwrap();
    let long = format!("\"{}\"", "x".repeat(2_000));
    for json in ["1", &long, "2", &long, &long, "3"] {
        for backend in [&one, &other] {
            backend.store_batch(rows([("t", 1, json)])).await;
            for reader in [&one, &other] {
                let stored = all_rows(reader).await;
                assert_eq!(stored.len(), 1);
                assert_eq!(stored[0].2, json);
            }
        }
    }
}

#[tokio::test]
async fn a_renamed_series_is_noticed_by_every_reader_and_by_another_backend() {
    let scratch = scratch();
    let one = SqliteBackend::builder(&scratch.path).readers(3);
    let one = one.open().unwrap();
    let other = SqliteBackend::new(&scratch.path).unwrap();
    store(&one, "old", 1, 1).await;
    store(&other, "old", 2, 2).await;
    for _ in 0..6 {
        assert_eq!(values(&one, "old").await, [2, 1], "each reader knows it");
    }
    one.rename("old", "new").await.unwrap();
    for backend in [&one, &other] {
        for _ in 0..6 {
            assert_eq!(values(backend, "new").await, [2, 1]);
            assert!(values(backend, "old").await.is_empty());
        }
    }
    // Its id is known to neither under the old name.
    store(&other, "old", 3, 3).await;
    store(&other, "new", 4, 4).await;
    assert_eq!(values(&one, "old").await, [3]);
    assert_eq!(values(&one, "new").await, [4, 2, 1]);
}

#[tokio::test]
async fn deleted_rows_give_their_space_back_long_values_and_rows_of_the_tail_among_them() {
    let scratch = scratch();
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    for at in 0..300 {
        let long = serde_json::json!("x".repeat(8_192));
        backend.store("long", &long, at).await.unwrap();
        store(&backend, "kept", at, at).await;
    }
    assert_eq!(backend.erase("long", 0, 298).await.unwrap(), 299);
    assert_eq!(backend.erase("none", 0, u64::MAX).await.unwrap(), 0);
    assert_eq!(query(&backend, "long").await.len(), 1);
    assert_eq!(values(&backend, "kept").await.len(), 300);
    let file = plain(&scratch.path);
    let count = |table: &str| -> i64 {
        let count = format!("SELECT count(*) FROM {table}");
        file.query_row(&count, [], |r| r.get(0)).unwrap()
    };
    assert_eq!((count("large"), count("record_history")), (1, 301));
    drop(file);
    backend.close().await.unwrap();
    let bytes = std::fs::metadata(&scratch.path).unwrap().len();
    assert!(bytes < 200_000, "{bytes}");
}

/// Another program holds the lock again and again, for longer than a step waits.
#[tokio::test(flavor = "multi_thread")]
async fn rows_that_are_deleted_between_two_writers_are_all_counted() {
    let scratch = scratch();
    let builder = SqliteBackend::builder(&scratch.path);
    let backend = builder
        .busy_timeout(Duration::from_millis(3))
        .open()
        .unwrap();
    let many = rows((0..6_000).map(|at| ("t", at, "1")));
    assert_eq!(backend.store_batch(many).await.settled, 6_000);
    let (path, ended) = (scratch.path.clone(), Arc::new(AtomicBool::new(false)));
    let stop = Arc::clone(&ended);
    let other = std::thread::spawn(move || {
        let connection = plain(&path);
        connection.busy_timeout(Duration::from_secs(5)).unwrap();
        while !stop.load(Ordering::Relaxed) {
            connection.execute_batch("BEGIN IMMEDIATE").unwrap();
            std::thread::sleep(Duration::from_millis(20));
            connection.execute_batch("COMMIT").unwrap();
            std::thread::sleep(Duration::from_millis(2));
        }
    });
    let erased = backend.erase("t", 0, 2_999).await;
    let swept = backend.cleanup(6_000).await;
    ended.store(true, Ordering::Relaxed);
    other.join().unwrap();
    assert_eq!((erased.unwrap(), swept.unwrap()), (3_000, 3_000));
    assert_eq!(values(&backend, "t").await, [] as [u64; 0]);
}
