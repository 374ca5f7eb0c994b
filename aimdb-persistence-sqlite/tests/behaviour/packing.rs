//! Packed rows answer every question as the same rows do that are not packed.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use aimdb_persistence::backend::{OnDuplicate, Order, SeriesDeclaration, SweepRequest};
use aimdb_persistence::{PersistenceBackend, Retention};
use aimdb_persistence_sqlite::{SqliteBackend, SqliteBackendBuilder, salvage};
use tokio::runtime::Runtime;

use crate::support::{Numbers, OwnedRow, everything, owned, plain, read_all, rows, scratch};

const SERIES: [&str; 5] = ["kept", "replaced", "ignored", "floor", "cap"];

/// So many rows and chunks are packed.
fn packed(path: &Path) -> (i64, i64) {
    let packed = "SELECT coalesce(sum(rows - skip), 0), count(*) FROM chunk_place";
    plain(path)
        .query_row(packed, [], |r| Ok((r.get(0)?, r.get(1)?)))
        .unwrap()
}

fn declarations() -> Vec<SeriesDeclaration> {
    SERIES.map(declared).into()
}

fn declared(name: &str) -> SeriesDeclaration {
    let declaration =
        SeriesDeclaration::new(name).with_retention(Some(Retention::Milliseconds(300)));
    match name {
        "replaced" => declaration.with_on_duplicate(OnDuplicate::Replace),
        "ignored" => declaration.with_on_duplicate(OnDuplicate::Ignore),
        "floor" => declaration.with_keep_last(37),
        "cap" => declaration.with_max_rows(50),
        _ => declaration,
    }
}

/// A history twice, packed and not.
struct Twice {
    plain: SqliteBackend,
    packed: SqliteBackend,
}

impl Twice {
    async fn open(folder: &Path) -> Self {
        let open = |name: &str, with: fn(SqliteBackendBuilder) -> SqliteBackendBuilder| {
            let builder = SqliteBackend::builder(folder.join(name)).tail_rows(32);
            with(builder).open().unwrap()
        };
        let twice = Self {
            plain: open("plain.db", |builder| builder),
            packed: open("packed.db", |builder| builder.chunks_of(8)),
        };
        for backend in twice.both() {
            backend.declare(&declarations()).await.unwrap();
        }
        twice
    }

    fn both(&self) -> [&SqliteBackend; 2] {
        [&self.plain, &self.packed]
    }

    async fn close(self) {
        for backend in self.both() {
            backend.close().await.unwrap();
        }
    }

    async fn take_a_step(&self, numbers: &mut Numbers, step: u64) {
        let series = SERIES[numbers.below(SERIES.len())];
        match numbers.below(12) {
            0..7 => {
                let count = [1, 3, 20, 80][numbers.below(4)];
                let late = [0, 0, 40, 400][numbers.below(4)];
                let batch: Vec<_> = (0..count)
                    .map(|n| {
                        let at = (1_000 + step * 10 + n).saturating_sub(late);
                        let value = match numbers.below(20) {
                            0 => format!("\"{}\"", "long ".repeat(100)),
                            1 => "1.50".to_owned(),
                            _ => format!("{{\"n\":{},\"x\":{}}}", numbers.below(50), step),
                        };
                        (at, value)
                    })
                    .collect();
                let batch = rows(batch.iter().map(|(at, json)| (series, *at, &**json)));
                let outcomes = [
                    self.plain.store_batch(Arc::clone(&batch)).await,
                    self.packed.store_batch(batch).await,
                ];
                let seen = outcomes.map(|of| (of.settled, of.left_out, of.replaced));
                assert_eq!(seen[0], seen[1]);
            }
            7 | 8 => {
                let start = 1_000 + step * numbers.below(10) as u64;
                let end = start + numbers.below(100) as u64;
                let erase = |backend: &SqliteBackend| {
                    let backend = backend.clone();
                    async move { backend.erase(series, start, end).await.unwrap() }
                };
                assert_eq!(erase(&self.plain).await, erase(&self.packed).await);
            }
            9 => {
                let request = SweepRequest {
                    now_ms: 1_000 + step * 10,
                    default_retention: Retention::Forever,
                    longest_retention: Retention::Forever,
                    max_ahead_ms: 1_000_000,
                    clock_is_trusted: true,
                };
                let swept = [
                    self.plain.sweep(request).await.unwrap().removed,
                    self.packed.sweep(request).await.unwrap().removed,
                ];
                assert_eq!(swept[0], swept[1], "step {step}");
            }
            10 => {
                let (from, to) = (series, format!("{series}.renamed"));
                let renamed = [
                    self.plain.rename(from, &to).await.is_ok(),
                    self.packed.rename(from, &to).await.is_ok(),
                ];
                assert_eq!(renamed[0], renamed[1]);
                for backend in self.both() {
                    // Where both have rows, it stays as it is.
                    let _ = backend.rename(&to, from).await;
                }
            }
            _ => {}
        }
    }

    async fn compare(&self, numbers: &mut Numbers, step: u64) {
        let oldest_first = numbers.below(2) == 0;
        let mut request = everything("#").with_page([1_000, 7][numbers.below(2)], usize::MAX);
        request.order = match oldest_first {
            true => Order::OldestFirst,
            false => Order::NewestFirst,
        };
        if numbers.below(3) == 0 {
            request.start_time = Some(1_000 + step * numbers.below(10) as u64);
            request.end_time = Some(1_000 + step * 10 - numbers.below(30) as u64);
        }
        if numbers.below(3) == 0 {
            request.limit_per_record = Some(1 + numbers.below(30));
        }
        let (expected, _) = read_all(&self.plain, request.clone()).await;
        let (found, _) = read_all(&self.packed, request).await;
        assert_eq!(found, expected, "step {step}");
        for series in SERIES {
            let last = async |backend: &SqliteBackend| -> Vec<OwnedRow> {
                let last = backend.last_stored(series).await.unwrap();
                last.iter().map(owned).collect()
            };
            assert_eq!(
                last(&self.packed).await,
                last(&self.plain).await,
                "{series}, step {step}"
            );
        }
    }
}

#[test]
fn a_packed_history_answers_as_one_that_is_not_packed_whatever_is_done_to_both() {
    let cases = std::env::var("AIMDB_PACKING_CASES").map_or(6, |cases| cases.parse().unwrap());
    let runtime = Runtime::new().unwrap();
    let (mut most_packed, mut chunks) = (0, 0);
    for seed in 0..cases {
        let scratch = scratch();
        let folder = scratch.folder.path();
        let mut numbers = Numbers(seed);
        runtime.block_on(async {
            let mut twice = Twice::open(folder).await;
            for step in 0..120 {
                twice.take_a_step(&mut numbers, step).await;
                twice.compare(&mut numbers, step).await;
                if numbers.below(20) == 0 {
                    twice.close().await;
                    twice = Twice::open(folder).await;
                }
            }
            let found = packed(&folder.join("packed.db"));
            most_packed = most_packed.max(found.0);
            chunks += found.1;
            let report = twice.packed.check(|_| {}).await.unwrap();
            assert!(report.is_sound(), "seed {seed}: {:?}", report.first);
            twice.close().await;
        });
    }
    assert!(
        most_packed > 100 && chunks > 50,
        "{most_packed} rows, {chunks} chunks: nothing was packed"
    );
}

/// Rows of which one chunk holds some two thousand.
fn readings(from: u64, count: u64) -> Vec<(u64, String)> {
    let reading = |n: u64| {
        let celsius = 20.0 + (n as f64 / 50.0).sin() * 4.0;
        (
            n * 1_000,
            format!("{{\"celsius\":{celsius:.1},\"percent\":{}}}", 40 + n % 7),
        )
    };
    (from..from + count).map(reading).collect()
}

#[tokio::test]
async fn rows_that_are_old_enough_take_a_few_bytes_and_come_back_as_they_were() {
    let scratch = scratch();
    let builder = SqliteBackend::builder(&scratch.path).tail_rows(64);
    let readings = readings(0, 20_000);
    let batch = rows(readings.iter().map(|(at, json)| ("climate", *at, &**json)));
    let backend = builder.open().unwrap();
    assert_eq!(backend.store_batch(batch).await.settled, 20_000);
    let before = read_all(&backend, everything("#")).await.0;
    assert_eq!(packed(&scratch.path).0, 0, "packing is off by default");

    assert!(backend.pack_now("#").await.unwrap() > 19_000);
    let (rows, chunks) = packed(&scratch.path);
    let bytes = "SELECT sum(length(body) + length(statistics)) FROM chunk";
    let bytes: i64 = plain(&scratch.path)
        .query_row(bytes, [], |r| r.get(0))
        .unwrap();
    assert!(
        bytes < 3 * rows,
        "{bytes} bytes of {rows} rows in {chunks} chunks"
    );
    assert_eq!(read_all(&backend, everything("#")).await.0, before);

    let mut progress = BTreeSet::new();
    let (told, heard) = std::sync::mpsc::channel();
    let unpacked = backend
        .unpack("#", move |rows| told.send(rows).unwrap())
        .await
        .unwrap();
    progress.extend(heard);
    assert_eq!(unpacked, rows as u64);
    assert!(progress.len() > 2, "{progress:?}");
    assert_eq!(packed(&scratch.path), (0, 0));
    assert_eq!(read_all(&backend, everything("#")).await.0, before);
    backend.close().await.unwrap();
}

/// A closed history of two series, packed as far as possible; what is in it.
async fn packed_history(path: &Path) -> Vec<OwnedRow> {
    let backend = SqliteBackend::new(path).unwrap();
    let readings = readings(0, 12_000);
    for series in ["climate", "other"] {
        let batch = rows(readings.iter().map(|(at, json)| (series, *at, &**json)));
        assert_eq!(backend.store_batch(batch).await.settled, 12_000);
    }
    backend.pack_now("#").await.unwrap();
    let all = read_all(&backend, everything("#")).await.0;
    backend.close().await.unwrap();
    assert!(packed(path).0 > 23_000);
    all
}

#[tokio::test]
async fn of_a_sound_packed_file_everything_is_salvaged_with_nothing_doubtful() {
    let scratch = scratch();
    let expected = packed_history(&scratch.path).await;
    let saved = scratch.folder.path().join("saved.db");
    let report = salvage(&scratch.path, &saved).unwrap();
    assert_eq!((report.rows, report.series), (24_000, 2));
    let troubles = [
        report.damaged_pages,
        report.damaged_rows,
        report.doubtful_rows,
        report.left_out,
    ];
    assert_eq!(troubles, [0; 4]);
    let backend = SqliteBackend::new(&saved).unwrap();
    assert_eq!(read_all(&backend, everything("#")).await.0, expected);
    // Recording goes on behind the rows that were packed.
    crate::support::store(&backend, "climate", 1, 1).await;
    let last = backend.last_stored("climate").await.unwrap();
    assert_eq!(last.get(0).unwrap().stored_at, 1);
    backend.close().await.unwrap();
}

/// In the body of a chunk, which lies on pages of its own but for its beginning.
fn flip_a_bit_of_a_body(path: &Path) -> (String, u64) {
    let (name, rows, body): (String, u64, Vec<u8>) = plain(path)
        .query_row(
            "SELECT key, rows, body FROM chunk_place JOIN chunk ON chunk.id = chunk \
             JOIN series ON series.id = chunk_place.series ORDER BY chunk.id LIMIT 1 OFFSET 2",
            [],
            |r| Ok((r.get(0)?, r.get::<_, i64>(1)?.cast_unsigned(), r.get(2)?)),
        )
        .unwrap();
    let mut bytes = std::fs::read(path).unwrap();
    let part = &body[100..180];
    let at = bytes
        .windows(part.len())
        .position(|window| window == part)
        .unwrap();
    bytes[at + 40] ^= 1;
    std::fs::write(path, bytes).unwrap();
    (name, rows)
}

#[tokio::test]
async fn a_damaged_chunk_is_left_out_counted_found_by_a_check_and_costs_no_other_row() {
    let scratch = scratch();
    let expected = packed_history(&scratch.path).await;
    let (name, lost) = flip_a_bit_of_a_body(&scratch.path);

    let backend = SqliteBackend::new(&scratch.path).unwrap();
    let error = backend.read(everything("#")).await.map(drop);
    let found = match error {
        Err(error) => error.to_string(),
        Ok(()) => {
            let rows = read_all(&backend, everything("#")).await.0;
            assert_eq!(rows.len() as u64, expected.len() as u64 - lost);
            assert!(rows.iter().all(|row| expected.contains(row)));
            let health = backend.health();
            assert!(health.damaged_rows >= lost, "{health:?}");
            health.damage.unwrap()
        }
    };
    assert!(found.contains(&format!("record `{name}`")), "{found}");
    let report = backend.check(|_| {}).await.unwrap();
    assert_eq!(report.problems, 1, "{:?}", report.first);
    // Recording goes on, and the newest rows are there.
    crate::support::store(&backend, "climate", 1, u64::from(u32::MAX)).await;
    backend.close().await.unwrap();

    let saved = scratch.folder.path().join("saved.db");
    let report = salvage(&scratch.path, &saved).unwrap();
    assert_eq!(
        (report.rows, report.damaged_rows >= 1),
        (24_001 - lost, true)
    );
}

#[tokio::test]
async fn a_cap_that_ends_among_late_rows_beside_a_chunk_keeps_exactly_so_many() {
    for max_rows in 1..27 {
        let scratch = scratch();
        let builder = SqliteBackend::builder(&scratch.path).chunks_of(8);
        let backend = builder.open().unwrap();
        let declared = SeriesDeclaration::new("cap").with_max_rows(max_rows);
        backend.declare(&[declared]).await.unwrap();
        let early = rows((0..24).map(|n| ("cap", 100 + n * 10, "1")));
        backend.store_batch(early).await;
        let late = rows((0..3).map(|n| ("cap", 195 + n * 10, "2")));
        backend.store_batch(late).await;
        let request = SweepRequest {
            now_ms: 1_000,
            default_retention: Retention::Forever,
            longest_retention: Retention::Forever,
            max_ahead_ms: 1_000_000,
            clock_is_trusted: true,
        };
        let removed = backend.sweep(request).await.unwrap().removed;
        assert_eq!(removed, 27 - max_rows);
        let left = read_all(&backend, everything("#")).await.0;
        assert_eq!(left.len() as u64, max_rows);
        backend.close().await.unwrap();
    }
}
