//! Far more series than anybody has, and marks in the file that nobody would write.

use aimdb_persistence::backend::SweepRequest;
use aimdb_persistence::{PersistenceBackend, QueryParams, Retention, StorageErrorKind};
use aimdb_persistence_sqlite::{Durability, SqliteBackend};
use serde_json::json;

use crate::support::{kind, plain, rows, scratch, store, values};

#[tokio::test]
async fn a_hundred_thousand_series_are_stored_asked_for_and_swept() {
    const SERIES: u64 = 100_000;
    let scratch = scratch();
    let options = SqliteBackend::builder(&scratch.path).durability(Durability::Relaxed);
    let backend = options.open().unwrap();
    let keys: Vec<String> = (0..SERIES).map(|n| format!("t.{}.{n}", n % 10)).collect();
    for round in 0..2 {
        for chunk in keys.chunks(10_000) {
            let batch = chunk.iter().map(|key| (key.as_str(), round, "1"));
            assert_eq!(backend.store_batch(rows(batch)).await.settled, chunk.len());
        }
    }
    let newest = QueryParams {
        limit_per_record: Some(1),
        ..QueryParams::default()
    };
    assert_eq!(
        backend.query("t.*.*", newest.clone()).await.unwrap().len(),
        keys.len()
    );
    assert_eq!(
        backend.query("t.7.*", newest.clone()).await.unwrap().len(),
        keys.len() / 10
    );
    assert_eq!(values(&backend, "t.9.99999").await, [1, 1]);
    let hashes = vec!["#"; 100].join(".");
    assert_eq!(
        backend.query(&hashes, newest).await.unwrap().len(),
        keys.len()
    );
    let request = SweepRequest {
        now_ms: 11,
        default_retention: Retention::Milliseconds(10),
        longest_retention: Retention::Forever,
        max_ahead_ms: 3_600_000,
        clock_is_trusted: true,
    };
    assert_eq!(backend.sweep(request).await.unwrap().removed, SERIES);
}

#[tokio::test]
async fn a_file_whose_sequence_numbers_are_at_their_end_says_so_and_panics_nowhere() {
    for last in [i64::MAX, i64::MAX - 10, i64::MIN, -5] {
        let scratch = scratch();
        let backend = SqliteBackend::new(&scratch.path).unwrap();
        store(&backend, "t", 1, 1).await;
        backend.close().await.unwrap();
        let sql = "UPDATE meta SET value = ?1 WHERE name = 'next_sequence'";
        plain(&scratch.path).execute(sql, [last]).unwrap();

        let backend = SqliteBackend::new(&scratch.path).unwrap();
        // What is answered as stored is found, and what is refused is not there.
        let found: &[u64] = match backend.store("t", &json!(2), 2).await {
            Ok(()) => &[2, 1],
            Err(error) => {
                let expected = [StorageErrorKind::Corrupt, StorageErrorKind::Other];
                assert!(expected.contains(&kind(&error)), "{last}: {error}");
                assert!(error.to_string().contains("history.db"), "{error}");
                &[1]
            }
        };
        assert_eq!(values(&backend, "t").await, found, "{last}");
    }
}
