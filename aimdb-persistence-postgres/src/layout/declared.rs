//! What is declared of a series, as the database keeps it.

use std::borrow::Cow;

use aimdb_persistence_backend::{
    DeclaredField, FieldKind, KeyError, OnDuplicate, PersistenceError, Retention, SeriesDeclaration,
};
use serde::{Deserialize, Serialize};
use tokio_postgres::Row;

use crate::layout::tables::{PLAIN, class_of};

/// A retention without end, as the database has it.
pub(crate) const FOREVER: i64 = -1;

/// A row of the table `series`, without its id and key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Declared {
    pub(crate) template: Option<String>,
    pub(crate) retention_ms: Option<i64>,
    pub(crate) keep_last: i64,
    pub(crate) max_rows: Option<i64>,
    pub(crate) on_duplicate: i16,
    /// NULL where the series was never declared.
    pub(crate) of_type: Option<String>,
    pub(crate) unit: Option<String>,
}

impl Declared {
    /// From its columns, the first of which is number `start`.
    pub(crate) fn of(row: &Row, start: usize) -> Self {
        Self {
            template: row.get(start),
            retention_ms: row.get(start + 1),
            keep_last: row.get(start + 2),
            max_rows: row.get(start + 3),
            on_duplicate: row.get(start + 4),
            of_type: row.get(start + 5),
            unit: row.get(start + 6),
        }
    }

    /// Whose table its rows go to.
    pub(crate) fn class(&self, default_retention_ms: Option<i64>) -> i16 {
        match (self.keep_last, self.max_rows) {
            (0, None) => class_of(self.retention_ms.or(default_retention_ms)),
            // Which of its rows go depends on how many there are.
            _ => PLAIN,
        }
    }

    pub(crate) fn is_declared(&self) -> bool {
        self.of_type.is_some()
    }

    /// As it was declared; `None` if it was not.
    pub(crate) fn declaration(
        &self,
        record_name: &str,
    ) -> Result<Option<SeriesDeclaration>, serde_json::Error> {
        let Some(of_type) = &self.of_type else {
            return Ok(None);
        };
        let of_type: StoredType<'_> = serde_json::from_str(of_type)?;
        let mut declaration = SeriesDeclaration::new(record_name)
            .with_retention(self.retention_ms.map(retention))
            .with_keep_last(to_u64(self.keep_last))
            .with_on_duplicate(on_duplicate(self.on_duplicate))
            .with_version(of_type.version)
            .with_fields(of_type.fields.iter().map(StoredField::declared));
        declaration.type_name = of_type.name.as_deref().map(Into::into);
        declaration.template = self.template.as_deref().map(Into::into);
        declaration.max_rows = self.max_rows.map(to_u64);
        Ok(Some(declaration))
    }

    /// What a declaration does not say stays as it was.
    pub(crate) fn after(mut self, known: Option<&Self>) -> Self {
        let template = known.and_then(|known| known.template.clone());
        self.template = self.template.or(template);
        self
    }

    /// As the database can keep it.
    ///
    /// # Errors
    /// If a text holds NUL, which PostgreSQL has no room for.
    pub(crate) fn of_declaration(
        declaration: &SeriesDeclaration,
    ) -> Result<Self, PersistenceError> {
        let template = declaration.template.as_deref();
        if let Some(template) = template.filter(|template| template.contains('\0')) {
            return Err(KeyError::new(template, "a template must not contain NUL").into());
        }
        let to_i64 = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let units = declaration
            .fields
            .iter()
            .filter_map(|field| field.unit.as_deref());
        Ok(Self {
            template: template.map(str::to_owned),
            retention_ms: declaration.retention.map(|retention| match retention {
                Retention::Forever => FOREVER,
                Retention::Milliseconds(length) => to_i64(length),
            }),
            keep_last: to_i64(declaration.keep_last),
            max_rows: declaration.max_rows.map(to_i64),
            on_duplicate: code(declaration.on_duplicate),
            of_type: Some(serde_json::to_string(&StoredType::of(declaration))?),
            unit: units.into_iter().next().map(|unit| unit.replace('\0', "")),
        })
    }
}

/// There are none below zero but where somebody has written them by hand.
fn to_u64(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

fn retention(ms: i64) -> Retention {
    u64::try_from(ms).map_or(Retention::Forever, Retention::Milliseconds)
}

fn code(on_duplicate: OnDuplicate) -> i16 {
    match on_duplicate {
        OnDuplicate::Keep => 0,
        OnDuplicate::Replace => 1,
        OnDuplicate::Ignore => 2,
    }
}

/// What a number in the database means. One that a newer program wrote keeps every row.
pub(crate) fn on_duplicate(code: i16) -> OnDuplicate {
    match code {
        1 => OnDuplicate::Replace,
        2 => OnDuplicate::Ignore,
        _ => OnDuplicate::Keep,
    }
}

/// A type as it stands in the database.
#[derive(Serialize, Deserialize)]
struct StoredType<'a> {
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    name: Option<Cow<'a, str>>,
    version: u32,
    #[serde(borrow)]
    fields: Vec<StoredField<'a>>,
}

impl<'a> StoredType<'a> {
    fn of(declaration: &'a SeriesDeclaration) -> Self {
        Self {
            name: declaration.type_name.as_deref().map(Cow::Borrowed),
            version: declaration.version,
            fields: declaration.fields.iter().map(StoredField::of).collect(),
        }
    }
}

/// A field as it stands in the database.
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
