//! Remote answers that are too long for one: every row arrives, and a client knows how to go on.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aimdb_persistence::backend::{MemoryBackend, PersistenceBackend};
use aimdb_persistence::{
    AimDbBuilderPersistExt, PersistenceEvent, PersistenceOptions,
    options::{RemoteHistory, RemoteLimits},
};
use aimdb_persistence_tests::backends::on_every_backend;
use aimdb_persistence_tests::events::Events;
use aimdb_persistence_tests::records::FOREVER;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::aimdb::{self, RemoteClient};

/// A client of a database with this history, and what the database lives on.
async fn client(options: PersistenceOptions) -> (RemoteClient, aimdb::Db, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let builder = aimdb::builder().with_persistence_options(options);
    let (builder, socket) = aimdb::add_remote_access(builder, folder.path());
    let db = aimdb::build(builder).await;
    (RemoteClient::connect(&socket).await, db, folder)
}

fn options(backend: Arc<dyn PersistenceBackend>, rows: usize, bytes: usize) -> PersistenceOptions {
    let time = Duration::from_secs(60);
    PersistenceOptions::new(backend, FOREVER).remote_limits(RemoteLimits { rows, bytes, time })
}

/// Every answer, from the first to the one that is whole.
async fn all_answers(client: &mut RemoteClient, first: Value) -> Vec<Value> {
    let mut answers = vec![client.query(first).await.unwrap()];
    while let Some(cursor) = answers.last().unwrap().get("cursor").cloned() {
        assert_eq!(answers.last().unwrap()["truncated"], true);
        answers.push(client.query(json!({ "name": cursor })).await.unwrap());
        assert!(answers.len() < 2_000, "it comes to an end");
    }
    assert_eq!(answers.last().unwrap().get("truncated"), None);
    answers
}

fn values(answers: &[Value]) -> BTreeMap<String, Vec<Value>> {
    let mut values: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for (record, value, _) in answers.iter().flat_map(aimdb::remote_rows) {
        values.entry(record).or_default().push(value);
    }
    values
        .values_mut()
        .for_each(|values| values.sort_by_key(Value::to_string));
    values
}

async fn store(backend: &dyn PersistenceBackend, record: &str, value: Value, at: u64) {
    backend.store(record, &value, at).await.unwrap();
}

#[tokio::test]
async fn with_the_cursor_of_a_truncated_answer_a_client_gets_every_row_once() {
    on_every_backend(async |backend| {
        let mut expected: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for (record, rows) in [("a.few", 3), ("a.many", 400), ("b.none", 0), ("b.one", 1)] {
            for at in 0..rows {
                store(&*backend, record, json!(at), at / 2).await;
                expected
                    .entry(record.to_owned())
                    .or_default()
                    .push(json!(at));
            }
        }
        expected
            .values_mut()
            .for_each(|values| values.sort_by_key(Value::to_string));
        for (rows, bytes) in [(7, 1 << 20), (1_000, 2_000), (1, 1 << 20), (1_000, 1 << 20)] {
            let (mut client, _db, _folder) = client(options(backend.clone(), rows, bytes)).await;
            let answers = all_answers(&mut client, json!({ "name": "#", "start": 0 })).await;
            assert_eq!(values(&answers), expected, "{rows} rows, {bytes} bytes");
            for answer in &answers {
                assert!(aimdb::remote_rows(answer).len() <= rows);
                assert!(answer.to_string().len() <= bytes, "{answer}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn by_default_an_answer_is_as_long_as_connections_carry() {
    let backend = Arc::new(MemoryBackend::new());
    for at in 0..3_000 {
        store(&*backend, "noted", json!("x".repeat(100)), at).await;
    }
    let (mut client, _db, _folder) = client(PersistenceOptions::new(backend, FOREVER)).await;
    let everything = json!({ "name": "noted", "start": 0 });
    let answer = client.query(everything).await.unwrap();
    let bytes = answer.to_string().len();
    assert!(bytes <= aimdb::ANSWER_BYTES, "{bytes}");
    let has_all = aimdb::remote_rows(&answer).len() == 3_000;
    assert_eq!(has_all, aimdb::ANSWER_BYTES > 1 << 20);
    assert!(has_all || bytes > aimdb::ANSWER_BYTES / 2, "{bytes}");
}

#[tokio::test]
async fn a_limit_per_record_holds_over_all_answers() {
    let backend = Arc::new(MemoryBackend::new());
    for record in ["a", "b", "c"] {
        for at in 0..20 {
            store(&*backend, record, json!(at), at).await;
        }
    }
    let (mut client, _db, _folder) = client(options(backend, 4, 1 << 20)).await;
    let answers = all_answers(&mut client, json!({ "name": "#", "limit": 6 })).await;
    let newest_six: Vec<Value> = ["14", "15", "16", "17", "18", "19"]
        .map(|n| n.parse::<u64>().unwrap().into())
        .to_vec();
    for (record, values) in values(&answers) {
        assert_eq!(values, newest_six, "{record}");
    }
    let newest = all_answers(&mut client, json!({ "name": "#" })).await;
    assert_eq!(values(&newest).len(), 3);
}

#[tokio::test]
async fn more_rows_of_one_millisecond_than_an_answer_holds_can_be_had() {
    on_every_backend(async |backend| {
        for n in 0..100 {
            store(&*backend, "burst", json!(n), 5).await;
        }
        let (mut client, _db, _folder) = client(options(backend, 9, 1 << 20)).await;
        let of_that_time = json!({ "name": "burst", "start": 5, "end": 5 });
        let answers = all_answers(&mut client, of_that_time).await;
        assert_eq!(values(&answers)["burst"].len(), 100);
    })
    .await;
}

#[tokio::test]
async fn one_series_does_not_starve_the_others() {
    let backend = Arc::new(MemoryBackend::new());
    for at in 0..5_000 {
        store(&*backend, "a.busy", json!(at), at).await;
    }
    for record in ["b.calm", "c.calm"] {
        for at in 0..20 {
            store(&*backend, record, json!(at), at).await;
        }
    }
    let (mut client, _db, _folder) = client(options(backend, 100, 1 << 20)).await;
    let answer = client
        .query(json!({ "name": "#", "start": 0 }))
        .await
        .unwrap();
    let counts: Vec<usize> = values(&[answer]).values().map(Vec::len).collect();
    assert_eq!(counts, [34, 20, 20]);
}

#[tokio::test]
async fn a_row_that_no_answer_has_room_for_is_left_out_and_told_and_no_wall_for_others() {
    on_every_backend(async |backend| {
        store(&*backend, "a", json!(1), 1).await;
        store(&*backend, "a", json!("x".repeat(5_000)), 2).await;
        store(&*backend, "a", json!(3), 3).await;
        store(&*backend, "b", json!("y".repeat(5_000)), 4).await;
        store(&*backend, "c", json!(5), 5).await;
        let (mut client, _db, _folder) = client(options(backend, 100, 4_000)).await;
        let answers = all_answers(&mut client, json!({ "name": "#", "start": 0 })).await;
        let found: Vec<_> = values(&answers).into_iter().collect();
        let expected = [
            ("a".to_owned(), vec![json!(1), json!(3)]),
            ("c".to_owned(), vec![json!(5)]),
        ];
        assert_eq!(found, expected);
        let told: u64 = answers
            .iter()
            .filter_map(|a| a["too_large"]["rows"].as_u64())
            .sum();
        assert_eq!(told, 2);
        assert_eq!(answers[0]["too_large"]["record"], "a");
        assert_eq!(answers[0]["too_large"]["stored_at"], 2);
        let newest = all_answers(&mut client, json!({ "name": "#" })).await;
        assert_eq!(values(&newest).len(), 2);
    })
    .await;
}

#[tokio::test]
async fn thousands_of_series_are_all_answered_in_the_end() {
    let backend = Arc::new(MemoryBackend::new());
    for n in 0..1_500 {
        for at in 0..3 {
            store(&*backend, &format!("machine.{n:04}.state"), json!(at), at).await;
        }
    }
    let (mut client, _db, _folder) = client(options(backend, 10_000, 60 * 1024)).await;
    for params in [json!({ "name": "#" }), json!({ "name": "#", "start": 0 })] {
        let rows_each = if params.get("start").is_some() { 3 } else { 1 };
        let answers = all_answers(&mut client, params).await;
        let values = values(&answers);
        assert_eq!(values.len(), 1_500);
        assert!(values.values().all(|values| values.len() == rows_each));
        let longest = answers.iter().map(|answer| answer.to_string().len()).max();
        assert!(longest <= Some(60 * 1024), "{longest:?}");
    }
}

#[tokio::test]
async fn a_cursor_reaches_no_further_than_a_pattern_and_a_damaged_one_is_refused() {
    let backend = Arc::new(MemoryBackend::new());
    for record in ["public.a", "secret.a"] {
        for at in 0..50 {
            store(&*backend, record, json!(at), at).await;
        }
    }
    let everything = json!({ "name": "#", "start": 0 });
    let (mut open, _db, _folder) = client(options(backend.clone(), 10, 1 << 20)).await;
    let cursor = open.query(everything).await.unwrap()["cursor"].clone();
    let cursor = cursor.as_str().unwrap().to_owned();
    assert!(cursor.contains("secret.a"));
    let events = Events::new();
    let confined = options(backend, 10, 1 << 20)
        .remote_history(RemoteHistory::only(["public.#"]).unwrap())
        .on_event(events.listener());
    let (mut confined, _db, _folder) = client(confined).await;
    let another = cursor.replace("secret", "public");
    for refused in [&cursor, &cursor[..cursor.len() - 3], &another, "{go on}"] {
        let error = confined
            .query(json!({ "name": refused }))
            .await
            .unwrap_err();
        let is_told = error.to_string().contains("cursor");
        assert_eq!(is_told, aimdb::CLIENTS_ARE_TOLD_WHY, "{error}");
    }
    let is_told = |event: &PersistenceEvent| matches!(event, PersistenceEvent::RemoteQueryFailed { error } if error.contains("cursor"));
    let expected = usize::from(!aimdb::CLIENTS_ARE_TOLD_WHY);
    assert_eq!(events.count(is_told), expected, "{:?}", events.all());
}
