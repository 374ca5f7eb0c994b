//! Backends that are slow: the backlog takes what the ring could not hold.

use std::sync::Arc;

use aimdb_persistence::{
    AimDbQueryExt, declare::BufferKind, options::BacklogLimits, report::LossKind,
};
use aimdb_persistence_tests::backends::{Call, Gate, Interposed};
use aimdb_persistence_tests::events::Events;
use aimdb_persistence_tests::waiting::eventually;

use super::{database, produce, stored};

/// Stores nothing before the gate opens.
fn storing_behind(gate: &Gate) -> Arc<Interposed> {
    Arc::new(Interposed::waiting_at(gate, |call| {
        matches!(call, Call::Store(_))
    }))
}

#[tokio::test]
async fn a_slow_backend_does_not_make_the_ring_overwrite() {
    let gate = Gate::shut();
    let backend = storing_behind(&gate);
    let db = database(&backend, BufferKind::Ring(64), |options| options).await;
    for start in (0..10_000).step_by(50) {
        produce(&db, start..start + 50).await;
        tokio::task::yield_now().await;
    }
    let before = db.persistence_stats().unwrap().total;
    assert_eq!(
        (before.produced, before.lagged, before.stored),
        (10_000, 0, 0)
    );
    gate.open();
    db.flush_persistence().await.unwrap();
    assert_eq!(stored(&backend), Vec::from_iter(0..10_000));
}

#[tokio::test]
async fn a_full_backlog_drops_and_counts_the_rest_and_then_goes_on() {
    for (rows, bytes) in [(100, usize::MAX), (usize::MAX, 5_000)] {
        let gate = Gate::shut();
        let backend = storing_behind(&gate);
        let events = Events::new();
        let db = database(&backend, BufferKind::Ring(65_536), |options| {
            options
                .backlog(BacklogLimits { rows, bytes })
                .on_event(events.listener())
        })
        .await;
        produce(&db, 0..1_000).await;
        eventually("the backlog is full", || {
            let total = db.persistence_stats().unwrap().total;
            total.dropped > 0 && total.dropped + total.pending == 1_000 && total.pending <= 100
        })
        .await;
        gate.open();
        db.flush_persistence().await.unwrap();
        let total = db.persistence_stats().unwrap().total;
        assert_eq!(total.stored + total.dropped, 1_000);
        assert_eq!(stored(&backend), Vec::from_iter(0..total.stored));
        if rows == 100 {
            assert_eq!(total.dropped, 900);
        }
        assert_eq!(events.losses("temperature.sf", LossKind::Dropped), 1);

        produce(&db, 1_000..1_050).await;
        db.flush_persistence().await.unwrap();
        let after = db.persistence_stats().unwrap().total;
        assert_eq!(after.stored, total.stored + 50, "there is room again");
    }
}
