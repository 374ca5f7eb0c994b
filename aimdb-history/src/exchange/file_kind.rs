//! What kind of file, by its name.

use std::path::Path;

use crate::error::HistoryError;

/// What kind of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// Comma-separated values with a header.
    Csv,
    /// One JSON object in each line.
    Ndjson,
    /// Apache Parquet.
    Parquet,
}

impl FileKind {
    /// By the name's ending.
    ///
    /// # Errors
    /// Says which endings are known.
    pub fn of(path: &Path) -> Result<Self, HistoryError> {
        let ending = path.extension().and_then(|ending| ending.to_str());
        match ending.map(str::to_lowercase).as_deref() {
            Some("csv") => Ok(Self::Csv),
            Some("ndjson" | "jsonl" | "json") => Ok(Self::Ndjson),
            Some("parquet") => Ok(Self::Parquet),
            _ => Err(HistoryError::Usage(format!(
                "{}: the ending says what kind of file it is: .csv, .ndjson or .parquet",
                path.display()
            ))),
        }
    }
}
