//! Making the tables, once, whoever comes first.

use std::time::Duration;

use aimdb_persistence_backend::StorageErrorKind;

use crate::connect::session::{Session, quoted};
use crate::error::Failure;
use crate::layout::schema::{FORMAT, MAINTAIN, TABLES, VIEW, class_table};
use crate::layout::tables::{self, Tables};

/// A format is three numbers: what a program has written, and the oldest version of the format that a program must know to
/// read, and to write.
const MARKS: &str =
    "SELECT name, value FROM meta WHERE name IN ('format', 'oldest_reader', 'oldest_writer')";

/// Making the tables takes a second on a slow server, and waits for other programs that make them.
const MAKING: Duration = Duration::from_secs(60);

/// What the schema holds.
enum Found {
    Nothing,
    History,
    /// A table of ours is there, and what marks a history is not.
    Foreign(String),
    /// The role may not see what the schema holds.
    Closed,
}

/// What a session is to do with the history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
}

/// Whether the history was made.
pub(crate) async fn prepare(
    session: &mut Session,
    schema: &str,
    access: Access,
) -> Result<bool, Failure> {
    let refuse = |session: &Session, what: String| {
        Err(Failure::new(
            StorageErrorKind::CannotOpen,
            &session.server,
            what,
        ))
    };
    match look(session, schema).await? {
        Found::History => {
            check_marks(session, access).await?;
            Ok(false)
        }
        Found::Foreign(table) => refuse(
            session,
            format!(
                "the schema {} has a table `{table}` that is not of a history: choose another one by `.schema(…)`",
                quoted(schema)
            ),
        ),
        Found::Closed => {
            let what = format!(
                "this role may not use the schema {}: grant the role its rights on the schema, see the page on PostgreSQL",
                quoted(schema)
            );
            Err(Failure::new(
                StorageErrorKind::ReadOnly,
                &session.server,
                what,
            ))
        }
        Found::Nothing if access == Access::Read => refuse(
            session,
            format!(
                "there is no history in the schema {}: start a program that records first",
                quoted(schema)
            ),
        ),
        Found::Nothing => {
            session.run("BEGIN", "making the tables").await?;
            let limit = session.limit;
            session.take_time(MAKING).await?;
            let made = make(session, schema).await;
            let end = if made.is_ok() { "COMMIT" } else { "ROLLBACK" };
            let ended = session.run(end, "making the tables").await;
            session.limit = limit;
            let made = made?;
            ended?;
            check_marks(session, access).await?;
            Ok(made)
        }
    }
}

/// Programs that start together make the tables one after the other: all but the first find them.
async fn make(session: &mut Session, schema: &str) -> Result<bool, Failure> {
    let doing = "making the tables";
    let lock = format!("aimdb-persistence {schema}");
    session
        .query(
            "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))",
            &[&lock],
            doing,
        )
        .await?;
    if !matches!(look(session, schema).await?, Found::Nothing) {
        return Ok(false);
    }
    let exists = session
        .query(
            "SELECT 1 FROM pg_namespace WHERE nspname = $1",
            &[&schema],
            doing,
        )
        .await?;
    if exists.is_empty() {
        session
            .run(
                &format!("CREATE SCHEMA {}", quoted(schema)),
                "making the schema",
            )
            .await?;
    }
    session.run(TABLES, doing).await?;
    for (number, table, width_ms) in tables::partitioned() {
        let class = class_table(number, table, width_ms);
        session.run(&class, doing).await?;
    }
    session
        .run(&VIEW.replace("$rows", &Tables::ALL.sql()), doing)
        .await?;
    session.run(MAINTAIN, doing).await?;
    session.run("SELECT maintain()", doing).await?;
    let mark = "INSERT INTO meta (name, value) VALUES ('format', $1), ('oldest_reader', $1), ('oldest_writer', $1)";
    session.execute(mark, &[&FORMAT], doing).await?;
    Ok(true)
}

async fn look(session: &mut Session, schema: &str) -> Result<Found, Failure> {
    let tables = "SELECT c.relname::text, EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'value' \
             AND c.relname = 'meta') \
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE n.nspname = $1 AND c.relname IN ('meta', 'source', 'holding', 'series', 'history', 'last_stored', \
             'record_history')";
    let found = session
        .query(tables, &[&schema], "looking for the tables")
        .await?;
    if found.is_empty() {
        return Ok(Found::Nothing);
    }
    let may_use = "SELECT has_schema_privilege(to_regnamespace($1), 'USAGE')";
    let may_use = session
        .query(may_use, &[&quoted(schema)], "looking for the tables")
        .await?;
    if !may_use.iter().any(|row| row.get(0)) {
        return Ok(Found::Closed);
    }
    let is_ours = found.iter().any(|row| row.get::<_, bool>(1)) && found.len() == 7;
    Ok(match is_ours {
        true => Found::History,
        false => Found::Foreign(found[0].get(0)),
    })
}

async fn check_marks(session: &mut Session, access: Access) -> Result<(), Failure> {
    let marks = session
        .query(MARKS, &[], "reading the history's format")
        .await?;
    let mark = |name: &str| {
        let mark = marks.iter().find(|row| row.get::<_, &str>(0) == name);
        mark.map(|row| row.get::<_, i64>(1))
    };
    let oldest = match access {
        Access::Read => mark("oldest_reader"),
        Access::Write => mark("oldest_writer"),
    };
    let Some(oldest) = oldest else {
        let what = "its table `meta` does not say of which format the history is";
        return Err(Failure::new(
            StorageErrorKind::Corrupt,
            &session.server,
            what,
        ));
    };
    if oldest <= FORMAT {
        return Ok(());
    }
    let what = format!(
        "the history is of format {oldest}, and this program knows formats up to {FORMAT}: update the program"
    );
    Err(Failure::new(
        StorageErrorKind::TooNew,
        &session.server,
        what,
    ))
}
