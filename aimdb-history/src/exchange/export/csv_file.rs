//! CSV.

use std::io::{self, Write};

use aimdb_persistence_backend::Row;

use crate::error::HistoryError;
use crate::exchange::cell::cell_of;
use crate::exchange::columns::Columns;
use crate::exchange::export::row_file::RowFile;
use crate::exchange::members::{RECORD_NAME, STORED_AT, VERSION};
use crate::question::rfc3339;
use crate::written::NewFile;

pub(crate) struct CsvFile {
    csv: csv::Writer<Buffer>,
    file: NewFile,
    columns: Columns,
}

/// What is written before it goes into the file, which knows its name in errors.
#[derive(Default)]
struct Buffer(Vec<u8>);

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

const BUFFERED: usize = 1 << 16;

impl CsvFile {
    pub(crate) fn begin(file: NewFile, columns: Columns) -> Result<Self, HistoryError> {
        let mut csv = csv::Writer::from_writer(Buffer::default());
        let own = [RECORD_NAME, STORED_AT, VERSION];
        let names = columns.names().iter().map(String::as_str);
        csv.write_record(own.into_iter().chain(names))
            .map_err(io::Error::from)?;
        Ok(Self { csv, file, columns })
    }

    fn hand_over(&mut self) -> Result<(), HistoryError> {
        let csv = std::mem::replace(&mut self.csv, csv::Writer::from_writer(Buffer::default()));
        let buffer = csv.into_inner().map_err(|error| error.into_error())?;
        self.file.write(&buffer.0)
    }
}

impl RowFile for CsvFile {
    fn row(&mut self, row: Row<'_>) -> Result<bool, HistoryError> {
        let mut places = Vec::new();
        let fits = self.columns.spread(row.json, &mut places);
        let (stored_at, version) = (rfc3339(row.stored_at), row.version.to_string());
        let field = |field: &str, csv: &mut csv::Writer<Buffer>| {
            csv.write_field(field).map_err(io::Error::from)
        };
        for own in [row.record_name, &stored_at, &version] {
            field(own, &mut self.csv)?;
        }
        for place in places {
            match place {
                Some(json) => field(&cell_of(json), &mut self.csv)?,
                None => field("", &mut self.csv)?,
            }
        }
        let end: [&[u8]; 0] = [];
        self.csv.write_record(end).map_err(io::Error::from)?;
        if self.csv.get_ref().0.len() > BUFFERED {
            self.hand_over()?;
        }
        Ok(fits)
    }

    fn complete(mut self: Box<Self>) -> Result<(), HistoryError> {
        self.hand_over()?;
        self.file.complete()
    }
}
