//! What a file knows of its series is there for whoever opens it, and a backend says which file it is about.

use aimdb_persistence::backend::{
    DeclaredField, Pattern, PersistenceBackend, Retention, SeriesDeclaration,
};
use aimdb_persistence_sqlite::{SqliteBackend, salvage};

use crate::support::{plain, scratch, store};

fn declared() -> Vec<SeriesDeclaration> {
    let fields = [DeclaredField::new("celsius").with_unit("°C")];
    vec![
        SeriesDeclaration::new("t.sf")
            .with_template("t.{station}")
            .with_retention(Some(Retention::Forever))
            .with_fields(fields),
    ]
}

async fn declarations(backend: &SqliteBackend) -> Vec<SeriesDeclaration> {
    let everything = Pattern::parse("#").unwrap();
    backend.declarations(&everything).await.unwrap()
}

#[tokio::test]
async fn another_process_reads_what_was_declared_and_so_does_a_salvaged_copy() {
    let scratch = scratch();
    let writer = SqliteBackend::new(&scratch.path).unwrap();
    store(&writer, "t.undeclared", 1, 1).await;
    writer.declare(&declared()).await.unwrap();
    let reader = SqliteBackend::builder(&scratch.path).read_only().open();
    let reader = reader.unwrap();
    assert_eq!(declarations(&reader).await, declared());
    reader.close().await.unwrap();
    writer.close().await.unwrap();

    let saved = scratch.folder.path().join("saved.db");
    salvage(&scratch.path, &saved).unwrap();
    let saved = SqliteBackend::new(&saved).unwrap();
    assert_eq!(declarations(&saved).await, declared());
}

#[tokio::test]
async fn a_tool_finds_the_units_of_a_series_by_sql() {
    let scratch = scratch();
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    backend.declare(&declared()).await.unwrap();
    let unit: String = plain(&scratch.path)
        .query_row(
            "SELECT field.value ->> 'unit' FROM series, json_each(series.type, '$.fields') AS field \
             WHERE series.key = 't.sf' AND field.value ->> 'path' = 'celsius'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(unit, "°C");
}

#[tokio::test]
async fn a_backend_is_named_by_its_file() {
    let scratch = scratch();
    let on_file = SqliteBackend::new(&scratch.path).unwrap();
    let named = format!("SQLite {}", scratch.path.display());
    assert_eq!(on_file.name(), named);
    let in_memory = SqliteBackend::new(":memory:").unwrap();
    assert_eq!(in_memory.name(), "SQLite :memory:");
}
