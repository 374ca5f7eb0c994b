//! What a remote client is answered.

use std::borrow::Cow;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use aimdb_persistence::backend::{
    BackendHealth, BatchOutcome, BoxFuture, Feature, MemoryBackend, Page, Pattern,
    PersistenceBackend, PersistenceError, QueryParams, ReadRequest, RowVisitor, Rows, ScanRest,
    Scanned, SeriesDeclaration, StoredValue, SweepReport, SweepRequest, scan_by_read,
};
use aimdb_persistence::{
    AimDbBuilderPersistExt, AimDbQueryExt, PersistenceOptions, RecordRegistrarPersistExt,
    options::{RemoteHistory, RemoteLimits},
};
use aimdb_persistence_tests::backends::{Call, Gate, Interposed, on_every_backend};
use aimdb_persistence_tests::records::{FOREVER, Temperature};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::aimdb::{self, RemoteClient};

/// Two stations of ten values each, and a client of the database.
async fn two_stations(backend: Arc<dyn PersistenceBackend>) -> (TempDir, aimdb::Db, RemoteClient) {
    two_stations_with(PersistenceOptions::new(backend, FOREVER)).await
}

async fn two_stations_with(options: PersistenceOptions) -> (TempDir, aimdb::Db, RemoteClient) {
    let folder = tempfile::tempdir().unwrap();
    let builder = aimdb::builder().with_persistence_options(options);
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
    let options = PersistenceOptions::new(backend, FOREVER);
    let options = options.remote_limits(RemoteLimits::AIMDB_1);
    let (_folder, _db, mut client) = two_stations_with(options).await;
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
async fn a_pattern_that_would_be_long_to_match_is_refused_at_once() {
    let (_folder, _db, mut client) = two_stations(Arc::new(MemoryBackend::new())).await;
    let hostile = [
        "#.".repeat(20_000) + "#",
        "#.#::".repeat(100) + "#",
        "a.".repeat(5_000_000) + "a",
        "*a".repeat(20_000),
        "*.".repeat(80) + "*",
    ];
    for pattern in hostile {
        let error = client.query(json!({ "name": pattern })).await.unwrap_err();
        let error = error.to_string();
        assert!(error.len() < 1_000, "{error}");
        if aimdb::CLIENTS_ARE_TOLD_WHY {
            assert!(error.contains("too long"), "{error}");
        }
    }
    let folded = "#.".repeat(300) + "sf";
    let answer = client.query(json!({ "name": folded })).await.unwrap();
    assert_eq!(rows_of(&answer).len(), 1);
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

fn assert_reason(error: &Value, reason: &str) {
    let is_told = error.to_string().contains(reason);
    assert_eq!(is_told, aimdb::CLIENTS_ARE_TOLD_WHY, "{error}");
}

#[tokio::test]
async fn a_history_that_is_switched_off_answers_no_client_and_the_database_still() {
    let options = PersistenceOptions::new(Arc::new(MemoryBackend::new()), FOREVER);
    let (_folder, db, mut client) =
        two_stations_with(options.remote_history(RemoteHistory::Off)).await;
    for params in [json!({}), json!({ "name": "temperature.sf", "start": 0 })] {
        let error = client.query(params).await.unwrap_err();
        assert_reason(&error, "switched off");
    }
    let own: Vec<Temperature> = db.query_latest("temperature.*", 1).await.unwrap();
    assert_eq!(own.len(), 2);
}

#[tokio::test]
async fn a_client_sees_the_records_it_is_confined_to_and_nothing_of_others() {
    on_every_backend(async |backend| {
        // Not a record of this run, and one whose name no pattern can select.
        for key in ["temperature.oak.secret", "old.public"] {
            backend.store(key, &json!(1), 1).await.unwrap();
        }
        let options = PersistenceOptions::new(backend, FOREVER)
            .remote_history(RemoteHistory::only(["*.sf", "old.#"]).unwrap());
        let (_folder, db, mut client) = two_stations_with(options).await;
        let public = [("old.public", 1), ("temperature.sf", 9)];
        let answer = client.query(json!({})).await.unwrap();
        assert_eq!(names_of(&answer), public);
        for (name, expected) in [
            ("temperature.*", &public[1..]),
            ("temperature.sf", &public[1..]),
            ("temperature.oak", &[]),
            ("temperature.oak.secret", &[]),
            ("temperature.#", &public[1..]),
        ] {
            let answer = client.query(json!({ "name": name })).await.unwrap();
            assert_eq!(names_of(&answer), expected, "{name}");
        }
        let own = db
            .query_raw("temperature.oak", QueryParams::default())
            .await;
        assert_eq!(own.unwrap().len(), 10);
    })
    .await;
    let refused = RemoteHistory::only(["a.b", "a..*"]).unwrap_err();
    assert!(refused.to_string().contains("a..*"), "{refused}");
}

fn names_of(answer: &Value) -> Vec<(&str, u64)> {
    let mut rows: Vec<_> = aimdb::remote_rows(answer)
        .into_iter()
        .map(|(record, _, at)| match record.as_str() {
            "old.public" => ("old.public", at),
            "temperature.sf" => ("temperature.sf", at),
            other => panic!("{other} is not for this client"),
        })
        .collect();
    rows.sort_unstable();
    rows
}

#[tokio::test]
async fn a_client_is_not_told_why_another_record_is_not_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let options = PersistenceOptions::new(Arc::new(MemoryBackend::new()), FOREVER)
        .remote_history(RemoteHistory::only(["public.#"]).unwrap());
    let builder = aimdb::builder().with_persistence_options(options);
    let (mut builder, socket) = aimdb::add_remote_access(builder, folder.path());
    builder.configure::<Temperature>("rain", |reg| {
        reg.persist("rain");
    });
    let Some(_db) = aimdb::build_with_a_tap_without_buffer(builder).await else {
        return;
    };
    let mut client = RemoteClient::connect(&socket).await;
    let answer = client.query(json!({ "name": "rain" })).await.unwrap();
    assert_eq!(aimdb::remote_rows(&answer), []);
}

#[tokio::test]
async fn the_limits_of_an_answer_can_be_chosen() {
    let minute = Duration::from_secs(60);
    for (rows, bytes, expected) in [(3, usize::MAX, 3), (usize::MAX, 600, 3)] {
        let options = PersistenceOptions::new(Arc::new(MemoryBackend::new()), FOREVER);
        let options = options.remote_limits(RemoteLimits {
            rows,
            bytes,
            time: minute,
        });
        let (_folder, _db, mut client) = two_stations_with(options).await;
        let everything = json!({ "name": "temperature.sf", "start": 0 });
        let answer = client.query(everything).await.unwrap();
        assert_eq!(rows_of(&answer).len(), expected);
        assert_eq!(answer["truncated"], true);
    }
}

#[tokio::test]
async fn a_query_that_the_backend_does_not_answer_ends_at_its_time() {
    let unanswered = Interposed::waiting_at(&Gate::shut(), |call| *call == Call::Query);
    let options = PersistenceOptions::new(Arc::new(unanswered), FOREVER);
    let time = Duration::from_millis(20);
    let (_folder, _db, mut client) = two_stations_with(options.remote_limits(RemoteLimits {
        rows: 10,
        bytes: 1_000,
        time,
    }))
    .await;
    let error = client.query(json!({ "start": 0 })).await.unwrap_err();
    assert_reason(&error, "within 20 ms");
}

/// Answers one page of a query, and never the next.
struct OnePage(MemoryBackend);

#[deny(clippy::missing_trait_methods)]
impl PersistenceBackend for OnePage {
    fn store<'a>(
        &'a self,
        record_name: &'a str,
        value: &'a Value,
        timestamp: u64,
    ) -> BoxFuture<'a, Result<(), PersistenceError>> {
        self.0.store(record_name, value, timestamp)
    }

    fn query<'a>(
        &'a self,
        record_pattern: &'a str,
        params: QueryParams,
    ) -> BoxFuture<'a, Result<Vec<StoredValue>, PersistenceError>> {
        self.0.query(record_pattern, params)
    }

    fn cleanup(&self, older_than: u64) -> BoxFuture<'_, Result<u64, PersistenceError>> {
        self.0.cleanup(older_than)
    }

    fn read(&self, request: ReadRequest) -> BoxFuture<'_, Result<Page, PersistenceError>> {
        Box::pin(async move {
            if request.after.is_some() {
                pending::<()>().await;
            }
            self.0.read(request.with_page(4, usize::MAX)).await
        })
    }

    fn name(&self) -> Cow<'_, str> {
        self.0.name()
    }

    fn initialize(&self) -> BoxFuture<'_, Result<(), PersistenceError>> {
        self.0.initialize()
    }

    fn keeps_declarations(&self) -> bool {
        self.0.keeps_declarations()
    }

    fn supports(&self, feature: Feature) -> bool {
        self.0.supports(feature)
    }

    fn declare<'a>(
        &'a self,
        declarations: &'a [SeriesDeclaration],
    ) -> BoxFuture<'a, Result<(), PersistenceError>> {
        self.0.declare(declarations)
    }

    fn declarations<'a>(
        &'a self,
        pattern: &'a Pattern,
    ) -> BoxFuture<'a, Result<Vec<SeriesDeclaration>, PersistenceError>> {
        self.0.declarations(pattern)
    }

    fn store_batch(&self, rows: Arc<Rows>) -> BoxFuture<'_, BatchOutcome> {
        self.0.store_batch(rows)
    }

    fn scan(
        &self,
        request: ReadRequest,
        rest: Option<ScanRest>,
        visitor: Box<dyn RowVisitor>,
    ) -> BoxFuture<'_, Result<Scanned, PersistenceError>> {
        scan_by_read(self, request, rest, visitor)
    }

    fn last_stored<'a>(
        &'a self,
        record_name: &'a str,
    ) -> BoxFuture<'a, Result<Rows, PersistenceError>> {
        self.0.last_stored(record_name)
    }

    fn sweep(&self, request: SweepRequest) -> BoxFuture<'_, Result<SweepReport, PersistenceError>> {
        self.0.sweep(request)
    }

    fn flush(&self) -> BoxFuture<'_, Result<(), PersistenceError>> {
        self.0.flush()
    }

    fn erase<'a>(
        &'a self,
        record_name: &'a str,
        start_ms: u64,
        end_ms: u64,
    ) -> BoxFuture<'a, Result<u64, PersistenceError>> {
        self.0.erase(record_name, start_ms, end_ms)
    }

    fn rename<'a>(
        &'a self,
        from: &'a str,
        to: &'a str,
    ) -> BoxFuture<'a, Result<(), PersistenceError>> {
        self.0.rename(from, to)
    }

    fn health(&self) -> BackendHealth {
        self.0.health()
    }
}

#[tokio::test]
async fn what_was_found_in_time_is_answered_and_said_to_be_cut() {
    let backend = Arc::new(OnePage(MemoryBackend::new()));
    let options = PersistenceOptions::new(backend, FOREVER);
    let time = Duration::from_secs(1);
    let (_folder, _db, mut client) = two_stations_with(options.remote_limits(RemoteLimits {
        rows: 1_000,
        bytes: usize::MAX,
        time,
    }))
    .await;
    let ranged = json!({ "name": "temperature.sf", "start": 0 });
    let answer = client.query(ranged).await.unwrap();
    assert_eq!(rows_of(&answer).len(), 4);
    assert_eq!(answer["truncated"], true);
}
