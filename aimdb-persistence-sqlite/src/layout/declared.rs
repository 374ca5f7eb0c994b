//! What is declared of a series, as the file keeps it.

use std::borrow::Cow;

use aimdb_persistence_backend::{
    DeclaredField, FieldKind, OnDuplicate, Packing, Pattern, Retention, SeriesDeclaration,
};
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row};
use serde::{Deserialize, Serialize};

use crate::error::damage;
use crate::layout::sql;

/// Before rows are removed by what is declared.
///
/// # Errors
/// Damage, where it is not as it was written.
pub(crate) fn check_all(connection: &Connection) -> rusqlite::Result<()> {
    let damaged: i64 = connection
        .prepare_cached(sql::DAMAGED_SERIES)?
        .query_row([], |r| r.get(0))?;
    match damaged {
        0 => Ok(()),
        _ => Err(damage(format_args!(
            "what is declared of {damaged} series is not as it was written"
        ))),
    }
}

/// A retention without end, as the file has it.
pub(crate) const FOREVER: i64 = -1;

/// A series that is never packed, as the file has it.
pub(crate) const NEVER: i64 = -1;

/// A row of the table `series`, without its id and key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Declared {
    template: Option<String>,
    retention_ms: Option<i64>,
    keep_last: i64,
    max_rows: Option<i64>,
    on_duplicate: i64,
    pack_ms: Option<i64>,
    /// NULL where the series was never declared.
    of_type: Option<String>,
}

impl Declared {
    /// From its columns, the first of which is number `start`.
    fn of(row: &Row<'_>, start: usize) -> rusqlite::Result<Self> {
        Ok(Self {
            template: row.get(start)?,
            retention_ms: row.get(start + 1)?,
            keep_last: row.get(start + 2)?,
            max_rows: row.get(start + 3)?,
            on_duplicate: row.get(start + 4)?,
            pack_ms: row.get(start + 5)?,
            of_type: row.get(start + 6)?,
        })
    }

    /// What the file holds of the series, if it knows the series.
    pub(crate) fn read(
        connection: &Connection,
        record_name: &str,
    ) -> rusqlite::Result<Option<Self>> {
        let mut declared = connection.prepare_cached(sql::DECLARED)?;
        declared
            .query_row([record_name], |row| Self::of(row, 0))
            .optional()
    }

    /// Of every series that was declared and that the pattern selects, by record_name.
    pub(crate) fn select(
        connection: &Connection,
        pattern: &Pattern,
    ) -> rusqlite::Result<Vec<SeriesDeclaration>> {
        if let Some(record_name) = pattern.exact_key() {
            let declared = Self::read(connection, record_name)?;
            let declaration =
                declared.and_then(|declared| declared.declaration(record_name).transpose());
            return declaration.into_iter().collect();
        }
        let mut series = connection.prepare_cached(sql::DECLARATIONS)?;
        let mut series = series.query([])?;
        let mut declarations = Vec::new();
        while let Some(row) = series.next()? {
            let record_name = row.get_ref(0)?.as_str()?;
            if pattern.matches(record_name) {
                declarations.extend(Self::of(row, 1)?.declaration(record_name)?);
            }
        }
        Ok(declarations)
    }

    pub(crate) fn is_declared(&self) -> bool {
        self.of_type.is_some()
    }

    /// As it was declared; `None` if it was not.
    fn declaration(&self, record_name: &str) -> rusqlite::Result<Option<SeriesDeclaration>> {
        let Some(of_type) = &self.of_type else {
            return Ok(None);
        };
        let of_type: StoredType<'_> = serde_json::from_str(of_type).map_err(|error| {
            rusqlite::Error::FromSqlConversionFailure(0, Type::Text, Box::new(error))
        })?;
        let mut declaration = SeriesDeclaration::new(record_name)
            .with_retention(self.retention_ms.map(retention))
            .with_keep_last(to_u64(self.keep_last))
            .with_on_duplicate(on_duplicate(self.on_duplicate))
            .with_version(of_type.version)
            .with_fields(of_type.fields.iter().map(StoredField::declared));
        declaration.type_name = of_type.name.as_deref().map(Into::into);
        declaration.template = self.template.as_deref().map(Into::into);
        declaration.max_rows = self.max_rows.map(to_u64);
        declaration.pack = self.pack_ms.map(packing);
        Ok(Some(declaration))
    }

    pub(crate) fn write(&self, connection: &Connection, record_name: &str) -> rusqlite::Result<()> {
        let mut declare = connection.prepare_cached(sql::DECLARE)?;
        let columns = (
            record_name,
            &self.template,
            self.retention_ms,
            self.keep_last,
            self.max_rows,
            self.on_duplicate,
            self.pack_ms,
            &self.of_type,
        );
        if declare.execute(columns)? == 0 {
            let mut add = connection.prepare_cached(sql::ADD_SERIES)?;
            add.query_row([record_name], |_| Ok(()))?;
            declare.execute(columns)?;
        }
        Ok(())
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
            template: declaration.template.as_deref().map(str::to_owned),
            retention_ms: declaration.retention.map(|retention| match retention {
                Retention::Forever => FOREVER,
                Retention::Milliseconds(length) => to_i64(length),
            }),
            keep_last: to_i64(declaration.keep_last),
            max_rows: declaration.max_rows.map(to_i64),
            on_duplicate: code(declaration.on_duplicate),
            pack_ms: declaration.pack.map(|pack| match pack {
                Packing::Never => NEVER,
                Packing::After(length) => to_i64(length),
            }),
            of_type: Some(json_of_type(declaration)),
        }
    }
}

/// There are none below zero but in a damaged file.
fn to_u64(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

fn retention(ms: i64) -> Retention {
    u64::try_from(ms).map_or(Retention::Forever, Retention::Milliseconds)
}

fn packing(ms: i64) -> Packing {
    u64::try_from(ms).map_or(Packing::Never, Packing::After)
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

/// A type as it stands in the file.
#[derive(Serialize, Deserialize)]
struct StoredType<'a> {
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    name: Option<Cow<'a, str>>,
    version: u32,
    #[serde(borrow)]
    fields: Vec<StoredField<'a>>,
}

/// A field as it stands in the file.
#[derive(Serialize, Deserialize)]
struct StoredField<'a> {
    #[serde(borrow)]
    path: Cow<'a, str>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    unit: Option<Cow<'a, str>>,
}

impl<'a> StoredField<'a> {
    fn of(field: &'a DeclaredField) -> Self {
        Self {
            path: Cow::Borrowed(&field.path),
            kind: field.kind.map(|kind| Cow::Borrowed(kind.name())),
            unit: field.unit.as_deref().map(Cow::Borrowed),
        }
    }

    fn declared(&self) -> DeclaredField {
        let mut field = DeclaredField::new(&*self.path);
        field.kind = self.kind.as_deref().and_then(FieldKind::from_name);
        field.unit = self.unit.as_deref().map(Into::into);
        field
    }
}

fn json_of_type(declaration: &SeriesDeclaration) -> String {
    let stored = StoredType {
        name: declaration.type_name.as_deref().map(Cow::Borrowed),
        version: declaration.version,
        fields: declaration.fields.iter().map(StoredField::of).collect(),
    };
    serde_json::to_string(&stored).expect("texts are JSON")
}
