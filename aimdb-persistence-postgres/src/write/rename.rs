//! Giving a series another name.

use aimdb_persistence_backend::{PersistenceError, check_rename, validate_key};

use crate::layout::declared::Declared;
use crate::write::recording::{Recording, of_all};

const FIND: &str = "SELECT key, id, EXISTS (SELECT 1 FROM $rows h WHERE h.source = s.source AND h.series = s.id \
         AND (h.stored_at >= s.visible_from_ms OR h.sequence >= s.visible_sequence)) \
     FROM series s WHERE source = $1 AND key = ANY($2)";

const REMOVE: &str = "DELETE FROM series WHERE source = $1 AND id = $2";

const FORGET_LAST_STORED: &str = "DELETE FROM last_stored WHERE source = $1 AND series = $2";

const RENAME: &str = "UPDATE series SET key = $3 WHERE source = $1 AND id = $2";

const DOING: &str = "renaming a series";

impl Recording {
    /// Renames the series, or says why it cannot be.
    pub(crate) async fn rename(&mut self, from: &str, to: &str) -> Result<(), PersistenceError> {
        validate_key(to)?;
        // No series has such a name, and PostgreSQL no room for one.
        let from = if from.contains('\0') { "" } else { from };
        self.begin_change(DOING).await?;
        let renamed = self.rename_within(from, to).await;
        self.end_change(DOING, renamed).await?;
        self.series.clear();
        Ok(())
    }

    async fn rename_within(&mut self, from: &str, to: &str) -> Result<(), PersistenceError> {
        let found = self
            .session
            .query(&of_all(FIND), &[&self.source, &vec![from, to]], DOING)
            .await?;
        let find = |name: &str| {
            let row = found.iter().find(|row| row.get::<_, &str>(0) == name);
            row.map(|row| (row.get::<_, i32>(1), row.get::<_, bool>(2)))
        };
        let (source, target) = (find(from), find(to));
        let has_rows = |found: Option<(i32, bool)>| found.is_some_and(|(_, has_rows)| has_rows);
        check_rename(from, to, has_rows(source), has_rows(target))?;
        let Some((source, _)) = source else {
            return Ok(());
        };
        let declared = self.known([from, to].into_iter()).await?;
        if let Some((target, _)) = target {
            self.session
                .execute(REMOVE, &[&self.source, &target], DOING)
                .await?;
            self.session
                .execute(FORGET_LAST_STORED, &[&self.source, &target], DOING)
                .await?;
        }
        self.session
            .execute(RENAME, &[&self.source, &source, &to], DOING)
            .await?;
        // What is declared of the old name stays with it; the rows get what is declared of the new one, or a copy.
        let declared = |name: &str| {
            declared
                .get(name)
                .filter(|declared| Declared::is_declared(declared))
        };
        if let Some(stays) = declared(from) {
            self.write_declared(from, stays).await?;
        }
        if let Some(holds) = declared(to) {
            self.write_declared(to, holds).await?;
        }
        Ok(())
    }
}
