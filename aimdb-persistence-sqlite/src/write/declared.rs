//! Declaring series: what differs from what the file holds is written.

use std::collections::BTreeMap;

use aimdb_persistence_backend::{PersistenceError, SeriesDeclaration, validate_key};

use crate::error::Failure;
use crate::layout::declared::Declared;
use crate::layout::sql;
use crate::write::connection::{Sync, WriteConnection};

impl WriteConnection {
    pub(crate) fn declare(
        &mut self,
        declarations: &[SeriesDeclaration],
    ) -> Result<(), PersistenceError> {
        for declaration in declarations {
            validate_key(&declaration.record_name)?;
        }
        Ok(self.write_declarations(declarations)?)
    }

    /// Writes what differs from what the file holds, and nothing if nothing does.
    pub(crate) fn write_declarations(
        &mut self,
        declarations: &[SeriesDeclaration],
    ) -> Result<(), Failure> {
        // Of several declarations of one series the last one holds.
        let wanted: BTreeMap<&str, Declared> = declarations
            .iter()
            .map(|d| (&*d.record_name, Declared::from(d)))
            .collect();
        let news = self.news(wanted).map_err(|error| {
            self.note(Failure::of_sqlite(
                &self.path,
                "reading what is declared",
                error,
            ))
        })?;
        if news.is_empty() {
            return Ok(());
        }
        self.transaction(Sync::WithCommit, "declaring series", |this| {
            for (key, declared) in &news {
                declared.write(&this.connection, key)?;
            }
            this.series.clear();
            let mut raise = this
                .connection
                .prepare_cached(sql::RAISE_SERIES_GENERATION)?;
            raise.execute([]).map(drop)
        })
    }

    fn news<'a>(
        &self,
        wanted: BTreeMap<&'a str, Declared>,
    ) -> rusqlite::Result<BTreeMap<&'a str, Declared>> {
        let mut news = BTreeMap::new();
        for (key, wanted) in wanted {
            let known = Declared::read(&self.connection, key)?;
            let wanted = wanted.after(known.as_ref());
            if known.as_ref() != Some(&wanted) {
                news.insert(key, wanted);
            }
        }
        Ok(news)
    }
}
