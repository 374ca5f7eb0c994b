//! One JSON object in each line, the value as it is stored.

use aimdb_persistence_backend::Row;

use crate::error::HistoryError;
use crate::exchange::cell::quoted;
use crate::exchange::export::row_file::RowFile;
use crate::written::NewFile;

pub(crate) struct NdjsonFile {
    file: NewFile,
}

impl NdjsonFile {
    pub(crate) fn begin(file: NewFile) -> Self {
        Self { file }
    }
}

impl RowFile for NdjsonFile {
    fn row(&mut self, row: Row<'_>) -> Result<bool, HistoryError> {
        let line = format!(
            "{{\"record_name\":{},\"stored_at\":{},\"version\":{},\"value\":{}}}\n",
            quoted(row.record_name),
            row.stored_at,
            row.version,
            row.json
        );
        self.file.write(line.as_bytes())?;
        Ok(true)
    }

    fn complete(self: Box<Self>) -> Result<(), HistoryError> {
        self.file.complete()
    }
}
