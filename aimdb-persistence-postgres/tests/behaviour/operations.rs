//! What whoever runs the server meets: the view, the roles, and how sessions show.

use std::sync::Arc;

use aimdb_persistence::PersistenceBackend;
use aimdb_persistence::Retention;
use aimdb_persistence::backend::{
    DeclaredField, Rows, SeriesDeclaration, StorageErrorKind, SweepRequest,
};
use aimdb_persistence_postgres::PostgresBackend;

use crate::support::{open, rows, scratch, session, values};

/// The code block of this language in the page on PostgreSQL that contains the text.
fn of_the_page(text: &str) -> String {
    let page = include_str!("../../../docs/postgres.md");
    let blocks = page.split("```sql\n").skip(1);
    let mut blocks = blocks
        .filter_map(|block| block.split_once("```"))
        .map(|(block, _)| block);
    blocks
        .find(|block| block.contains(text))
        .expect("the page has it")
        .to_owned()
}

#[tokio::test]
async fn the_view_begins_as_that_of_a_file_and_says_more() {
    let Some(place) = scratch() else { return };
    let backend = open(&place, "gateway").await;
    let fields = [
        DeclaredField::new("at"),
        DeclaredField::new("celsius").with_unit("°C"),
    ];
    let declared = SeriesDeclaration::new("t.sf").with_fields(fields);
    backend.declare(&[declared]).await.unwrap();
    let mut batch = Rows::new();
    batch.push_versioned("t.sf", 1_700_000_000_123, r#"{"celsius":1e1}"#, u32::MAX);
    batch.push("t.sf", 5, "null");
    backend.store_batch(Arc::new(batch)).await;
    let session = session(&place).await;
    let view = "SELECT id, record_name, value_json, stored_at, source, time::text, unit, version, record_history.* \
         FROM record_history ORDER BY stored_at DESC";
    let found = session.query(view, &[]).await.unwrap();
    let row = &found[0];
    assert_eq!(row.get::<_, &str>(1), "t.sf");
    assert_eq!(row.get::<_, &str>(2), r#"{"celsius":1e1}"#);
    assert_eq!(row.get::<_, i64>(3), 1_700_000_000_123);
    assert_eq!(row.get::<_, &str>(4), "gateway");
    assert_eq!(row.get::<_, &str>(5), "2023-11-14 22:13:20.123+00");
    assert_eq!(row.get::<_, &str>(6), "°C");
    assert_eq!(row.get::<_, i64>(7), i64::from(u32::MAX));
    assert_eq!(found[1].get::<_, Option<i64>>(7), None);
    let columns: Vec<_> = row.columns()[8..]
        .iter()
        .map(|column| column.name())
        .collect();
    let expected = [
        "id",
        "record_name",
        "value_json",
        "stored_at",
        "source",
        "time",
        "unit",
        "version",
    ];
    assert_eq!(columns, expected);
}

#[tokio::test]
async fn a_range_of_one_record_newest_first_is_read_by_the_index() {
    let Some(place) = scratch() else { return };
    let backend = open(&place, "gateway").await;
    for series in 0..20 {
        backend
            .store_batch(rows(&format!("r.{series}"), 0..1_000))
            .await;
    }
    let session = session(&place).await;
    session
        .batch_execute("ANALYZE history; ANALYZE series; ANALYZE source")
        .await
        .unwrap();
    let range =
        "record_name = 'r.7' AND stored_at BETWEEN 500 AND 599 ORDER BY stored_at DESC LIMIT 10";
    for condition in [range.to_owned(), format!("source = 'gateway' AND {range}")] {
        let explain = format!("EXPLAIN SELECT value_json FROM record_history WHERE {condition}");
        let plan = session.query(&explain, &[]).await.unwrap();
        let plan: Vec<String> = plan.iter().map(|row| row.get(0)).collect();
        let plan = plan.join("\n");
        assert!(plan.contains("history_place"), "{plan}");
        assert!(!plan.contains("Seq Scan on history"), "{plan}");
        let of_index = plan
            .lines()
            .find(|line| line.contains("Index Cond") && line.contains("stored_at"));
        assert!(
            of_index.is_some_and(|line| line.contains("series") && line.contains("source")),
            "{plan}"
        );
    }
}

#[tokio::test]
async fn the_query_for_grafana_on_the_page_runs() {
    let Some(place) = scratch() else { return };
    let backend = open(&place, "gateway").await;
    let mut batch = Rows::new();
    for at in 0..10 {
        batch.push(
            "temperature.sf",
            at * 1_000,
            &format!("{{\"celsius\":{at}.5}}"),
        );
    }
    backend.store_batch(Arc::new(batch)).await;
    let session = session(&place).await;
    let query = of_the_page("$__unixEpochFrom()");
    let query = query
        .replace("$__unixEpochFrom()", "3")
        .replace("$__unixEpochTo()", "5");
    let found = session.query(&query, &[]).await.unwrap();
    let celsius: Vec<f64> = found.iter().map(|row| row.get(2)).collect();
    assert_eq!(celsius, [3.5, 4.5, 5.5]);
}

#[tokio::test]
async fn the_roles_of_the_page_may_do_what_its_table_says() {
    let Some(place) = scratch() else { return };
    open(&place, "gateway").await.close().await.unwrap();
    let session = session(&place).await;
    // Roles belong to the whole server: those of this test have names of their own.
    let script = of_the_page("CREATE ROLE history_owner");
    let script = script
        .replace("aimdb", &place.schema)
        .replace("history_", &format!("{}_", place.schema));
    let mut script = script;
    for class in ["1d", "7d", "30d", "1y"] {
        script = script.replace(
            &format!(".{}_{class}", place.schema),
            &format!(".history_{class}"),
        );
    }
    session.batch_execute(&script).await.unwrap();
    let as_role = |role: &str| {
        let url = place
            .url
            .replace("postgres@", &format!("{}_{role}@", place.schema));
        PostgresBackend::builder(&url)
            .schema(&*place.schema)
            .source("gateway")
    };
    for role in ["owner", "writer", "reader"] {
        let login = format!("ALTER ROLE {}_{role} LOGIN", place.schema);
        session.batch_execute(&login).await.unwrap();
    }
    for role in ["owner", "writer"] {
        let backend = as_role(role).connect().await.unwrap();
        backend
            .declare(&[SeriesDeclaration::new(role).with_keep_last(1)])
            .await
            .unwrap();
        for times in [0..10, 5..8, 10..800] {
            let outcome = backend.store_batch(rows(role, times)).await;
            assert!(outcome.stopped_by.is_none(), "{role}: {outcome:?}");
        }
        assert_eq!(backend.erase(role, 0, 99).await.unwrap(), 103);
        assert_eq!(values(&backend, role).await.unwrap().len(), 700);
        backend.cleanup(u64::MAX).await.unwrap();
        backend.store_batch(rows(role, [1])).await;
        backend
            .rename(role, &format!("{role}.renamed"))
            .await
            .unwrap();
        backend.close().await.unwrap();
    }
    let reader = as_role("reader")
        .read_only()
        .all_sources()
        .connect()
        .await
        .unwrap();
    // What the first role stored was of the same source, and the second one has cleaned up.
    assert_eq!(values(&reader, "#").await.unwrap(), [1]);
    let refused = as_role("reader")
        .connect()
        .await
        .expect_err("a reader may not write");
    assert_eq!(
        refused.storage_kind(),
        Some(StorageErrorKind::ReadOnly),
        "{refused}"
    );
}

#[tokio::test]
async fn every_session_says_what_it_is_for_and_has_limits() {
    let Some(place) = scratch() else { return };
    let name = format!("gateway {}", place.schema);
    let backend = open(&place, &name).await;
    backend.store_batch(rows("a", [1])).await;
    values(&backend, "a").await.unwrap();
    let session = session(&place).await;
    let found = session
        .query("SELECT application_name FROM pg_stat_activity WHERE application_name LIKE '%' || $1 ORDER BY 1", &[&name])
        .await
        .unwrap();
    let names: Vec<String> = found.iter().map(|row| row.get(0)).collect();
    assert_eq!(
        names,
        [
            format!("aimdb reader {name}"),
            format!("aimdb writer {name}")
        ]
    );
}

#[tokio::test]
async fn a_clock_that_nobody_has_watched_is_compared_with_the_server_s() {
    let Some(place) = scratch() else { return };
    let backend = open(&place, "gateway").await;
    backend.store_batch(rows("a", [1])).await;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now_ms = u64::try_from(now.unwrap().as_millis()).unwrap();
    let day_ms = 86_400_000;
    let sweep = async |now_ms, clock_is_trusted| {
        let request = SweepRequest {
            now_ms,
            default_retention: Retention::Forever,
            longest_retention: Retention::Forever,
            max_ahead_ms: day_ms,
            clock_is_trusted,
        };
        let report = backend.sweep(request).await.unwrap();
        (report.put_off.is_some(), report.clock_is_behind)
    };
    assert_eq!(sweep(now_ms, false).await, (false, false));
    assert_eq!(sweep(now_ms + 40 * day_ms, false).await, (true, false));
    assert_eq!(sweep(now_ms + 40 * day_ms, true).await, (false, false));
    assert_eq!(sweep(now_ms - 40 * day_ms, false).await, (false, true));
}
