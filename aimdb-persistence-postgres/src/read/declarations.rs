//! Reading what is declared of series.

use aimdb_persistence_backend::{Pattern, SeriesDeclaration, StorageErrorKind};

use crate::connect::session::Session;
use crate::error::Failure;
use crate::layout::declared::Declared;
use crate::scope::Scope;

const DECLARATIONS: &str = "SELECT s.key, s.template, s.retention_ms, s.keep_last, s.max_rows, s.on_duplicate, s.type, s.unit, o.name \
     FROM series s JOIN source o ON o.id = s.source WHERE s.type IS NOT NULL ORDER BY s.key, o.name";

/// Of every series that was declared and that the pattern selects, by record name. Where several sources have one, that of
/// the first.
pub(crate) async fn read(
    session: &mut Session,
    scope: &Scope,
    pattern: &Pattern,
) -> Result<Vec<SeriesDeclaration>, Failure> {
    let found = session
        .query(DECLARATIONS, &[], "reading what is declared")
        .await?;
    let mut declarations: Vec<SeriesDeclaration> = Vec::new();
    for row in &found {
        let (record_name, source): (&str, &str) = (row.get(0), row.get(8));
        let is_known = declarations
            .last()
            .is_some_and(|last| *last.record_name == *record_name);
        if is_known || !scope.includes(source) || !pattern.matches(record_name) {
            continue;
        }
        let declaration = Declared::of(row, 1)
            .declaration(record_name)
            .map_err(|error| {
                let what = format!("what is declared of `{record_name}` cannot be read: {error}");
                Failure::new(StorageErrorKind::Corrupt, &session.server, what)
            })?;
        declarations.extend(declaration);
    }
    Ok(declarations)
}
