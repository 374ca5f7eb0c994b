//! Declaring series: what differs from what the database holds is written.

use std::collections::{BTreeMap, HashMap};

use aimdb_persistence_backend::{PersistenceError, SeriesDeclaration, validate_key};

use crate::error::Failure;
use crate::layout::declared::Declared;
use crate::write::recording::Recording;

const KNOWN: &str = "SELECT key, template, retention_ms, keep_last, max_rows, on_duplicate, type, unit FROM series \
     WHERE source = $1 AND key = ANY($2)";

/// Rows that are there already stay in the table of the class that the series had.
const WRITE: &str = "WITH new AS (UPDATE source SET next_series = next_series + 1 WHERE id = $1 RETURNING next_series - 1 AS series) \
     INSERT INTO series (source, id, key, template, retention_ms, keep_last, max_rows, on_duplicate, type, unit, class) \
     SELECT $1, new.series, $2, $3, $4, $5, $6, $7, $8, $9, $10 FROM new \
     ON CONFLICT (source, md5(key)) DO UPDATE SET template = excluded.template, retention_ms = excluded.retention_ms, \
         keep_last = excluded.keep_last, max_rows = excluded.max_rows, on_duplicate = excluded.on_duplicate, \
         type = excluded.type, unit = excluded.unit, class = excluded.class, \
         former = CASE WHEN series.class = excluded.class THEN series.former \
             ELSE array_append(array_remove(series.former, excluded.class), series.class) END";

const DOING: &str = "declaring series";

/// Of several declarations of one series the last one holds.
pub(crate) type Wanted<'a> = BTreeMap<&'a str, Declared>;

/// As the database can keep them.
pub(crate) fn wanted(declarations: &[SeriesDeclaration]) -> Result<Wanted<'_>, PersistenceError> {
    let mut wanted = BTreeMap::new();
    for declaration in declarations {
        validate_key(&declaration.record_name)?;
        wanted.insert(
            &*declaration.record_name,
            Declared::of_declaration(declaration)?,
        );
    }
    Ok(wanted)
}

impl Recording {
    /// Writes what differs from what the database holds, and nothing if nothing does.
    pub(crate) async fn declare(&mut self, wanted: &Wanted<'_>) -> Result<(), Failure> {
        let known = self.known(wanted.keys().copied()).await?;
        let changed: Vec<_> = wanted
            .iter()
            .map(|(name, wanted)| (*name, wanted.clone().after(known.get(*name))))
            .filter(|(name, wanted)| known.get(*name) != Some(wanted))
            .collect();
        if changed.is_empty() {
            return Ok(());
        }
        self.begin_change(DOING).await?;
        let written = self.write_all(&changed).await;
        self.end_change(DOING, written).await?;
        self.series.clear();
        Ok(())
    }

    /// What the database holds of these series.
    pub(crate) async fn known(
        &mut self,
        names: impl Iterator<Item = &str>,
    ) -> Result<HashMap<String, Declared>, Failure> {
        let names: Vec<&str> = names.collect();
        let known = self
            .session
            .query(KNOWN, &[&self.source, &names], DOING)
            .await?;
        Ok(known
            .iter()
            .map(|row| (row.get(0), Declared::of(row, 1)))
            .collect())
    }

    async fn write_all(&mut self, changed: &[(&str, Declared)]) -> Result<(), Failure> {
        for (name, declared) in changed {
            self.write_declared(name, declared).await?;
        }
        Ok(())
    }

    /// Within a change.
    pub(crate) async fn write_declared(
        &mut self,
        name: &str,
        declared: &Declared,
    ) -> Result<(), Failure> {
        self.session
            .execute(
                WRITE,
                &[
                    &self.source,
                    &name,
                    &declared.template,
                    &declared.retention_ms,
                    &declared.keep_last,
                    &declared.max_rows,
                    &declared.on_duplicate,
                    &declared.of_type,
                    &declared.unit,
                    &declared.class(self.default_retention_ms),
                ],
                DOING,
            )
            .await
            .map(drop)
    }
}
