//! What is declared of a series, as the file keeps it.

use std::collections::BTreeMap;
use std::sync::Arc;

use aimdb_persistence::{
    FieldInfo, OnDuplicate, PersistenceError, Retention, SeriesDeclaration, validate_key,
};
use rusqlite::{Connection, OptionalExtension, Row};

use crate::error::{During, Failure};
use crate::layout::sql;
use crate::write::connection::{Sync, WriteConnection};

/// What was declared of series in this run. A new file has to be told.
pub(crate) type Declarations = BTreeMap<Arc<str>, SeriesDeclaration>;

/// A retention without end, as the file has it.
pub(crate) const FOREVER: i64 = -1;

/// A row of the table `series`, without its id and key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Declared {
    template: Option<String>,
    retention_ms: Option<i64>,
    keep_last: i64,
    max_rows: Option<i64>,
    on_duplicate: i64,
    units: Option<String>,
}

impl Declared {
    /// What the file holds of the series, if it knows the series.
    pub(crate) fn read(
        connection: &Connection,
        record_name: &str,
    ) -> rusqlite::Result<Option<Self>> {
        let read = |r: &Row<'_>| {
            Ok(Self {
                template: r.get(0)?,
                retention_ms: r.get(1)?,
                keep_last: r.get(2)?,
                max_rows: r.get(3)?,
                on_duplicate: r.get(4)?,
                units: r.get(5)?,
            })
        };
        let mut declared = connection.prepare_cached(sql::DECLARED)?;
        declared.query_row([record_name], read).optional()
    }

    pub(crate) fn write(&self, connection: &Connection, record_name: &str) -> rusqlite::Result<()> {
        let mut declare = connection.prepare_cached(sql::DECLARE)?;
        let written = declare.execute((
            record_name,
            &self.template,
            self.retention_ms,
            self.keep_last,
            self.max_rows,
            self.on_duplicate,
            &self.units,
        ));
        written.map(drop)
    }

    /// What a declaration does not say stays as it was.
    pub(crate) fn after(mut self, known: Option<&Self>) -> Self {
        let template = known.and_then(|known| known.template.clone());
        self.template = self.template.or(template);
        self
    }
}

impl From<&SeriesDeclaration> for Declared {
    fn from(declaration: &SeriesDeclaration) -> Self {
        let to_i64 = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        Self {
            template: declaration.template.map(str::to_owned),
            retention_ms: declaration.retention.map(|retention| match retention {
                Retention::Forever => FOREVER,
                Retention::Milliseconds(length) => to_i64(length),
            }),
            keep_last: to_i64(declaration.keep_last),
            max_rows: declaration.max_rows.map(to_i64),
            on_duplicate: code(declaration.on_duplicate),
            units: units(declaration.fields),
        }
    }
}

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

fn code(on_duplicate: OnDuplicate) -> i64 {
    match on_duplicate {
        OnDuplicate::Keep => 0,
        OnDuplicate::Replace => 1,
        OnDuplicate::Ignore => 2,
    }
}

/// What a number in the file means. One that a newer program wrote keeps every row.
pub(crate) fn on_duplicate(code: i64) -> OnDuplicate {
    match code {
        1 => OnDuplicate::Replace,
        2 => OnDuplicate::Ignore,
        _ => OnDuplicate::Keep,
    }
}

/// The fields' units as a JSON object.
fn units(fields: &[FieldInfo]) -> Option<String> {
    let units: serde_json::Map<_, _> = fields
        .iter()
        .filter_map(|field| Some((field.name().to_owned(), field.unit()?.into())))
        .collect();
    (!units.is_empty()).then(|| serde_json::Value::Object(units).to_string())
}
