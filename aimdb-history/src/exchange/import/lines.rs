//! The lines of a file: each with its columns' values as JSON.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use serde_json::value::RawValue;

use crate::error::HistoryError;
use crate::exchange::cell::json_of;
use crate::exchange::file_kind::FileKind;
use crate::exchange::members::{RECORD_NAME, STORED_AT, VERSION, each_field, is_reserved};

/// One line: what its columns hold, or why it cannot be read.
pub(crate) struct Line {
    /// From 1, the header included.
    pub(crate) number: u64,
    pub(crate) text: String,
    pub(crate) values: Result<Values, String>,
}

/// What the columns of a line hold, as JSON. A column without a value is missing.
pub(crate) type Values = BTreeMap<String, String>;

/// The whole value, where a line has it apart. No column can have this name.
pub(crate) const VALUE: &str = "\0value";

/// A file, line by line.
pub(crate) enum Lines {
    Csv {
        path: PathBuf,
        csv: Box<csv::Reader<File>>,
        header: Vec<String>,
    },
    Ndjson {
        path: PathBuf,
        reader: BufReader<File>,
        number: u64,
    },
}

/// A line longer than this is no row, and is not kept in memory.
const LONGEST_LINE: u64 = 64 << 20;

impl Lines {
    pub(crate) fn open(path: &Path) -> Result<Self, HistoryError> {
        let kind = FileKind::of(path)?;
        let file = File::open(path).map_err(HistoryError::of_file(path, "opening it"))?;
        let path = path.to_owned();
        match kind {
            FileKind::Csv => {
                let mut csv = csv::ReaderBuilder::new().flexible(true).from_reader(file);
                let header = csv.headers().map_err(io::Error::from);
                let header = header.map_err(HistoryError::of_file(&path, "reading its header"))?;
                let header = header.iter().map(|name| name.trim().to_owned()).collect();
                Ok(Self::Csv {
                    path,
                    csv: Box::new(csv),
                    header,
                })
            }
            FileKind::Ndjson => Ok(Self::Ndjson {
                path,
                reader: BufReader::new(file),
                number: 0,
            }),
            FileKind::Parquet => Err(HistoryError::Usage(
                "Parquet is written and not read; import CSV or NDJSON".to_owned(),
            )),
        }
    }

    /// The columns, where the file names them before its lines.
    pub(crate) fn columns(&self) -> Option<&[String]> {
        match self {
            Self::Csv { header, .. } => Some(header),
            Self::Ndjson { .. } => None,
        }
    }

    pub(crate) fn next(&mut self) -> Result<Option<Line>, HistoryError> {
        match self {
            Self::Csv { path, csv, header } => {
                let mut record = csv::ByteRecord::new();
                let read = csv.read_byte_record(&mut record).map_err(io::Error::from);
                let is_there = read.map_err(HistoryError::of_file(path, "reading it"))?;
                Ok(is_there.then(|| of_record(header, &record)))
            }
            Self::Ndjson {
                path,
                reader,
                number,
            } => loop {
                let mut text = Vec::new();
                let mut limited = io::Read::take(&mut *reader, LONGEST_LINE);
                let read = limited.read_until(b'\n', &mut text);
                if read.map_err(HistoryError::of_file(path, "reading it"))? == 0 {
                    return Ok(None);
                }
                *number += 1;
                let text = String::from_utf8_lossy(&text);
                if !text.trim().is_empty() {
                    return Ok(Some(of_json(*number, text.trim())));
                }
            },
        }
    }
}

fn of_record(header: &[String], record: &csv::ByteRecord) -> Line {
    let number = record.position().map_or(0, csv::Position::line);
    let cells: Vec<_> = record.iter().map(String::from_utf8_lossy).collect();
    let values = match std::str::from_utf8(record.as_slice()) {
        Err(_) => Err("it is not UTF-8".to_owned()),
        Ok(_) if cells.len() != header.len() => Err(format!(
            "it has {} cells, and the header has {}",
            cells.len(),
            header.len()
        )),
        Ok(_) => Ok(header
            .iter()
            .zip(&cells)
            .filter(|(_, cell)| !cell.is_empty())
            .map(|(name, cell)| (name.clone(), json_of(cell).into_owned()))
            .collect()),
    };
    Line {
        number,
        text: cells.join(","),
        values,
    }
}

/// What `export` writes has its value apart; of any other object, each field is a column.
fn of_json(number: u64, text: &str) -> Line {
    let parsed = serde_json::from_str::<BTreeMap<String, &RawValue>>(text);
    let values = parsed.map_err(|error| format!("it is not a JSON object: {error}"));
    let values = values.map(|members| {
        let mut values = Values::new();
        let is_exported = members.contains_key("value")
            && members
                .keys()
                .all(|name| is_reserved(name) || name == "value");
        if !is_exported {
            each_field(text, |name, json| {
                // Columns of these names are no fields, as in CSV.
                let own = name.strip_prefix('.').filter(|name| is_reserved(name));
                values.insert(own.unwrap_or(name).to_owned(), json.to_owned());
            });
            return values;
        }
        for name in [RECORD_NAME, STORED_AT, VERSION] {
            if let Some(json) = members.get(name) {
                values.insert(name.to_owned(), json.get().to_owned());
            }
        }
        // The whole value at once, as it stands.
        values.insert(VALUE.to_owned(), members["value"].get().to_owned());
        values
    });
    Line {
        number,
        text: text.to_owned(),
        values,
    }
}
