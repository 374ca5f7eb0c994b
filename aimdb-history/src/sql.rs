//! Read-only SQL on a history: a view of all rows, and one of each type with its fields as columns.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aimdb_persistence_backend::{Pattern, PersistenceError, SeriesDeclaration};
use aimdb_persistence_sqlite::HISTORY_VIEW;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};
use serde_json::Value;

use crate::error::HistoryError;
use crate::location::{Location, Purpose};
use crate::raw;
use crate::seen::series::declarations;

/// What a statement answers: the names of its columns, and each row as it comes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answer {
    /// The names of the columns.
    pub columns: Vec<String>,
    /// The rows.
    pub rows: Vec<Vec<Value>>,
    /// There are more rows than were asked for.
    pub has_more: bool,
}

/// A history that can be asked in SQL.
///
/// | view | columns |
/// |---|---|
/// | `history` | `record_name`, `stored_at` (Unix ms), `version`, `value` (JSON) |
/// | one for each type, by its name in lower case | `record_name`, `stored_at`, `version`, and the fields that are declared, `wind.gust` as `wind_gust` |
///
/// Nothing can be changed by it, nor any other file reached.
#[derive(Debug)]
pub struct SqlHistory {
    connection: Connection,
    views: Vec<(String, Vec<String>)>,
}

impl SqlHistory {
    /// Opens the history in a file.
    ///
    /// # Errors
    /// The backend's, if there is no history at this path.
    pub async fn open(path: &Path) -> Result<Self, HistoryError> {
        let history = Location::File(path.to_owned()).open(Purpose::Read).await?;
        let everything = Pattern::parse("#").map_err(PersistenceError::from)?;
        let declared = declarations(&history, &everything).await;
        history.close().await?;
        let connection = raw::open_to_read(path).await?;
        let mut opened = Self {
            connection,
            views: Vec::new(),
        };
        let created = opened.create_views(&declared?);
        created.map_err(|error| HistoryError::Sql(format!("{}: {error}", path.display())))?;
        Ok(opened)
    }

    /// The views with their columns.
    pub fn views(&self) -> &[(String, Vec<String>)] {
        &self.views
    }

    fn create_views(
        &mut self,
        declared: &BTreeMap<String, SeriesDeclaration>,
    ) -> rusqlite::Result<()> {
        // The views are made in the connection's own database, which is none of the file.
        self.connection.pragma_update(None, "query_only", false)?;
        self.connection
            .pragma_update(None, "temp_store", "memory")?;
        self.connection.execute_batch(HISTORY_VIEW)?;
        let own = ["record_name", "stored_at", "version", "value"];
        let own = own.map(str::to_owned).to_vec();
        self.views.push(("history".to_owned(), own));
        let mut types = BTreeMap::<String, Vec<&SeriesDeclaration>>::new();
        for declaration in declared.values() {
            if let Some(name) = &declaration.type_name {
                types.entry(identifier(name)).or_default().push(declaration);
            }
        }
        for (name, series) in types {
            let taken = ["history", "row", "tail", "series", "large", "state", "meta"];
            let name = match taken.contains(&&*name) {
                true => format!("{name}_rows"),
                false => name,
            };
            self.create_view(name, &series)?;
        }
        self.connection.pragma_update(None, "query_only", true)
    }

    fn create_view(&mut self, name: String, series: &[&SeriesDeclaration]) -> rusqlite::Result<()> {
        let mut columns = vec![
            "record_name".to_owned(),
            "stored_at".to_owned(),
            "version".to_owned(),
        ];
        let mut selected = vec!["record_name, stored_at, version".to_owned()];
        let mut known: BTreeSet<String> = columns.iter().cloned().collect();
        for field in series.iter().flat_map(|series| &series.fields) {
            let mut column = match &*field.path {
                "" => "value".to_owned(),
                path => identifier(path),
            };
            if columns[..3].contains(&column) {
                column = format!("{column}_field");
            }
            if known.insert(column.clone()) {
                let path = literal(&json_path(&field.path));
                selected.push(format!(
                    "json_extract(value, {path}) AS {}",
                    quoted(&column)
                ));
                columns.push(column);
            }
        }
        let keys: Vec<String> = series.iter().map(|s| literal(&s.record_name)).collect();
        let view = format!(
            "CREATE TEMP VIEW {} AS SELECT {} FROM history WHERE record_name IN ({})",
            quoted(&name),
            selected.join(", "),
            keys.join(", ")
        );
        self.connection.execute_batch(&view)?;
        self.views.push((name, columns));
        Ok(())
    }

    /// Answers a statement, with so many rows at most. What sets the flag ends it.
    ///
    /// # Errors
    /// [`HistoryError::Sql`] for what SQLite does not understand, and for a statement that would change something;
    /// [`HistoryError::Interrupted`] when it was ended.
    pub fn ask(
        &mut self,
        sql: &str,
        most_rows: usize,
        ended: Arc<AtomicBool>,
    ) -> Result<Answer, HistoryError> {
        let is_ended = Arc::clone(&ended);
        let look = move || is_ended.load(Ordering::Relaxed);
        let failed = |error: rusqlite::Error| match ended.load(Ordering::Relaxed) {
            true => HistoryError::Interrupted,
            false => HistoryError::Sql(explained(sql, &error)),
        };
        self.connection
            .progress_handler(10_000, Some(look))
            .map_err(failed)?;
        let mut statement = self.connection.prepare(sql).map_err(failed)?;
        if !statement.readonly() {
            let reason = "`sql` only reads; `delete`, `rename` and `import` change a history";
            return Err(HistoryError::Sql(reason.to_owned()));
        }
        let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let mut answer = Answer {
            columns,
            ..Answer::default()
        };
        let mut rows = statement.query([]).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            if answer.rows.len() == most_rows {
                answer.has_more = true;
                break;
            }
            let values = (0..answer.columns.len()).map(|index| value_of(row, index));
            let values: Result<Vec<_>, _> = values.collect();
            answer.rows.push(values.map_err(failed)?);
        }
        Ok(answer)
    }
}

fn value_of(row: &Row<'_>, index: usize) -> rusqlite::Result<Value> {
    Ok(match row.get_ref(index)? {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => number.into(),
        ValueRef::Real(number) => number.into(),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into(),
        ValueRef::Blob(bytes) => format!("{} bytes", bytes.len()).into(),
    })
}

/// With a caret under the place, where SQLite knows it.
fn explained(sql: &str, error: &rusqlite::Error) -> String {
    match error {
        rusqlite::Error::SqlInputError { msg, offset, .. } if *offset >= 0 => {
            let at = usize::try_from(*offset).unwrap_or(0);
            let before = sql.get(..at).unwrap_or(sql);
            let line = before.rfind('\n').map_or(0, |end| end + 1);
            let width = before[line..].chars().count();
            let shown = sql[line..].lines().next().unwrap_or(sql);
            format!("{msg}\n  {shown}\n  {:width$}^", "")
        }
        error => error.to_string(),
    }
}

/// A type's or a field's name as SQL likes it: `Power<f64>` is `power_f64`.
fn identifier(name: &str) -> String {
    let mut identifier = String::new();
    for character in name.chars() {
        match character.is_alphanumeric() {
            true => identifier.extend(character.to_lowercase()),
            false if !identifier.ends_with('_') => identifier.push('_'),
            false => {}
        }
    }
    identifier.trim_matches('_').to_owned()
}

fn quoted(identifier: &str) -> String {
    format!("\"{}\"", identifier.replace('"', "\"\""))
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// `wind.gusts.0` is `$."wind"."gusts"[0]`.
fn json_path(path: &str) -> String {
    let mut json_path = "$".to_owned();
    for name in path.split('.').filter(|name| !name.is_empty()) {
        match name.bytes().all(|byte| byte.is_ascii_digit()) {
            true => json_path.push_str(&format!("[{name}]")),
            false => json_path.push_str(&format!(".\"{name}\"")),
        }
    }
    json_path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_identifiers_and_paths() {
        assert_eq!(identifier("Power<Option<f64>>"), "power_option_f64");
        assert_eq!(identifier("wind.gust"), "wind_gust");
        assert_eq!(json_path("wind.gusts.0"), "$.\"wind\".\"gusts\"[0]");
        assert_eq!(json_path(""), "$");
        assert_eq!(literal("it's"), "'it''s'");
    }
}
