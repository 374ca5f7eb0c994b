//! Single bits that change without a word: no altered row is ever answered, and none is missing in silence.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use aimdb_persistence::backend::{ReadRequest, SeriesDeclaration};
use aimdb_persistence::{PersistenceBackend, Retention, StorageErrorKind};
use aimdb_persistence_sqlite::SqliteBackend;

use crate::support::{Numbers, OwnedRow, contents, everything, kind, owned, rows, scratch, store};

/// Rows of several series in the clustered table, some in the tail, and long values.
async fn record(path: &Path) -> SqliteBackend {
    let backend = SqliteBackend::new(path).unwrap();
    let declared = |name: &str| {
        SeriesDeclaration::new(name)
            .with_template("t.{n}")
            .with_retention(Some(Retention::Milliseconds(u64::MAX)))
            .with_version(3)
    };
    backend
        .declare(&[declared("t.0"), declared("t.1")])
        .await
        .unwrap();
    let texts: Vec<_> = (0..2_000)
        .map(|at| (format!("t.{}", at % 4), at, format!("{{\"n\":{at}}}")))
        .collect();
    let many = rows(texts.iter().map(|(name, at, text)| (&**name, *at, &**text)));
    assert_eq!(backend.store_batch(many).await.settled, 2_000);
    for at in 0..30 {
        store(&backend, "tail", at, at).await;
        let long = serde_json::json!(format!("{at}").repeat(500));
        if at % 6 == 0 {
            backend.store("long", &long, at).await.unwrap();
        }
    }
    backend
}

/// Everything that the backend answers, or `None` if it says that the file is damaged.
async fn answer(backend: &SqliteBackend, mut request: ReadRequest) -> Option<Vec<OwnedRow>> {
    let mut all = Vec::new();
    loop {
        let page = match backend.read(request.clone()).await {
            Ok(page) => page,
            Err(error) => {
                assert_eq!(kind(&error), StorageErrorKind::Corrupt, "{error}");
                return None;
            }
        };
        all.extend(page.rows.iter().map(owned));
        request.after = Some(match page.next {
            Some(cursor) => cursor,
            None => return Some(all),
        });
    }
}

#[derive(Debug, Default)]
struct Outcomes {
    refused: usize,
    failed: usize,
    left_out: usize,
    unharmed: usize,
    found_by_check: usize,
}

async fn look(path: &Path, truth: &[OwnedRow], at: &str, outcomes: &mut Outcomes) {
    let backend = match SqliteBackend::new(path) {
        Ok(backend) => backend,
        Err(error) => {
            // Marks of format and program are looked at first.
            let told = [
                StorageErrorKind::Corrupt,
                StorageErrorKind::CannotOpen,
                StorageErrorKind::TooNew,
            ];
            assert!(told.contains(&kind(&error)), "{at}: {error}");
            outcomes.refused += 1;
            return;
        }
    };
    let backend_tells = |backend: &SqliteBackend| {
        let health = backend.health();
        health.damage.is_some() || health.damaged_rows > 0 || health.lost_commits.is_some()
    };
    let mut whole = everything("#");
    whole.max_rows = usize::MAX;
    let mut left: BTreeMap<&OwnedRow, usize> = BTreeMap::new();
    truth
        .iter()
        .for_each(|row| *left.entry(row).or_default() += 1);
    match answer(&backend, whole).await {
        None => outcomes.failed += 1,
        Some(rows) => {
            for row in &rows {
                let left = left.get_mut(row).filter(|left| **left > 0);
                let left = left.unwrap_or_else(|| panic!("{at}: altered, or twice: {row:?}"));
                *left -= 1;
            }
            let missing = truth.len() - rows.len();
            match missing {
                0 => outcomes.unharmed += 1,
                _ if backend_tells(&backend) => outcomes.left_out += 1,
                _ => {
                    // Where a page of the tail counts one row too few.
                    outcomes.found_by_check += 1;
                    let found = backend.check(|_| {}).await;
                    assert!(
                        !found.is_ok_and(|report| report.is_sound()),
                        "{at}: {missing} are missing in silence"
                    );
                }
            }
        }
    }
    // A range of one series is not counted. What it misses in silence, a check finds.
    let mut range = everything("t.1");
    (range.start_time, range.end_time) = (Some(300), Some(1_700));
    let within = |row: &&OwnedRow| row.0 == "t.1" && (300..=1_700).contains(&row.1);
    let expected: Vec<_> = truth.iter().filter(within).collect();
    if let Some(rows) = answer(&backend, range).await {
        assert!(
            rows.iter().all(|row| expected.contains(&row)),
            "{at}: altered"
        );
        if rows.len() < expected.len() && !backend_tells(&backend) {
            let found = backend.check(|_| {}).await;
            assert!(
                !found.is_ok_and(|report| report.is_sound()),
                "{at}: a check finds nothing"
            );
        }
    }
    backend.close().await.ok();
}

#[tokio::test]
async fn whichever_bit_of_the_file_flips_no_row_is_altered_and_none_is_missing_in_silence() {
    let recorded = scratch();
    let backend = record(&recorded.path).await;
    let truth = answer(&backend, everything("#")).await.unwrap();
    backend.close().await.unwrap();
    let sound = fs::read(&recorded.path).unwrap();
    let (mut numbers, mut outcomes) = (Numbers(19), Outcomes::default());
    for _ in 0..400 {
        let bit = numbers.below(sound.len() * 8);
        let scratch = scratch();
        let mut bytes = sound.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        fs::write(&scratch.path, bytes).unwrap();
        let at = format!("bit {} of byte {}", bit % 8, bit / 8);
        look(&scratch.path, &truth, &at, &mut outcomes).await;
    }
    assert!(outcomes.found_by_check <= 2, "{outcomes:?}");
    assert!(
        outcomes.left_out > 100 && outcomes.unharmed > 10,
        "{outcomes:?}"
    );
}

#[tokio::test]
async fn whichever_bit_of_the_log_flips_no_row_is_altered_and_none_is_missing_in_silence() {
    let recorded = scratch();
    let backend = record(&recorded.path).await;
    let truth = answer(&backend, everything("#")).await.unwrap();
    // As a program leaves it that is killed.
    let sound = contents(recorded.folder.path());
    let bytes = sound.iter().find(|(name, _)| name.ends_with("-wal"));
    let log_bytes = bytes.map_or(0, |(_, bytes)| bytes.len());
    assert!(log_bytes > 200_000, "{log_bytes}");
    let (mut numbers, mut outcomes) = (Numbers(20), Outcomes::default());
    for _ in 0..150 {
        let bit = numbers.below(log_bytes * 8);
        let scratch = scratch();
        for (name, bytes) in &sound {
            let mut bytes = bytes.clone();
            if name.ends_with("-wal") {
                bytes[bit / 8] ^= 1 << (bit % 8);
            }
            fs::write(scratch.folder.path().join(name), bytes).unwrap();
        }
        let at = format!("bit {} of byte {} of the log", bit % 8, bit / 8);
        look(&scratch.path, &truth, &at, &mut outcomes).await;
    }
    assert!(outcomes.left_out > 50, "{outcomes:?}");
}
