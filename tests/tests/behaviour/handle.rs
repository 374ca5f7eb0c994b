//! A history's handle, from the builder: for programs that never see their database.

use std::sync::Arc;
use std::time::Duration;

use aimdb_persistence::{
    AimDbBuilderPersistExt, AimDbQueryExt, Ask, MemoryBackend, Pattern, Persist,
    PersistenceBackend, PersistenceError, report::RestoreOutcome,
};
use aimdb_persistence_tests::records::{FOREVER, Temperature};
use serde_json::json;

use crate::aimdb;

const DAY: Duration = Duration::from_secs(86_400);

fn builder(backend: &Arc<MemoryBackend>) -> aimdb::Builder {
    aimdb::builder().with_persistence(backend.clone(), FOREVER)
}

#[tokio::test]
async fn a_handle_flushes_asks_counts_and_closes_like_its_database() {
    let backend = Arc::new(MemoryBackend::new());
    let mut builder = builder(&backend);
    let history = builder.persistence().clone();
    Temperature::series("sf").register(&mut builder);
    let db = aimdb::build(builder).await;
    for at in 0..100 {
        aimdb::produce(&db, "temperature.sf", Temperature::at(at)).await;
    }
    history.flush_persistence().await.unwrap();
    assert_eq!(history.history("#").count().await.unwrap(), 100);
    let newest = Temperature::query_latest(&history, 1).await.unwrap();
    assert_eq!(newest, [Temperature::at(99)]);
    assert_eq!(history.persisted_series().await.unwrap()[0].rows, 100);
    assert_eq!(
        history.persistence_stats().unwrap(),
        db.persistence_stats().unwrap()
    );
    let closed = history.close_persistence(DAY).await.unwrap();
    assert!(closed.complete);
    aimdb::produce(&db, "temperature.sf", Temperature::at(100)).await;
    assert_eq!(db.persistence_stats().unwrap().total.dropped, 1);
}

#[tokio::test]
async fn a_handle_that_asks_before_the_database_is_built_hides_no_declaration_from_the_backend() {
    let backend = Arc::new(MemoryBackend::new());
    let earlier = serde_json::to_value(Temperature::at(1)).unwrap();
    backend.store("temperature.sf", &earlier, 1).await.unwrap();
    let mut builder = builder(&backend);
    let history = builder.persistence();
    Temperature::series("sf").register(&mut builder);
    assert_eq!(
        Temperature::query_latest(&history, 1).await.unwrap(),
        [Temperature::at(1)]
    );
    history.flush_persistence().await.unwrap();
    Temperature::series("oak").register(&mut builder);
    let db = aimdb::build(builder).await;
    aimdb::produce(&db, "temperature.oak", Temperature::at(2)).await;
    history.flush_persistence().await.unwrap();
    let declared = backend.declarations(&Pattern::parse("#").unwrap()).await;
    let declared = declared.unwrap();
    let names: Vec<&str> = declared.iter().map(|d| &*d.record_name).collect();
    assert_eq!(names, ["temperature.oak", "temperature.sf"]);
}

#[tokio::test]
async fn a_history_that_a_handle_closes_before_the_build_records_nothing_and_counts_it() {
    let backend = Arc::new(MemoryBackend::new());
    let mut builder = builder(&backend);
    Temperature::series("sf").register(&mut builder);
    let history = builder.persistence();
    assert!(history.close_persistence(DAY).await.unwrap().complete);
    let db = aimdb::build(builder).await;
    aimdb::produce(&db, "temperature.sf", Temperature::at(1)).await;
    drop(db);
    let counted = || history.persistence_stats().unwrap().total.dropped == 1;
    aimdb_persistence_tests::waiting::eventually("the value is counted", counted).await;
    assert!(backend.is_empty());
}

#[tokio::test]
async fn a_handle_goes_on_after_its_database() {
    let backend = Arc::new(MemoryBackend::new());
    let mut builder = builder(&backend);
    Temperature::series("sf").register(&mut builder);
    let history = builder.persistence();
    let db = aimdb::build(builder).await;
    aimdb::produce(&db, "temperature.sf", Temperature::at(1)).await;
    drop(db);
    history.flush_persistence().await.unwrap();
    assert_eq!(history.history("#").count().await.unwrap(), 1);
    let closed = history.close_persistence(DAY).await.unwrap();
    assert_eq!((closed.complete, closed.stats.total.stored), (true, 1));
}

#[tokio::test]
async fn a_handle_without_a_history_says_so() {
    let history = aimdb::builder().persistence();
    let is_told = |error| matches!(error, PersistenceError::NotConfigured);
    assert!(is_told(history.flush_persistence().await.unwrap_err()));
    assert!(is_told(history.close_persistence(DAY).await.unwrap_err()));
    assert!(is_told(history.persistence_stats().unwrap_err()));
    assert!(is_told(history.persisted_series().await.unwrap_err()));
    assert!(is_told(history.history("#").count().await.unwrap_err()));
    let newest = history.query_latest::<Temperature>("#", 1).await;
    assert!(is_told(newest.unwrap_err()));
    // A record that is declared alone is no history either.
    let mut builder = aimdb::builder();
    Temperature::series("sf").register(&mut builder);
    assert!(is_told(
        builder.persistence().persistence_stats().unwrap_err()
    ));
}

#[tokio::test]
async fn a_handle_that_is_to_restore_names_the_database() {
    let backend = Arc::new(MemoryBackend::new());
    let stored = json!({ "celsius": 20.5 });
    backend.store("set_point", &stored, 1).await.unwrap();
    let mut builder = builder(&backend);
    let history = builder.persistence();
    SetPoint::register(&mut builder);
    let _db = aimdb::build(builder).await;
    let report = history.restore_persistence().await.unwrap();
    let RestoreOutcome::Refused { reason } = &report.series[0].outcome else {
        panic!("{report:?}")
    };
    assert!(reason.contains("database itself"), "{reason}");
}

#[derive(Clone, Debug, serde::Serialize, serde::Deserialize, Persist)]
#[persist(key = "set_point", restore)]
struct SetPoint {
    celsius: f64,
}
