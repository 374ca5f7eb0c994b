//! Rows that are deleted or renamed are none that a policy compares with.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use aimdb_persistence::{AimDbBuilderPersistExt, Ask};
use aimdb_persistence_tests::backends::{Call, Gate, Interposed, on_every_backend};
use aimdb_persistence_tests::records::{FOREVER, Temperature};

use super::{counts, database, flush, half_a_degree, on_change, produce, reading, rows, times};
use crate::aimdb;

#[tokio::test]
async fn a_value_equal_to_a_deleted_one_is_stored() {
    on_every_backend(async |backend| {
        let db = database(backend.clone(), on_change()).await;
        produce(&db, [(1, 20.0), (2, 20.0)]).await;
        flush(&db).await;
        db.history("temperature.sf").delete().await.unwrap();
        assert!(times(&*backend).await.is_empty());
        produce(&db, [(3, 20.0), (4, 20.0)]).await;
        flush(&db).await;
        assert_eq!(times(&*backend).await, [3]);
        assert_eq!(counts(&db).suppressed, 2);
    })
    .await;
}

#[tokio::test]
async fn after_a_deletion_the_newest_row_that_is_left_is_compared_with() {
    on_every_backend(async |backend| {
        let db = database(backend.clone(), half_a_degree()).await;
        produce(&db, [(1, 20.0), (2, 25.0), (3, 30.0)]).await;
        flush(&db).await;
        let newest = db.history("temperature.sf").between(3, u64::MAX);
        newest.delete().await.unwrap();
        produce(&db, [(4, 25.1), (5, 30.0)]).await;
        flush(&db).await;
        assert_eq!(rows(&*backend).await, [(1, 20.0), (2, 25.0), (5, 30.0)]);
        // What is older than the last stored row says nothing of it.
        let oldest = db.history("temperature.sf").between(0, 2);
        oldest.delete().await.unwrap();
        produce(&db, [(6, 30.1), (7, 31.0)]).await;
        flush(&db).await;
        assert_eq!(rows(&*backend).await, [(5, 30.0), (7, 31.0)]);
    })
    .await;
}

#[tokio::test]
async fn the_last_stored_row_counts_as_long_as_it_is_there_though_another_is_newer() {
    on_every_backend(async |backend| {
        let db = database(backend.clone(), half_a_degree()).await;
        produce(&db, [(1, 20.0), (10, 25.0), (5, 30.0)]).await;
        flush(&db).await;
        let oldest = db.history("temperature.sf").between(0, 1);
        oldest.delete().await.unwrap();
        produce(&db, [(6, 30.1)]).await;
        flush(&db).await;
        assert_eq!(times(&*backend).await, [5, 10]);
    })
    .await;
}

#[tokio::test]
async fn a_renamed_series_takes_its_last_row_along() {
    on_every_backend(async |backend| {
        let mut builder = aimdb::builder().with_persistence(backend.clone(), FOREVER);
        for station in ["sf", "lab"] {
            let series = Temperature::series(station).with_policy(on_change());
            series.register(&mut builder);
        }
        let db = aimdb::build(builder).await;
        produce(&db, [(1, 20.0)]).await;
        flush(&db).await;
        db.rename_series("temperature.sf", "temperature.lab")
            .await
            .unwrap();
        produce(&db, [(2, 20.0)]).await;
        for (at, celsius) in [(3, 20.0), (4, 21.0)] {
            aimdb::produce(&db, "temperature.lab", reading(at, celsius)).await;
        }
        flush(&db).await;
        assert_eq!(
            times(&*backend).await,
            [2],
            "nothing was left under the old key"
        );
        let lab = db
            .history("temperature.lab")
            .counted_series()
            .await
            .unwrap();
        assert_eq!(lab[0].rows, Some(2));
        assert_eq!(counts(&db).suppressed, 1);
    })
    .await;
}

#[tokio::test]
async fn what_a_series_held_before_another_got_its_name_is_not_compared_with() {
    on_every_backend(async |backend| {
        let db = database(backend.clone(), on_change()).await;
        produce(&db, [(1, 20.0)]).await;
        let attic = Temperature::series("attic");
        attic.store(&db, &reading(2, 21.0)).await.unwrap();
        flush(&db).await;
        // As another program would.
        let erased = backend.erase("temperature.sf", 0, u64::MAX).await;
        assert_eq!(erased.unwrap(), 1);
        let renamed = db.rename_series("temperature.attic", "temperature.sf");
        renamed.await.unwrap();
        produce(&db, [(3, 21.0), (4, 20.0)]).await;
        flush(&db).await;
        assert_eq!(rows(&*backend).await, [(2, 21.0), (4, 20.0)]);
    })
    .await;
}

#[tokio::test]
async fn a_refused_renaming_changes_nothing_of_what_is_compared() {
    on_every_backend(async |backend| {
        let db = database(backend.clone(), on_change()).await;
        let taken = Temperature::series("taken");
        taken.store(&db, &reading(1, 20.0)).await.unwrap();
        produce(&db, [(1, 20.0)]).await;
        flush(&db).await;
        let refused = db.rename_series("temperature.sf", "temperature.taken");
        refused.await.unwrap_err();
        produce(&db, [(2, 20.0)]).await;
        flush(&db).await;
        assert_eq!(times(&*backend).await, [1]);
        assert_eq!(counts(&db).suppressed, 1);
    })
    .await;
}

#[tokio::test]
async fn a_deletion_that_is_dropped_half_way_may_have_deleted_what_was_compared_with() {
    let gate = Gate::shut();
    let waits = |call: &Call| matches!(call, Call::Erase);
    let backend = Arc::new(Interposed::waiting_at(&gate, waits));
    let db = database(backend.clone(), on_change()).await;
    produce(&db, [(1, 20.0)]).await;
    flush(&db).await;
    {
        let mut deletion = pin!(db.history("temperature.sf").delete());
        let polled = deletion
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(polled, Poll::Pending));
    }
    produce(&db, [(2, 20.0)]).await;
    flush(&db).await;
    assert_eq!(counts(&db).stored, 2);
}
