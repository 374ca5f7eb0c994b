//! Series that keep one row for each time: what becomes of a row with the time of another one.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use aimdb_persistence_backend::{OnDuplicate, Rows};

use crate::connect::session::Params;
use crate::error::Failure;
use crate::layout::tables::Tables;
use crate::write::placed::{Placed, Resolved, version};
use crate::write::recording::Recording;

/// The rows that have these times already. If there are several, from a time when each was kept, the one stored last.
const HOLDERS: &str = "SELECT k.series, k.stored_at, h.sequence \
     FROM unnest($2::int4[], $3::int8[]) k(series, stored_at) \
     JOIN series s ON s.source = $1 AND s.id = k.series \
     CROSS JOIN LATERAL (SELECT sequence FROM $rows r WHERE source = $1 AND series = k.series AND stored_at = k.stored_at \
             AND (stored_at >= s.visible_from_ms OR sequence >= s.visible_sequence) \
         ORDER BY sequence DESC LIMIT 1) h";

/// The row keeps its place.
const REPLACE: &str = "UPDATE $table h SET version = r.version, value = r.value \
     FROM unnest($2::int4[], $3::int8[], $4::int8[], $5::int4[], $6::text[]) r(series, stored_at, sequence, version, value) \
     WHERE h.source = $1 AND h.series = r.series AND h.stored_at = r.stored_at AND h.sequence = r.sequence";

const DOING: &str = "looking for rows of the same time";

/// A row of the database, by its series and time, and what takes its place.
struct Holder {
    sequence: i64,
    taken_by: Option<Placed>,
}

impl Recording {
    /// Takes the rows out of `placed` that are not to be added: each has replaced another one, or is left out, which is noted
    /// by batch. `placed` is in order of arrival. Within the transaction that adds the others.
    pub(crate) async fn resolve_duplicates(
        &mut self,
        placed: &mut Vec<Placed>,
        batches: &[Arc<Rows>],
        resolved: &mut [Resolved],
    ) -> Result<(), Failure> {
        let mut holders = self.holders(placed).await?;
        let mut added = HashMap::new();
        let mut kept: Vec<Placed> = Vec::with_capacity(placed.len());
        for placed in placed.drain(..) {
            if placed.on_duplicate == OnDuplicate::Keep {
                kept.push(placed);
                continue;
            }
            let key = (placed.series, placed.place.stored_at);
            let resolved = &mut resolved[placed.batch];
            let ignores = placed.on_duplicate == OnDuplicate::Ignore;
            if let Some(holder) = holders.get_mut(&key) {
                match ignores {
                    true => resolved.left_out.push(placed.index),
                    false => {
                        resolved.replaced.push(placed.index);
                        holder.taken_by = Some(placed);
                    }
                }
                continue;
            }
            match added.entry(key) {
                Entry::Vacant(entry) => {
                    entry.insert(kept.len());
                    kept.push(placed);
                }
                Entry::Occupied(_) if ignores => resolved.left_out.push(placed.index),
                Entry::Occupied(earlier) => {
                    resolved.replaced.push(placed.index);
                    let earlier: &mut Placed = &mut kept[*earlier.get()];
                    (earlier.batch, earlier.index) = (placed.batch, placed.index);
                }
            }
        }
        *placed = kept;
        self.replace(&holders, batches).await
    }

    async fn holders(&mut self, placed: &[Placed]) -> Result<HashMap<(i32, i64), Holder>, Failure> {
        let asked = placed
            .iter()
            .filter(|p| p.on_duplicate != OnDuplicate::Keep);
        let mut asked: Vec<_> = asked.map(|p| (p.series, p.place.stored_at)).collect();
        asked.sort_unstable();
        asked.dedup();
        let (series, times): (Vec<i32>, Vec<i64>) = asked.into_iter().unzip();
        let tables = self.tables_of(&series);
        let found = self
            .session
            .query(
                &HOLDERS.replace("$rows", &tables.sql()),
                &[&self.source, &series, &times],
                DOING,
            )
            .await?;
        let holder = |row: &tokio_postgres::Row| {
            let holder = Holder {
                sequence: row.get(2),
                taken_by: None,
            };
            ((row.get(0), row.get(1)), holder)
        };
        Ok(found.iter().map(holder).collect())
    }

    async fn replace(
        &mut self,
        holders: &HashMap<(i32, i64), Holder>,
        batches: &[Arc<Rows>],
    ) -> Result<(), Failure> {
        let (mut series, mut times, mut sequences) = (Vec::new(), Vec::new(), Vec::new());
        let (mut versions, mut values) = (Vec::new(), Vec::new());
        for ((of_series, time), holder) in holders {
            if let Some(taken_by) = &holder.taken_by {
                let row = taken_by.row(batches);
                series.push(*of_series);
                times.push(*time);
                sequences.push(holder.sequence);
                versions.push(version(row));
                values.push(row.json);
            }
        }
        if series.is_empty() {
            return Ok(());
        }
        for table in self.tables_of(&series).each() {
            let replace = REPLACE.replace("$table", table);
            let params: Params<'_> = &[
                &self.source,
                &series,
                &times,
                &sequences,
                &versions,
                &values,
            ];
            self.session
                .execute(&replace, params, "replacing rows")
                .await?;
        }
        Ok(())
    }

    /// All of them that any of the series has.
    fn tables_of(&self, series: &[i32]) -> Tables {
        let known = self
            .series
            .values()
            .filter(|known| series.contains(&known.id));
        known
            .map(|known| known.tables)
            .fold(Tables::NONE, Tables::and)
    }
}
