//! Declaring series: what differs from what the file holds is written.

use std::collections::BTreeMap;
use std::sync::Arc;

use aimdb_persistence_backend::{Packing, PersistenceError, SeriesDeclaration, validate_key};

use crate::error::{During, Failure};
use crate::layout::declared::Declared;
use crate::layout::sql;
use crate::write::connection::{Sync, WriteConnection};

/// What was declared of series in this run. A new file has to be told.
pub(crate) type Declarations = BTreeMap<Arc<str>, SeriesDeclaration>;

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
        let packs = |d: &SeriesDeclaration| matches!(d.pack, Some(Packing::After(_)));
        self.packs |= declarations.iter().any(packs);
        // Of several declarations of one series the last one holds.
        let wanted: BTreeMap<&str, Declared> = declarations
            .iter()
            .map(|d| (&*d.record_name, Declared::from(d)))
            .collect();
        let changed = self.changed(wanted);
        let changed = changed.during(self.path(), "reading what is declared");
        let changed = changed.map_err(|failure| self.note(failure))?;
        if changed.is_empty() {
            return Ok(());
        }
        self.transaction(Sync::WithCommit, "declaring series", |this| {
            for (record_name, declared) in &changed {
                declared.write(&this.connection, record_name)?;
            }
            this.series.clear();
            let mut raise = this
                .connection
                .prepare_cached(sql::RENEW_SERIES_GENERATION)?;
            raise.execute([]).map(drop)
        })
    }

    fn changed<'a>(
        &self,
        wanted: BTreeMap<&'a str, Declared>,
    ) -> rusqlite::Result<BTreeMap<&'a str, Declared>> {
        let mut changed = BTreeMap::new();
        for (record_name, wanted) in wanted {
            let known = Declared::read(&self.connection, record_name)?;
            let wanted = wanted.after(known.as_ref());
            if known.as_ref() != Some(&wanted) {
                changed.insert(record_name, wanted);
            }
        }
        Ok(changed)
    }
}
