//! Storing rows in one transaction, which only the holder of the source can commit, and only once.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use aimdb_persistence_backend::{OnDuplicate, PersistenceError, Rows};
use tokio_postgres::types::{ToSql, Type};

use crate::error::Failure;
use crate::layout::tables::{PLAIN, table};
use crate::write::placed::{Placed, Resolved, version};
use crate::write::recording::{Place, RAISE_GENERATION, Recording};

/// From so many rows on they are copied in, which takes a few round trips more and less time for each row.
const COPY_ROWS: usize = 500;

/// The rows and the source's new state in one statement, which is a transaction of its own: one round trip.
const STORE: &str = "WITH claimed AS (UPDATE source SET next_sequence = next_sequence + $4, seen_at = now() \
         WHERE id = $1 AND epoch = $2 AND next_sequence = $3 RETURNING id) \
     INSERT INTO $table (stored_at, sequence, source, series, version, value) \
     SELECT r.stored_at, r.sequence, claimed.id, r.series, r.version, r.value \
     FROM claimed, unnest($5::int8[], $6::int8[], $7::int4[], $8::int4[], $9::text[]) \
         AS r(stored_at, sequence, series, version, value)";

const CLAIM: &str = "UPDATE source SET next_sequence = next_sequence + $4, seen_at = now() \
     WHERE id = $1 AND epoch = $2 AND next_sequence = $3";

const INSERT: &str = "INSERT INTO $table (stored_at, sequence, source, series, version, value) \
     SELECT r.stored_at, r.sequence, $1, r.series, r.version, r.value \
     FROM unnest($2::int8[], $3::int8[], $4::int4[], $5::int4[], $6::text[]) AS r(stored_at, sequence, series, version, value)";

const COPY: &str =
    "COPY $table (stored_at, sequence, source, series, version, value) FROM STDIN BINARY";

/// A sweep has said that rows before a time are not there any more, and now there are some again.
const NOTE_LATE: &str = "UPDATE series SET is_late = true WHERE source = $1 AND id = ANY($2)";

const NOTE_LAST_STORED: &str = "INSERT INTO last_stored (source, series, stored_at, sequence) \
     SELECT $1, n.series, n.stored_at, n.sequence FROM unnest($2::int4[], $3::int8[], $4::int8[]) n(series, stored_at, sequence) \
     ON CONFLICT (source, series) DO UPDATE SET stored_at = excluded.stored_at, sequence = excluded.sequence";

const DOING: &str = "storing rows";

/// Why rows are not stored, or perhaps are.
pub(crate) enum Unstored {
    /// None of them is.
    Nothing(Failure),
    /// They are, if the source's next sequence is `after`: the answer to the commit was lost.
    Unknown(Doubt, Failure),
}

/// A commit that was not answered.
pub(crate) struct Doubt {
    pub(crate) epoch: i64,
    /// The source's next sequence, if it was committed.
    pub(crate) after: i64,
    /// What the answer would have been.
    pub(crate) resolved: Vec<Resolved>,
}

/// With `$table` as that of a class.
fn of_class(sql: &str, class: i16) -> String {
    sql.replace("$table", table(class))
}

impl Recording {
    /// Stores the batches in one transaction, without the rows that were refused.
    pub(crate) async fn store(
        &mut self,
        batches: &[Arc<Rows>],
        refused: &[Vec<(usize, PersistenceError)>],
    ) -> Result<Vec<Resolved>, Unstored> {
        let placed = self.placed(batches, refused).await;
        let mut placed = placed.map_err(Unstored::Nothing)?;
        let count = placed.len() as i64;
        let mut resolved = vec![Resolved::default(); batches.len()];
        let newest = self.newest_after(&placed);
        let is_simple = placed.iter().all(|p| {
            p.on_duplicate == OnDuplicate::Keep && !p.is_late && p.class == placed[0].class
        });
        let stored = if !is_simple || !newest.out_of_order.is_empty() || placed.len() >= COPY_ROWS {
            self.store_in_steps(&mut placed, batches, &mut resolved)
                .await
        } else {
            let stored = self.store_at_once(&placed, batches).await;
            stored.map(|()| newest)
        };
        match stored {
            Ok(newest) => {
                self.next_sequence += count;
                for (series, place) in newest.by_series {
                    if let Some(known) = self.series.get_mut(&series) {
                        known.newest = Some(place);
                    }
                }
                for late in placed.iter().filter(|placed| placed.is_late) {
                    let mut series = self.series.values_mut();
                    if let Some(series) = series.find(|series| series.id == late.series) {
                        series.is_late = true;
                    }
                }
                Ok(resolved)
            }
            Err(failure) if failure.is_unanswered() => {
                let doubt = Doubt {
                    epoch: self.epoch,
                    after: self.next_sequence + count,
                    resolved,
                };
                Err(Unstored::Unknown(doubt, failure))
            }
            Err(failure) => Err(Unstored::Nothing(failure)),
        }
    }

    /// Where each row goes, in order of arrival.
    async fn placed(
        &mut self,
        batches: &[Arc<Rows>],
        refused: &[Vec<(usize, PersistenceError)>],
    ) -> Result<Vec<Placed>, Failure> {
        let refused: Vec<HashSet<usize>> = refused
            .iter()
            .map(|refused| refused.iter().map(|(index, _)| *index).collect())
            .collect();
        let mut names = HashSet::new();
        for (rows, refused) in batches.iter().zip(&refused) {
            let kept = (0..rows.len()).filter(|index| !refused.contains(index));
            names.extend(kept.map(|index| &*rows.names()[rows.name_index(index)]));
        }
        self.learn(&names.into_iter().collect::<Vec<_>>()).await?;
        let mut placed = Vec::new();
        let mut sequence = self.next_sequence;
        for (batch, (rows, refused)) in batches.iter().zip(&refused).enumerate() {
            let series: Vec<_> = rows
                .names()
                .iter()
                .map(|name| self.series.get(&**name))
                .collect();
            for (index, row) in rows.iter().enumerate() {
                let Some(series) =
                    series[rows.name_index(index)].filter(|_| !refused.contains(&index))
                else {
                    continue;
                };
                placed.push(Placed {
                    series: series.id,
                    place: Place {
                        stored_at: row.stored_at.cast_signed(),
                        sequence,
                    },
                    class: series.class,
                    is_late: !series.is_late
                        && row.stored_at.cast_signed() < series.visible_from_ms,
                    on_duplicate: series.on_duplicate,
                    batch,
                    index,
                });
                sequence += 1;
            }
        }
        Ok(placed)
    }

    /// One statement, one round trip.
    async fn store_at_once(
        &mut self,
        placed: &[Placed],
        batches: &[Arc<Rows>],
    ) -> Result<(), Failure> {
        let columns = Columns::of(placed, batches);
        let count = placed.len() as i64;
        let stored = self
            .session
            .execute(
                &of_class(STORE, placed.first().map_or(PLAIN, |placed| placed.class)),
                &[
                    &self.source,
                    &self.epoch,
                    &self.next_sequence,
                    &count,
                    &columns.stored_at,
                    &columns.sequence,
                    &columns.series,
                    &columns.version,
                    &columns.value,
                ],
                DOING,
            )
            .await?;
        match stored {
            0 => Err(self.displaced()),
            _ => Ok(()),
        }
    }

    /// A transaction of several statements. Rows that are copied come before the source's row is taken: a session that hangs
    /// in the middle of them keeps nobody from it.
    async fn store_in_steps(
        &mut self,
        placed: &mut Vec<Placed>,
        batches: &[Arc<Rows>],
        resolved: &mut [Resolved],
    ) -> Result<Newest, Failure> {
        self.session.run("BEGIN", DOING).await?;
        let done = self.steps(placed, batches, resolved).await;
        if done.is_err() {
            self.roll_back(DOING).await;
        }
        done
    }

    async fn steps(
        &mut self,
        placed: &mut Vec<Placed>,
        batches: &[Arc<Rows>],
        resolved: &mut [Resolved],
    ) -> Result<Newest, Failure> {
        let count = placed.len() as i64;
        if placed.iter().any(|p| p.on_duplicate != OnDuplicate::Keep) {
            self.resolve_duplicates(placed, batches, resolved).await?;
        }
        let newest = self.newest_after(placed);
        let out_of_order = &newest.out_of_order;
        placed.sort_unstable_by_key(|placed| (placed.class, placed.series, placed.place));
        for of_class in placed.chunk_by(|one, next| one.class == next.class) {
            self.insert(of_class, batches).await?;
        }
        self.note_late(placed).await?;
        if !out_of_order.is_empty() {
            let series: Vec<i32> = out_of_order.keys().copied().collect();
            let places = out_of_order.values();
            let stored_at: Vec<i64> = places.clone().map(|place| place.stored_at).collect();
            let sequence: Vec<i64> = places.map(|place| place.sequence).collect();
            self.session
                .execute(
                    NOTE_LAST_STORED,
                    &[&self.source, &series, &stored_at, &sequence],
                    DOING,
                )
                .await?;
        }
        let claim = [
            &self.source as &(dyn ToSql + Sync),
            &self.epoch,
            &self.next_sequence,
            &count,
        ];
        let claimed = self.session.execute(CLAIM, &claim, DOING).await?;
        if claimed == 0 {
            return Err(self.displaced());
        }
        self.session.run("COMMIT", DOING).await?;
        Ok(newest)
    }

    /// Rows of one class.
    async fn insert(&mut self, placed: &[Placed], batches: &[Arc<Rows>]) -> Result<(), Failure> {
        if placed.len() >= COPY_ROWS {
            return self.copy(placed, batches).await;
        }
        let Some(first) = placed.first() else {
            return Ok(());
        };
        let columns = Columns::of(placed, batches);
        let params: [&(dyn ToSql + Sync); 6] = [
            &self.source,
            &columns.stored_at,
            &columns.sequence,
            &columns.series,
            &columns.version,
            &columns.value,
        ];
        let insert = of_class(INSERT, first.class);
        self.session
            .execute(&insert, &params, DOING)
            .await
            .map(drop)
    }

    async fn note_late(&mut self, placed: &[Placed]) -> Result<(), Failure> {
        let late = placed.iter().filter(|placed| placed.is_late);
        let late: Vec<i32> = late.map(|placed| placed.series).collect();
        if late.is_empty() {
            return Ok(());
        }
        self.session
            .execute(NOTE_LATE, &[&self.source, &late], DOING)
            .await?;
        let raise: [&(dyn ToSql + Sync); 2] = [&self.source, &self.epoch];
        self.session
            .execute(RAISE_GENERATION, &raise, DOING)
            .await
            .map(drop)
    }

    async fn copy(&mut self, placed: &[Placed], batches: &[Arc<Rows>]) -> Result<(), Failure> {
        let class = placed.first().map_or(PLAIN, |placed| placed.class);
        let columns = Columns::of(placed, batches);
        let types = [
            Type::INT8,
            Type::INT8,
            Type::INT4,
            Type::INT4,
            Type::INT4,
            Type::TEXT,
        ];
        let source = self.source;
        let rows = (0..placed.len()).map(|row| {
            let row: [&(dyn ToSql + Sync); 6] = [
                &columns.stored_at[row],
                &columns.sequence[row],
                &source,
                &columns.series[row],
                &columns.version[row],
                &columns.value[row],
            ];
            row
        });
        self.session
            .copy(&of_class(COPY, class), &types, rows, DOING)
            .await
            .map(drop)
    }

    /// What will be known of the series when the rows are stored.
    fn newest_after(&self, placed: &[Placed]) -> Newest {
        let mut last = HashMap::new();
        let mut newest: HashMap<i32, Place> = HashMap::new();
        for Placed { series, place, .. } in placed {
            last.insert(*series, *place);
            let latest = newest.entry(*series).or_insert(*place);
            *latest = (*latest).max(*place);
        }
        let mut after = Newest::default();
        for (name, known) in &self.series {
            let (Some(last), Some(newest)) = (last.get(&known.id), newest.get(&known.id)) else {
                continue;
            };
            let newest = known.newest.map_or(*newest, |known| known.max(*newest));
            if newest != *last {
                after.out_of_order.insert(known.id, *last);
            }
            after.by_series.push((name.clone(), newest));
        }
        after
    }
}

#[derive(Default)]
struct Newest {
    /// The row with the latest place, by record name.
    by_series: Vec<(Box<str>, Place)>,
    /// The row that was stored last, where it is another one.
    out_of_order: HashMap<i32, Place>,
}

/// Rows as the server takes them: an array for each column.
struct Columns<'a> {
    stored_at: Vec<i64>,
    sequence: Vec<i64>,
    series: Vec<i32>,
    version: Vec<Option<i32>>,
    value: Vec<&'a str>,
}

impl<'a> Columns<'a> {
    fn of(placed: &[Placed], batches: &'a [Arc<Rows>]) -> Self {
        let rows = || placed.iter().map(|placed| placed.row(batches));
        Self {
            stored_at: placed.iter().map(|placed| placed.place.stored_at).collect(),
            sequence: placed.iter().map(|placed| placed.place.sequence).collect(),
            series: placed.iter().map(|placed| placed.series).collect(),
            version: rows().map(version).collect(),
            value: rows().map(|row| row.json).collect(),
        }
    }
}
