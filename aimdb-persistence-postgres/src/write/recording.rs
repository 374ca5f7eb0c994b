//! The session that writes, and what it knows of its source.

use std::collections::HashMap;

use aimdb_persistence_backend::OnDuplicate;
use tokio_postgres::Row;

use crate::connect::session::Session;
use crate::error::Failure;
use crate::layout::declared::on_duplicate;
use crate::layout::tables::{Tables, class_of};

/// A row's place in its series: its time, then the order of storing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) stored_at: i64,
    pub(crate) sequence: i64,
}

impl Place {
    /// From two columns, the first of which is number `start`.
    pub(crate) fn of(row: &Row, start: usize) -> Self {
        Self {
            stored_at: row.get(start),
            sequence: row.get(start + 1),
        }
    }

    /// Behind every row of this time.
    pub(crate) fn last_at(stored_at: i64) -> Self {
        Self {
            stored_at,
            sequence: i64::MAX,
        }
    }

    /// Before every row of this time.
    pub(crate) fn first_at(stored_at: i64) -> Self {
        Self {
            stored_at,
            sequence: 0,
        }
    }
}

/// What the session knows of a series.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Series {
    pub(crate) id: i32,
    pub(crate) on_duplicate: OnDuplicate,
    /// No row has a later place.
    pub(crate) newest: Option<Place>,
    /// Whose table new rows go to.
    pub(crate) class: i16,
    pub(crate) tables: Tables,
    pub(crate) visible_from_ms: i64,
    /// There are rows before that time.
    pub(crate) is_late: bool,
}

/// Whoever has this may store the rows of its source, as long as its epoch is the latest.
pub(crate) struct Recording {
    pub(crate) session: Session,
    pub(crate) source: i32,
    pub(crate) source_name: Box<str>,
    pub(crate) epoch: i64,
    /// Of the next row, as far as this session knows.
    pub(crate) next_sequence: i64,
    /// Of the program, as its last sweep had it.
    pub(crate) default_retention_ms: Option<i64>,
    /// Series seen so far, by record name.
    pub(crate) series: HashMap<Box<str>, Series>,
}

/// `$rows` stands for the rows of all tables.
const SERIES_BY_KEY: &str = "SELECT s.key, s.id, s.on_duplicate, h.stored_at, h.sequence, s.class, s.former, s.visible_from_ms, s.is_late \
     FROM series s \
     LEFT JOIN LATERAL (SELECT stored_at, sequence FROM $rows r WHERE source = s.source AND series = s.id \
         ORDER BY stored_at DESC, sequence DESC LIMIT 1) h ON true \
     WHERE s.source = $1 AND s.key = ANY($2)";

/// The number of a series is never given to another one: rows that are not visible may have it still.
const ADD_SERIES: &str = "WITH held AS (UPDATE source SET generation = generation + 1, \
             next_series = next_series + cardinality($3::text[]) \
         WHERE id = $1 AND epoch = $2 RETURNING id, next_series - cardinality($3::text[]) - 1 AS highest) \
     INSERT INTO series (source, id, key, class) \
     SELECT held.id, (held.highest + k.number)::int4, k.key, $4 FROM held, unnest($3::text[]) WITH ORDINALITY k(key, number) \
     RETURNING key, id";

/// Begins a change of the source's series, or of their declarations. Readers notice by the generation.
pub(crate) const RAISE_GENERATION: &str =
    "UPDATE source SET generation = generation + 1 WHERE id = $1 AND epoch = $2";

/// With `$rows` as the rows of all tables.
pub(crate) fn of_all(sql: &str) -> String {
    sql.replace("$rows", &Tables::ALL.sql())
}

impl Recording {
    /// Gets to know the series of these names, which are added if they are new.
    pub(crate) async fn learn(&mut self, names: &[&str]) -> Result<(), Failure> {
        let doing = "looking for series";
        let mut unknown: Vec<&str> = names.to_vec();
        unknown.retain(|name| !self.series.contains_key(*name));
        if unknown.is_empty() {
            return Ok(());
        }
        let found = self
            .session
            .query(&of_all(SERIES_BY_KEY), &[&self.source, &unknown], doing)
            .await?;
        for row in &found {
            let newest: Option<i64> = row.get(3);
            let series = Series {
                id: row.get(1),
                on_duplicate: on_duplicate(row.get(2)),
                newest: newest.map(|_| Place::of(row, 3)),
                class: row.get(5),
                tables: Tables::of(row.get(5), &row.get::<_, Vec<i16>>(6)),
                visible_from_ms: row.get(7),
                is_late: row.get(8),
            };
            self.series.insert(row.get(0), series);
        }
        unknown.retain(|name| !self.series.contains_key(*name));
        if unknown.is_empty() {
            return Ok(());
        }
        let class = class_of(self.default_retention_ms);
        let added = self
            .session
            .query(
                ADD_SERIES,
                &[&self.source, &self.epoch, &unknown, &class],
                "adding series",
            )
            .await?;
        if added.len() != unknown.len() {
            return Err(self.displaced());
        }
        for row in &added {
            let series = Series {
                id: row.get(1),
                on_duplicate: OnDuplicate::Keep,
                newest: None,
                class,
                tables: Tables::of(class, &[]),
                visible_from_ms: 0,
                is_late: false,
            };
            self.series.insert(row.get(0), series);
        }
        Ok(())
    }

    pub(crate) fn displaced(&self) -> Failure {
        Failure::displaced(&self.session.server, &self.source_name)
    }

    /// Begins a transaction that only the holder of the source may commit.
    pub(crate) async fn begin_change(&mut self, doing: &str) -> Result<(), Failure> {
        self.session.run("BEGIN", doing).await?;
        let raised = self
            .session
            .execute(RAISE_GENERATION, &[&self.source, &self.epoch], doing)
            .await;
        match raised {
            Ok(1) => Ok(()),
            Ok(_) => {
                self.roll_back(doing).await;
                Err(self.displaced())
            }
            Err(failure) => {
                self.roll_back(doing).await;
                Err(failure)
            }
        }
    }

    /// Ends the transaction as its work says. What was learnt within it is forgotten if it failed.
    pub(crate) async fn end_change<T, E: From<Failure>>(
        &mut self,
        doing: &str,
        work: Result<T, E>,
    ) -> Result<T, E> {
        match work {
            Ok(done) => match self.session.run("COMMIT", doing).await {
                Ok(()) => Ok(done),
                Err(failure) => {
                    self.series.clear();
                    self.roll_back(doing).await;
                    Err(failure.into())
                }
            },
            Err(error) => {
                self.series.clear();
                self.roll_back(doing).await;
                Err(error)
            }
        }
    }

    /// If this fails, the session is broken, and ends with its transaction.
    pub(crate) async fn roll_back(&mut self, doing: &str) {
        if !self.session.is_broken() {
            let _ = self.session.run("ROLLBACK", doing).await;
        }
    }
}
