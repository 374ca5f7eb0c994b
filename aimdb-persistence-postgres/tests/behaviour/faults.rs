//! Servers, settings and rows that are at fault: each an error of its kind that says what to do.

use std::sync::Arc;
use std::time::Duration;

use aimdb_persistence::backend::{PersistenceError, Rows, StorageErrorKind};
use aimdb_persistence::{PersistenceBackend, QueryParams};
use aimdb_persistence_postgres::{PostgresBackend, PostgresBackendBuilder};
use serde_json::json;

use crate::proxy::Proxy;
use crate::support::{builder, open, rows, scratch, session, store_at_last, values};

/// What no message may show.
const PASSWORD: &str = "s3cr3t-p4ssw0rd";

async fn refused(builder: PostgresBackendBuilder) -> PersistenceError {
    let debug = format!("{builder:?}");
    assert!(!debug.contains(PASSWORD), "{debug}");
    let error = builder.connect().await.expect_err("it is refused");
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains(PASSWORD), "{shown}");
    error
}

#[track_caller]
fn expect(error: &PersistenceError, kind: StorageErrorKind, says: &str) {
    assert_eq!(error.storage_kind(), Some(kind), "{error}");
    assert!(error.to_string().contains(says), "{error}");
}

#[tokio::test]
async fn a_wrong_password_is_refused_and_no_password_is_ever_shown() {
    let Some(place) = scratch() else { return };
    let admin = open(&place, "admin").await;
    let session = session(&place).await;
    let role = format!(
        "DO $$ BEGIN CREATE ROLE secret LOGIN PASSWORD '{PASSWORD}'; EXCEPTION WHEN duplicate_object THEN END $$; \
         GRANT USAGE ON SCHEMA \"{schema}\" TO secret; \
         GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA \"{schema}\" TO secret",
        schema = place.schema
    );
    session.batch_execute(&role).await.unwrap();
    drop(admin);
    let url = place.url.replace("postgres@", "secret@");
    let of = |url: &str| {
        PostgresBackend::builder(url)
            .schema(&*place.schema)
            .source("gateway")
    };
    for wrong in ["", "wrong"] {
        let error = refused(of(&url).password(format!("{PASSWORD}{wrong}x"))).await;
        expect(
            &error,
            StorageErrorKind::CannotOpen,
            "check the user, the password",
        );
    }
    let in_url = url.replace("secret@", &format!("secret:{PASSWORD}x@"));
    let error = refused(of(&in_url)).await;
    expect(
        &error,
        StorageErrorKind::CannotOpen,
        "password authentication failed",
    );

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    std::fs::write(&file, format!("{PASSWORD}\n")).unwrap();
    for right in [
        of(&url).password(PASSWORD),
        of(&url).password_file(&file),
        of(&url).password_with(|| Ok(PASSWORD.to_owned())),
        of(&url.replace("secret@", &format!("secret:{PASSWORD}@"))),
    ] {
        let backend = right
            .take_over()
            .connect()
            .await
            .expect("the password is right");
        let shown = format!("{backend:?} {}", backend.name());
        assert!(!shown.contains(PASSWORD), "{shown}");
        assert_eq!(backend.store_batch(rows("a", [1])).await.settled, 1);
    }
    let missing = refused(of(&url).password_file(folder.path().join("none"))).await;
    expect(&missing, StorageErrorKind::CannotOpen, "cannot be read");
    let unasked = refused(of(&url).password_with(|| Err("the vault is sealed".into()))).await;
    expect(
        &unasked,
        StorageErrorKind::CannotOpen,
        "the vault is sealed",
    );
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_is_told_with_what_to_check() {
    for url in [
        "postgresql://u@127.0.0.1:1/history?sslmode=disable",
        "postgresql://u@db.invalid/history?sslmode=disable",
        "postgresql://u@%2Fnowhere/history",
    ] {
        let error = refused(PostgresBackend::builder(url).source("gateway")).await;
        expect(
            &error,
            StorageErrorKind::Busy,
            "check that the server runs and can be reached from here",
        );
    }
    let error = refused(PostgresBackend::builder("db.example").source("gateway")).await;
    expect(
        &error,
        StorageErrorKind::CannotOpen,
        "postgresql://user@host:5432/database",
    );
}

#[tokio::test]
async fn a_server_without_tls_is_refused_over_the_network() {
    let Some(server) = aimdb_persistence_test_server::server() else {
        return;
    };
    let proxy = Proxy::before(server.socket()).await;
    let url = proxy
        .url()
        .replace("sslmode=disable", "sslmode=verify-full");
    let error = refused(PostgresBackend::builder(&url).source("gateway")).await;
    expect(
        &error,
        StorageErrorKind::CannotOpen,
        "the server offers no TLS",
    );
}

#[tokio::test]
async fn a_role_without_rights_on_the_schema_is_told_which_are_missing() {
    let Some(place) = scratch() else { return };
    open(&place, "admin").await;
    let session = session(&place).await;
    let role =
        "DO $$ BEGIN CREATE ROLE nobody_special LOGIN; EXCEPTION WHEN duplicate_object THEN END $$";
    session.batch_execute(role).await.unwrap();
    let url = place.url.replace("postgres@", "nobody_special@");
    let of = |url: &str| PostgresBackend::builder(url).source("gateway");
    let error = refused(of(&url).schema(&*place.schema)).await;
    expect(
        &error,
        StorageErrorKind::ReadOnly,
        "grant the role its rights",
    );
    let error = refused(of(&url).schema(format!("{}_new", place.schema))).await;
    expect(
        &error,
        StorageErrorKind::ReadOnly,
        "permission denied for database",
    );
}

#[tokio::test]
async fn a_foreign_table_in_the_way_and_a_schema_without_a_history_are_refused() {
    let Some(place) = scratch() else { return };
    let reader = builder(&place, "gateway").read_only();
    let error = refused(reader).await;
    expect(
        &error,
        StorageErrorKind::CannotOpen,
        "there is no history in the schema",
    );
    let foreign = session_without_schema(&place.url).await;
    let table = format!(
        "CREATE SCHEMA \"{0}\"; CREATE TABLE \"{0}\".source (mine text)",
        place.schema
    );
    foreign.batch_execute(&table).await.unwrap();
    let error = refused(builder(&place, "gateway")).await;
    expect(
        &error,
        StorageErrorKind::CannotOpen,
        "a table `source` that is not of a history",
    );
}

async fn session_without_schema(url: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    client
}

#[tokio::test]
async fn a_history_of_a_newer_program_is_refused_and_may_be_read_where_it_says_so() {
    let Some(place) = scratch() else { return };
    open(&place, "gateway").await.close().await.unwrap();
    let session = session(&place).await;
    let newer = "UPDATE meta SET value = 99 WHERE name IN ('format', 'oldest_writer')";
    session.batch_execute(newer).await.unwrap();
    let error = refused(builder(&place, "gateway")).await;
    expect(&error, StorageErrorKind::TooNew, "update the program");
    let reader = builder(&place, "gateway")
        .read_only()
        .connect()
        .await
        .unwrap();
    assert!(
        reader
            .query("#", QueryParams::default())
            .await
            .unwrap()
            .is_empty()
    );
    let newer = "UPDATE meta SET value = 99 WHERE name = 'oldest_reader'";
    session.batch_execute(newer).await.unwrap();
    let error = refused(builder(&place, "gateway").read_only()).await;
    expect(&error, StorageErrorKind::TooNew, "update the program");
}

#[tokio::test]
async fn a_server_that_only_reads_is_told_apart() {
    let Some(place) = scratch() else { return };
    open(&place, "gateway").await.close().await.unwrap();
    let url = format!(
        "{}?options=-c%20default_transaction_read_only%3Don",
        place.url
    );
    let of = || {
        PostgresBackend::builder(&url)
            .schema(&*place.schema)
            .source("gateway")
    };
    let error = refused(of()).await;
    expect(&error, StorageErrorKind::ReadOnly, "`.read_only()`");
    let reader = of().read_only().connect().await.unwrap();
    assert!(values(&reader, "#").await.unwrap().is_empty());
}

#[tokio::test]
async fn a_backend_that_only_reads_refuses_to_write() {
    let Some(place) = scratch() else { return };
    let writer = open(&place, "gateway").await;
    writer.store_batch(rows("a", [1])).await;
    let reader = builder(&place, "gateway")
        .read_only()
        .connect()
        .await
        .unwrap();
    assert_eq!(values(&reader, "a").await.unwrap(), [1]);
    let outcome = reader.store_batch(rows("a", [2])).await;
    expect(
        &outcome.stopped_by.unwrap(),
        StorageErrorKind::ReadOnly,
        ".read_only()",
    );
    expect(
        &reader.cleanup(9).await.unwrap_err(),
        StorageErrorKind::ReadOnly,
        ".read_only()",
    );
    reader.flush().await.unwrap();
    writer.store_batch(rows("a", [3])).await;
    assert_eq!(values(&reader, "a").await.unwrap(), [1, 3]);
    reader.close().await.unwrap();
    let closed = values(&reader, "a").await.unwrap_err();
    assert!(
        matches!(closed, PersistenceError::BackendShutdown),
        "{closed}"
    );
}

#[tokio::test]
async fn a_server_out_of_connections_is_busy() {
    let Some(place) = scratch() else { return };
    open(&place, "admin").await;
    let session = session(&place).await;
    let role = format!(
        "DO $$ BEGIN CREATE ROLE only_one SUPERUSER LOGIN; EXCEPTION WHEN duplicate_object THEN END $$; \
         ALTER ROLE only_one NOSUPERUSER CONNECTION LIMIT 1; \
         GRANT ALL ON SCHEMA \"{schema}\" TO only_one; GRANT ALL ON ALL TABLES IN SCHEMA \"{schema}\" TO only_one",
        schema = place.schema
    );
    session.batch_execute(&role).await.unwrap();
    let url = place.url.replace("postgres@", "only_one@");
    let builder = PostgresBackend::builder(&url).schema(&*place.schema);
    let backend = builder.source("gateway").connect().await.unwrap();
    assert_eq!(backend.store_batch(rows("a", [1])).await.settled, 1);
    let error = values(&backend, "a").await.unwrap_err();
    expect(&error, StorageErrorKind::Busy, "too many connections");
}

#[tokio::test]
async fn what_is_locked_by_others_is_waited_for_within_the_limits_and_stored_later() {
    let Some(place) = scratch() else { return };
    let backend = builder(&place, "gateway");
    let backend = backend
        .lock_timeout(Duration::from_millis(150))
        .connect()
        .await
        .unwrap();
    store_at_last(&backend, &rows("a", [1])).await;
    let other = session(&place).await;
    other
        .batch_execute("BEGIN; SELECT * FROM source FOR UPDATE")
        .await
        .unwrap();
    let outcome = backend.store_batch(rows("a", [2])).await;
    expect(
        &outcome.stopped_by.unwrap(),
        StorageErrorKind::Busy,
        "lock timeout",
    );
    other
        .batch_execute("COMMIT; BEGIN; LOCK TABLE history")
        .await
        .unwrap();
    let outcome = backend.store_batch(rows("a", 10..610)).await;
    expect(
        &outcome.stopped_by.unwrap(),
        StorageErrorKind::Busy,
        "lock timeout",
    );
    other.batch_execute("COMMIT").await.unwrap();
    store_at_last(&backend, &rows("a", [3])).await;
    assert_eq!(values(&backend, "a").await.unwrap(), [1, 3]);
}

#[tokio::test]
async fn a_statement_that_outlasts_its_limit_is_ended() {
    let Some(place) = scratch() else { return };
    let backend = builder(&place, "gateway");
    let backend = backend
        .statement_timeout(Duration::from_millis(150))
        .connect()
        .await
        .unwrap();
    store_at_last(&backend, &rows("a", [1])).await;
    let other = session(&place).await;
    other
        .batch_execute("BEGIN; LOCK TABLE history")
        .await
        .unwrap();
    let outcome = backend.store_batch(rows("a", [2])).await;
    expect(
        &outcome.stopped_by.unwrap(),
        StorageErrorKind::Busy,
        "statement timeout",
    );
    let error = values(&backend, "a").await.unwrap_err();
    expect(&error, StorageErrorKind::Busy, "statement timeout");
    other.batch_execute("COMMIT").await.unwrap();
    store_at_last(&backend, &rows("a", [3])).await;
    assert_eq!(values(&backend, "a").await.unwrap(), [1, 3]);
}

#[tokio::test]
async fn nul_in_a_text_is_stored_and_in_a_name_selects_nothing() {
    let Some(place) = scratch() else { return };
    let backend = open(&place, "gateway").await;
    let value = json!({ "text": "before\u{0}after", "n\u{0}": -0.0 });
    backend.store("a", &value, 1).await.unwrap();
    let found = backend.query("a", QueryParams::default()).await.unwrap();
    assert_eq!(found[0].value, value);
    let mut odd = Rows::new();
    for json in ["-0.0", "1e5", "{\"a\":1,\"a\":2}", "\"\\u0000\"", " [ 1 ]"] {
        odd.push("odd", 1, json);
    }
    backend.store_batch(Arc::new(odd.clone())).await;
    let read =
        aimdb_persistence::backend::ReadRequest::new(aimdb_persistence::Pattern::exact("odd"));
    let page = backend.read(read).await.unwrap();
    let texts: Vec<_> = page.rows.iter().map(|row| row.json).collect();
    let expected: Vec<_> = (0..odd.len())
        .rev()
        .map(|row| odd.get(row).unwrap().json)
        .collect();
    assert_eq!(texts, expected, "every text comes back byte for byte");
    for name in ["a\u{0}", "\u{0}"] {
        assert_eq!(values(&backend, name).await.unwrap(), [0; 0]);
        assert!(backend.last_stored(name).await.unwrap().is_empty());
        assert_eq!(backend.erase(name, 0, u64::MAX).await.unwrap(), 0);
        assert!(backend.rename(name, "b").await.is_err());
    }
    // Longer than what an index holds, and not to be compressed.
    let mut lottery = fastrand::Rng::with_seed(1);
    let long: String = (0..20_000).map(|_| lottery.alphanumeric()).collect();
    for at in [1, 2] {
        backend.store(&long, &json!(at), at).await.unwrap();
    }
    assert_eq!(values(&backend, &long).await.unwrap(), [1, 2]);
}

#[tokio::test]
async fn a_backend_that_was_opened_lazily_stores_when_the_server_comes() {
    let Some(mut server) = aimdb_persistence_test_server::server() else {
        return;
    };
    let url = server.url();
    server.stop();
    let backend = PostgresBackend::builder(&url)
        .source("gateway")
        .connect_lazily()
        .await
        .unwrap();
    let outcome = backend.store_batch(rows("a", [1])).await;
    expect(
        &outcome.stopped_by.unwrap(),
        StorageErrorKind::Busy,
        "check that the server runs",
    );
    expect(
        &values(&backend, "a").await.unwrap_err(),
        StorageErrorKind::Busy,
        "check that the server runs",
    );
    server.run();
    store_at_last(&backend, &rows("a", [2])).await;
    assert_eq!(values(&backend, "a").await.unwrap(), [2]);
    backend.close().await.unwrap();
}
