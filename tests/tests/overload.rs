//! Producers that are faster than the disk, for as long as they like: memory stays within the backlog, every loss is
//! counted, queries are answered, and afterwards nothing is lost any more.

use std::collections::BTreeSet;
use std::sync::Arc;

use aimdb_persistence::{
    AimDbBuilderPersistExt, AimDbQueryExt, Persist, PersistenceOptions, options::BacklogLimits,
    report::Counts,
};
use aimdb_persistence_tests::aimdb1 as aimdb;
use aimdb_persistence_tests::backends::sqlite;
use aimdb_persistence_tests::gated::Gated;
use aimdb_persistence_tests::records::FOREVER;
use peak_alloc::PeakAlloc;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Memory is measured in the whole process: one test at a time.
static ALONE: Mutex<()> = Mutex::const_new(());

const BACKLOG_BYTES: usize = 4 << 20;
const VALUE_BYTES: usize = 1_000;

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "load.{producer}", retention = "forever")]
struct Load {
    n: u64,
    text: String,
}

fn load(n: u64) -> Load {
    Load {
        n,
        text: "x".repeat(VALUE_BYTES),
    }
}

fn outcomes(counts: &Counts) -> u64 {
    counts.stored + counts.lost() + counts.pending
}

fn total(db: &aimdb::Db) -> Counts {
    db.persistence_stats().unwrap().total
}

#[tokio::test]
async fn while_the_disk_stands_still_memory_stays_within_the_backlog_and_losses_are_counted() {
    let _alone = ALONE.lock().await;
    let folder = tempfile::tempdir().unwrap();
    let backend = Arc::new(Gated::in_folder(folder.path()));
    let options = PersistenceOptions::new(backend.clone(), FOREVER).backlog(BacklogLimits {
        rows: 1_000_000,
        bytes: BACKLOG_BYTES,
    });
    let mut builder = aimdb::builder().with_persistence_options(options);
    Load::series(0).register(&mut builder);
    let db = aimdb::build(builder).await;
    let mut n = 0;
    for round in 1..=2 {
        backend.shut();
        let before = total(&db);
        MEMORY.reset_peak_usage();
        let memory_before = MEMORY.current_usage();
        // Ten times what the backlog holds.
        while total(&db).dropped - before.dropped < (10 * BACKLOG_BYTES / VALUE_BYTES) as u64 {
            for _ in 0..100 {
                aimdb::produce(&db, "load.0", load(n)).await;
                n += 1;
            }
            tokio::task::yield_now().await;
        }
        let taken = MEMORY.peak_usage().saturating_sub(memory_before);
        assert!(
            taken < 3 * BACKLOG_BYTES,
            "round {round}: {taken} bytes for a backlog of {BACKLOG_BYTES}"
        );
        let counts = total(&db);
        assert_eq!(counts.produced, outcomes(&counts), "{counts:?}");
        assert!(counts.pending as usize <= BACKLOG_BYTES / VALUE_BYTES + 1_024);
        let newest = Load::query_latest(&db, 1).await.unwrap();
        assert_eq!(
            newest.len(),
            usize::from(round > 1),
            "it answers with what is stored"
        );

        backend.open();
        db.flush_persistence().await.unwrap();
        let counts = total(&db);
        assert_eq!(
            (counts.pending, counts.failed, counts.unserializable),
            (0, 0, 0)
        );
        aimdb::produce(&db, "load.0", load(n)).await;
        n += 1;
        db.flush_persistence().await.unwrap();
        assert_eq!(total(&db).stored, counts.stored + 1, "there is room again");
    }
    let rows = Load::query_latest(&db, usize::MAX).await.unwrap();
    assert_eq!(rows.len() as u64, total(&db).stored);
    assert!(rows.is_sorted_by(|newer, older| newer.n > older.n));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_flood_from_many_tasks_is_stored_or_counted_and_queries_are_answered_meanwhile() {
    let _alone = ALONE.lock().await;
    const PRODUCERS: u64 = 4;
    const VALUES: u64 = 5_000;
    let folder = tempfile::tempdir().unwrap();
    let options =
        PersistenceOptions::new(Arc::new(sqlite(folder.path())), FOREVER).backlog(BacklogLimits {
            rows: 2_000,
            bytes: BACKLOG_BYTES,
        });
    let mut builder = aimdb::builder().with_persistence_options(options);
    (0..PRODUCERS).for_each(|producer| Load::series(producer).register(&mut builder));
    let db = Arc::new(aimdb::build(builder).await);
    let producers = (0..PRODUCERS).map(|producer| {
        let db = Arc::clone(&db);
        tokio::spawn(async move {
            let key = format!("load.{producer}");
            for n in 0..VALUES {
                aimdb::produce(&db, &key, load(n)).await;
            }
        })
    });
    let producers: Vec<_> = producers.collect();
    while !producers.iter().all(|producer| producer.is_finished()) {
        assert!(Load::query_latest(&*db, 1).await.unwrap().len() <= PRODUCERS as usize);
    }
    db.flush_persistence().await.unwrap();
    let counts = total(&db);
    assert_eq!((counts.produced, counts.pending), (PRODUCERS * VALUES, 0));
    assert_eq!(counts.produced, outcomes(&counts), "{counts:?}");
    let mut found = 0;
    for producer in 0..PRODUCERS {
        let rows = Load::series(producer)
            .query_latest(&*db, usize::MAX)
            .await
            .unwrap();
        let distinct: BTreeSet<u64> = rows.iter().map(|row| row.n).collect();
        assert_eq!(distinct.len(), rows.len(), "no row is stored twice");
        found += rows.len() as u64;
    }
    assert_eq!(found, counts.stored);
}
