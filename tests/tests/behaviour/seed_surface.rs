//! Every form of the published README compiles and means what it says there.

use std::sync::Arc;
use std::time::Duration;

use aimdb_persistence::backend::{
    BoxFuture as BackendFuture, PersistenceBackend as FromBackend, QueryParams as ParamsOfBackend,
    StoredValue as StoredOfBackend,
};
use aimdb_persistence::error::PersistenceError as ErrorOfError;
use aimdb_persistence::{
    AimDbBuilderPersistExt, AimDbQueryExt, BoxFuture, MemoryBackend, Persist, PersistenceBackend,
    PersistenceError, QueryParams, RecordRegistrarPersistExt, StorageError, StorageErrorKind,
    StoredValue,
};
use aimdb_persistence_tests::records::{Reading, Temperature};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::aimdb::{self, BufferCfg, TokioRecordRegistrarExt};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Accuracy {
    value: f64,
}

fn ring() -> BufferCfg {
    BufferCfg::SpmcRing { capacity: 100 }
}

#[tokio::test]
async fn the_modules_of_the_published_crate_lead_to_the_same_names() {
    use aimdb_persistence::{backend, builder_ext, error, ext, query_ext};

    let stored: Arc<dyn backend::PersistenceBackend> = Arc::new(MemoryBackend::new());
    let mut builder = builder_ext::AimDbBuilderPersistExt::with_persistence(
        aimdb::builder(),
        stored.clone(),
        Duration::MAX,
    );
    builder.configure::<Accuracy>("accuracy::vienna", |reg| {
        ext::RecordRegistrarPersistExt::persist(reg.buffer(ring()), "accuracy::vienna");
    });
    let db = aimdb::build(builder).await;
    aimdb::produce(&db, "accuracy::vienna", Accuracy { value: 0.5 }).await;
    query_ext::AimDbQueryExt::flush_persistence(&db)
        .await
        .unwrap();
    let asked: backend::BoxFuture<'_, Result<Vec<backend::StoredValue>, error::PersistenceError>> =
        stored.query("accuracy::*", backend::QueryParams::default());
    assert_eq!(asked.await.unwrap()[0].record_name, "accuracy::vienna");
}

#[tokio::test]
async fn the_seed_s_quick_start_records_and_answers() -> Result<(), PersistenceError> {
    let backend = Arc::new(MemoryBackend::new());
    let mut builder =
        aimdb::builder().with_persistence(backend.clone(), Duration::from_secs(7 * 24 * 3600));
    builder.configure::<Accuracy>("accuracy::vienna", |reg| {
        reg.buffer(ring()).persist("accuracy::vienna");
    });
    builder.configure::<Accuracy>("accuracy::berlin", |reg| {
        reg.buffer(ring()).persist("accuracy::berlin");
    });
    let db = aimdb::build(builder).await;
    for value in [0.5, 0.75] {
        aimdb::produce(&db, "accuracy::vienna", Accuracy { value }).await;
        aimdb::produce(&db, "accuracy::berlin", Accuracy { value: -value }).await;
    }
    db.flush_persistence().await?;

    let latest = db.query_latest::<Accuracy>("accuracy::*", 1).await?;
    assert_eq!(
        latest,
        [Accuracy { value: -0.75 }, Accuracy { value: 0.75 }]
    );
    let latest: Vec<Accuracy> = db.query_latest("accuracy::vienna", 10).await?;
    assert_eq!(latest, [Accuracy { value: 0.75 }, Accuracy { value: 0.5 }]);
    let range = db
        .query_range::<Accuracy>("accuracy::vienna", 0, u64::MAX, None)
        .await?;
    assert_eq!(range.len(), 2);
    let range = db.query_range::<Accuracy>("accuracy::*", 0, u64::MAX, Some(1));
    assert_eq!(range.await?.len(), 2);
    let params = QueryParams {
        limit_per_record: Some(1),
        start_time: None,
        end_time: None,
    };
    let raw: Vec<StoredValue> = db.query_raw("*", params).await?;
    let StoredValue {
        record_name,
        value,
        stored_at,
    } = &raw[1];
    assert_eq!(record_name, "accuracy::vienna");
    assert_eq!(value["value"], 0.75);
    assert!(*stored_at > 0);
    assert_eq!(backend.cleanup(u64::MAX).await?, 4);
    Ok(())
}

#[tokio::test]
async fn persist_takes_every_kind_of_name_at_every_place_of_a_chain() {
    let backend = Arc::new(MemoryBackend::new());
    let mut builder = aimdb::builder().with_persistence(backend.clone(), Duration::MAX);
    let station = "vienna";
    builder.configure::<Reading>("a", |reg| {
        reg.buffer(ring()).persist("a");
    });
    builder.configure::<Reading>("b", |reg| {
        reg.buffer(ring()).persist(String::from("b"));
    });
    builder.configure::<Reading>("c", |reg| {
        reg.buffer(ring()).persist(format!("c::{station}"));
    });
    builder.configure::<Reading>("d", |reg| {
        reg.persist("d").buffer(ring());
    });
    builder.configure::<Reading>("e", |reg| {
        reg.buffer(ring());
    });
    // A second closure for the same record.
    builder.configure::<Reading>("e", |reg| {
        reg.persist("e");
    });
    builder.configure::<Temperature>("temperature.f", |reg| {
        Temperature::series("f").persist(reg);
    });
    let db = aimdb::build(builder).await;
    for key in ["a", "b", "c", "d", "e"] {
        aimdb::produce(&db, key, Reading(1)).await;
    }
    aimdb::produce(&db, "temperature.f", Temperature::at(1)).await;
    db.flush_persistence().await.unwrap();
    let names: Vec<String> = backend.rows().into_iter().map(|r| r.record_name).collect();
    assert_eq!(names, ["a", "b", "c::vienna", "d", "e", "temperature.f"]);
}

fn is_send<T: Send>(future: T) -> T {
    future
}

async fn generic_latest<T: DeserializeOwned>(db: &aimdb::Db) -> Vec<T> {
    is_send(db.query_latest::<T>("temperature.sf", 1))
        .await
        .unwrap()
}

async fn generic_history<T: Persist>(db: &aimdb::Db) -> Vec<T> {
    is_send(T::query_latest(db, 1)).await.unwrap()
}

fn boxed<D: AimDbQueryExt + Sync>(
    db: &D,
) -> BoxFuture<'_, Result<Vec<Temperature>, PersistenceError>> {
    Box::pin(async move {
        db.flush_persistence().await?;
        db.query_latest("temperature.*", 1).await
    })
}

#[tokio::test]
async fn queries_can_be_spawned_and_used_in_generic_functions() {
    let mut builder =
        aimdb::builder().with_persistence(Arc::new(MemoryBackend::new()), Duration::MAX);
    let series = Temperature::series("sf");
    series.register(&mut builder);
    let db = Arc::new(aimdb::build(builder).await);
    aimdb::produce(&db, "temperature.sf", Temperature::at(1)).await;
    let spawned = tokio::spawn({
        let (db, series) = (Arc::clone(&db), series.clone());
        async move {
            db.flush_persistence().await?;
            let mut all = db.query_range::<Temperature>("#", 0, 9, None).await?;
            all.extend(series.query_latest(&*db, 1).await?);
            all.extend(series.query_range(&*db, 0, 9, Some(1)).await?);
            all.extend(Temperature::query_range(&*db, 0, 9, None).await?);
            db.query_raw("#", QueryParams::default()).await?;
            db.close_persistence(Duration::from_secs(60)).await?;
            Ok::<_, PersistenceError>(all)
        }
    });
    assert_eq!(spawned.await.unwrap().unwrap(), vec![Temperature::at(1); 4]);
    assert_eq!(generic_latest::<Temperature>(&db).await.len(), 1);
    assert_eq!(generic_history::<Temperature>(&db).await.len(), 1);
    assert_eq!(boxed(&*db).await.unwrap().len(), 1);
}

/// A backend as its author writes it against the two modules.
struct Nothing;

impl FromBackend for Nothing {
    fn store<'a>(
        &'a self,
        _record_name: &'a str,
        _value: &'a serde_json::Value,
        _timestamp: u64,
    ) -> BackendFuture<'a, Result<(), ErrorOfError>> {
        Box::pin(async { Err(ErrorOfError::BackendShutdown) })
    }

    fn query<'a>(
        &'a self,
        _record_pattern: &'a str,
        _params: ParamsOfBackend,
    ) -> BackendFuture<'a, Result<Vec<StoredOfBackend>, ErrorOfError>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn cleanup(&self, _older_than: u64) -> BackendFuture<'_, Result<u64, ErrorOfError>> {
        Box::pin(async { Ok(0) })
    }
}

#[tokio::test]
async fn a_backend_is_an_object_with_a_provided_initialize() {
    let backend: Arc<dyn PersistenceBackend> = Arc::new(Nothing);
    is_send(backend.initialize()).await.unwrap();
    assert!(matches!(
        backend.store("a", &1.into(), 1).await,
        Err(PersistenceError::BackendShutdown)
    ));
    let shared = Arc::clone(&backend);
    let stored = tokio::spawn(async move { shared.query("*", QueryParams::default()).await });
    assert_eq!(stored.await.unwrap().unwrap(), []);
}

#[test]
fn errors_can_be_told_apart_without_reading_their_text() {
    let json = serde_json::from_str::<u64>("{").unwrap_err();
    assert!(matches!(
        PersistenceError::from(json),
        PersistenceError::Serialization(_)
    ));
    let text = PersistenceError::Backend("a backend's own words".to_owned());
    assert!(text.to_string().contains("a backend's own words"));
    let cause = std::io::Error::other("the cause");
    let full = StorageError::new(StorageErrorKind::DiskFull, "history.db is full");
    let full = PersistenceError::from(full.with_source(cause));
    assert_eq!(full.storage_kind(), Some(StorageErrorKind::DiskFull));
    let source = std::error::Error::source(&full).expect("the cause is kept");
    assert_eq!(source.to_string(), "the cause");
    fn can_cross_threads<T: Send + Sync + std::error::Error + 'static>() {}
    can_cross_threads::<PersistenceError>();
}

#[test]
fn the_types_of_the_contract_are_what_the_seed_shows() {
    let all = QueryParams::default();
    assert_eq!(
        (all.limit_per_record, all.start_time, all.end_time),
        (None, None, None)
    );
    let row = StoredValue {
        record_name: "a".to_owned(),
        value: serde_json::Value::Null,
        stored_at: 1,
    };
    assert_eq!(row.clone().stored_at, 1);
}
