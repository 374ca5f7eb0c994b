//! What is imported, as it is described.

use std::path::PathBuf;

/// What is imported, and how its columns become rows.
#[derive(Debug, Clone)]
pub struct Import {
    /// The file: `.csv`, `.ndjson`.
    pub file: PathBuf,
    /// The key of each row, with columns in braces: `temperature.{station}`. By default the column `record_name`.
    pub key: String,
    /// The column of the time. A number is Unix seconds, milliseconds, microseconds or nanoseconds, told apart by its size;
    /// in the column `stored_at` it is Unix milliseconds, as this program writes it.
    pub time: String,
    /// The version of the type that all rows are of. By default that of the column `version`, and 0 without it.
    pub version: Option<u32>,
    /// Which columns become fields: `field=column`, or `column`. By default all that the key and the time do not name.
    pub fields: Vec<String>,
    /// Only says what would be imported.
    pub dry_run: bool,
    /// Where lines go that cannot be rows, each with the reason.
    pub rejects: Option<PathBuf>,
}
