//! What a remote client is answered.

use std::sync::Arc;

use aimdb_persistence::{
    AimDbBuilderPersistExt, AimDbQueryExt, MemoryBackend, PersistenceBackend, QueryParams,
    RecordRegistrarPersistExt,
};
use aimdb_persistence_tests::backends::on_every_backend;
use aimdb_persistence_tests::records::{FOREVER, Temperature};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::aimdb::{self, RemoteClient};

/// Two stations of ten values each, and a client of the database.
async fn two_stations(backend: Arc<dyn PersistenceBackend>) -> (TempDir, aimdb::Db, RemoteClient) {
    let folder = tempfile::tempdir().unwrap();
    let builder = aimdb::builder().with_persistence(backend, FOREVER);
    let (mut builder, socket) = aimdb::add_remote_access(builder, folder.path());
    for station in ["sf", "oak"] {
        Temperature::series(station).register(&mut builder);
    }
    let db = aimdb::build(builder).await;
    for at in 0..10 {
        for station in ["sf", "oak"] {
            aimdb::produce(&db, &format!("temperature.{station}"), Temperature::at(at)).await;
        }
    }
    db.flush_persistence().await.unwrap();
    let client = RemoteClient::connect(&socket).await;
    (folder, db, client)
}

fn rows_of(answer: &Value) -> Vec<(String, u64)> {
    aimdb::remote_rows(answer)
        .into_iter()
        .map(|(record, value, stored_at)| {
            assert_eq!(
                value,
                serde_json::to_value(Temperature::at(stored_at)).unwrap()
            );
            (record, stored_at)
        })
        .collect()
}

fn rows(expected: &[(&str, u64)]) -> Vec<(String, u64)> {
    let owned = |(record, at): &(&str, u64)| ((*record).to_owned(), *at);
    expected.iter().map(owned).collect()
}

#[tokio::test]
async fn without_range_and_limit_the_newest_of_each_record_is_answered() {
    on_every_backend(async |backend| {
        let (_folder, _db, mut client) = two_stations(backend).await;
        let newest_of_both = rows(&[("temperature.oak", 9), ("temperature.sf", 9)]);
        for params in [
            json!({ "name": "temperature.*" }),
            json!({ "name": aimdb::EVERY_RECORD }),
            json!({}),
        ] {
            let answer = client.query(params).await.unwrap();
            assert_eq!(rows_of(&answer), newest_of_both);
            assert_eq!(answer.get("truncated"), None);
        }
        let answer = client
            .query(json!({ "name": "temperature.sf" }))
            .await
            .unwrap();
        assert_eq!(rows_of(&answer), rows(&[("temperature.sf", 9)]));
    })
    .await;
}

#[tokio::test]
async fn a_limit_is_per_record_and_a_range_without_one_is_answered_whole() {
    on_every_backend(async |backend| {
        let (_folder, _db, mut client) = two_stations(backend).await;
        let limited = json!({ "name": "temperature.*", "limit": 2 });
        let answer = client.query(limited).await.unwrap();
        assert_eq!(
            aimdb::in_query_order(rows_of(&answer)),
            rows(&[
                ("temperature.oak", 9),
                ("temperature.oak", 8),
                ("temperature.sf", 9),
                ("temperature.sf", 8)
            ])
        );
        let ranged = json!({ "name": "temperature.sf", "start": 3, "end": 5 });
        let answer = client.query(ranged).await.unwrap();
        assert_eq!(
            aimdb::in_query_order(rows_of(&answer)),
            rows(&[
                ("temperature.sf", 5),
                ("temperature.sf", 4),
                ("temperature.sf", 3)
            ])
        );
        for half_open in [json!({ "start": 8 }), json!({ "end": 1 })] {
            let answer = client.query(half_open).await.unwrap();
            assert_eq!(rows_of(&answer).len(), 4);
        }
        let both = json!({ "name": "temperature.sf", "start": 3, "end": 5, "limit": 1 });
        let answer = client.query(both).await.unwrap();
        assert_eq!(rows_of(&answer), rows(&[("temperature.sf", 5)]));
        let nothing = client.query(json!({ "name": "rain" })).await.unwrap();
        assert_eq!(rows_of(&nothing), []);
    })
    .await;
}

#[tokio::test]
async fn an_answer_that_is_cut_says_so() {
    let backend = Arc::new(MemoryBackend::new());
    for at in 0..10_001 {
        let value = serde_json::to_value(Temperature::at(at)).unwrap();
        backend.store("temperature.sf", &value, at).await.unwrap();
    }
    let (_folder, _db, mut client) = two_stations(backend).await;
    let everything = json!({ "name": "temperature.sf", "start": 0 });
    let answer = client.query(everything).await.unwrap();
    assert_eq!(rows_of(&answer).len(), 10_000);
    assert_eq!(answer["truncated"], true);
    let just_fits = json!({ "name": "temperature.sf", "start": 0, "limit": 10_000 });
    let answer = client.query(just_fits).await.unwrap();
    assert_eq!(rows_of(&answer).len(), 10_000);
    assert_eq!(answer.get("truncated"), None);
}

#[tokio::test]
async fn what_cannot_be_answered_is_an_error_with_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let builder = aimdb::builder().with_persistence(Arc::new(MemoryBackend::new()), FOREVER);
    let (mut builder, socket) = aimdb::add_remote_access(builder, folder.path());
    builder.configure::<Temperature>("rain", |reg| {
        reg.persist("rain");
    });
    let Some(db) = aimdb::build_with_a_tap_without_buffer(builder).await else {
        return;
    };
    let mut client = RemoteClient::connect(&socket).await;
    for (name, reason) in [("a..*", "a..*"), ("rain", ".buffer(")] {
        let error = client.query(json!({ "name": name })).await.unwrap_err();
        assert!(error.to_string().contains(reason), "{error}");
    }
    drop(db);
}

#[tokio::test]
async fn a_client_s_query_and_the_database_s_agree() {
    let (_folder, db, mut client) = two_stations(Arc::new(MemoryBackend::new())).await;
    let answer = client
        .query(json!({ "name": "temperature.*", "start": 0 }))
        .await
        .unwrap();
    let own = db
        .query_raw("temperature.*", QueryParams::default())
        .await
        .unwrap();
    let own: Vec<_> = own
        .into_iter()
        .map(|row| (row.record_name, row.stored_at))
        .collect();
    assert_eq!(aimdb::in_query_order(rows_of(&answer)), own);
}
