//! Apache Parquet: each column with the type that its values have.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aimdb_persistence_backend::Row;
use parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::Type;

use crate::error::HistoryError;
use crate::exchange::columns::{Columns, Holds};
use crate::exchange::export::row_file::RowFile;
use crate::exchange::members::{RECORD_NAME, STORED_AT, VERSION};
use crate::written::NewFile;

pub(crate) struct ParquetFile {
    path: PathBuf,
    writer: SerializedFileWriter<NewFile>,
    columns: Columns,
    /// Of the row group that is under way.
    record_names: Vec<ByteArray>,
    times: Vec<i64>,
    versions: Vec<i64>,
    fields: Vec<Values>,
}

/// So many rows of all columns are kept in memory, or so many bytes of them.
const ROWS_OF_GROUP: usize = 65_536;
const BYTES_OF_GROUP: usize = 32 << 20;

/// The values of one column that are there, and where they are.
struct Values {
    of: OfType,
    is_there: Vec<i16>,
}

enum OfType {
    Bool(Vec<bool>),
    Integer(Vec<i64>),
    Float(Vec<f64>),
    /// Texts as they are, or JSON.
    Text {
        is_json: bool,
        texts: Vec<ByteArray>,
        bytes: usize,
    },
}

impl ParquetFile {
    pub(crate) fn begin(
        file: NewFile,
        path: &Path,
        columns: &Columns,
    ) -> Result<Self, HistoryError> {
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by(concat!("aimdb-history ", env!("CARGO_PKG_VERSION")).to_owned());
        let schema = schema(columns).map_err(failed(path))?;
        let writer = SerializedFileWriter::new(file, schema, Arc::new(properties.build()));
        Ok(Self {
            path: path.to_owned(),
            writer: writer.map_err(failed(path))?,
            fields: columns
                .holds()
                .iter()
                .map(|holds| Values::of(*holds))
                .collect(),
            columns: columns.clone(),
            record_names: Vec::new(),
            times: Vec::new(),
            versions: Vec::new(),
        })
    }

    fn end_group(&mut self) -> Result<(), HistoryError> {
        if self.times.is_empty() {
            return Ok(());
        }
        let path = self.path.clone();
        let written = self.write_group();
        written.map_err(failed(&path))
    }

    fn write_group(&mut self) -> Result<(), ParquetError> {
        let mut group = self.writer.next_row_group()?;
        write::<ByteArrayType>(&mut group, &self.record_names, None)?;
        write::<Int64Type>(&mut group, &self.times, None)?;
        write::<Int64Type>(&mut group, &self.versions, None)?;
        for Values { of, is_there } in &self.fields {
            let is_there = Some(&**is_there);
            match of {
                OfType::Bool(values) => write::<BoolType>(&mut group, values, is_there)?,
                OfType::Integer(values) => write::<Int64Type>(&mut group, values, is_there)?,
                OfType::Float(values) => write::<DoubleType>(&mut group, values, is_there)?,
                OfType::Text { texts, .. } => write::<ByteArrayType>(&mut group, texts, is_there)?,
            }
        }
        group.close()?;
        self.record_names.clear();
        self.times.clear();
        self.versions.clear();
        self.fields.iter_mut().for_each(Values::clear);
        Ok(())
    }

    fn bytes(&self) -> usize {
        let of_texts = self.fields.iter().map(|values| match &values.of {
            OfType::Text { bytes, .. } => *bytes,
            _ => 0,
        });
        of_texts.sum()
    }
}

fn write<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, NewFile>,
    values: &[T::T],
    is_there: Option<&[i16]>,
) -> Result<(), ParquetError> {
    let end = || ParquetError::General("the schema has fewer columns".to_owned());
    let mut column = group.next_column()?.ok_or_else(end)?;
    column.typed::<T>().write_batch(values, is_there, None)?;
    column.close()
}

impl RowFile for ParquetFile {
    fn row(&mut self, row: Row<'_>) -> Result<bool, HistoryError> {
        self.record_names.push(row.record_name.into());
        self.times
            .push(i64::try_from(row.stored_at).unwrap_or(i64::MAX));
        self.versions.push(row.version.into());
        let mut places = Vec::new();
        let fits = self.columns.spread(row.json, &mut places);
        for (values, json) in self.fields.iter_mut().zip(places) {
            values.push(json);
        }
        if self.times.len() >= ROWS_OF_GROUP || self.bytes() >= BYTES_OF_GROUP {
            self.end_group()?;
        }
        Ok(fits)
    }

    fn complete(mut self: Box<Self>) -> Result<(), HistoryError> {
        self.end_group()?;
        let path = self.path.clone();
        let file = self.writer.into_inner().map_err(failed(&path))?;
        file.complete()
    }
}

impl Values {
    fn of(holds: Holds) -> Self {
        let text = |is_json| OfType::Text {
            is_json,
            texts: Vec::new(),
            bytes: 0,
        };
        Self {
            of: match holds {
                Holds::Bool => OfType::Bool(Vec::new()),
                Holds::Integer => OfType::Integer(Vec::new()),
                Holds::Float => OfType::Float(Vec::new()),
                Holds::Text | Holds::Nothing => text(false),
                Holds::Json => text(true),
            },
            is_there: Vec::new(),
        }
    }

    fn push(&mut self, json: Option<&str>) {
        let is_there = match (json.filter(|json| *json != "null"), &mut self.of) {
            (None, _) => false,
            (Some(json), OfType::Bool(values)) => {
                values.push(json == "true");
                true
            }
            (Some(json), OfType::Integer(values)) => match json.parse() {
                Ok(number) => {
                    values.push(number);
                    true
                }
                Err(_) => false,
            },
            (Some(json), OfType::Float(values)) => match json.parse() {
                Ok(number) => {
                    values.push(number);
                    true
                }
                Err(_) => false,
            },
            (
                Some(json),
                OfType::Text {
                    is_json,
                    texts,
                    bytes,
                },
            ) => {
                let text = match *is_json {
                    true => json.to_owned(),
                    false => serde_json::from_str(json).unwrap_or_else(|_| json.to_owned()),
                };
                *bytes += text.len();
                texts.push(text.into_bytes().into());
                true
            }
        };
        self.is_there.push(i16::from(is_there));
    }

    fn clear(&mut self) {
        self.is_there.clear();
        match &mut self.of {
            OfType::Bool(values) => values.clear(),
            OfType::Integer(values) => values.clear(),
            OfType::Float(values) => values.clear(),
            OfType::Text { texts, bytes, .. } => {
                texts.clear();
                *bytes = 0;
            }
        }
    }
}

fn schema(columns: &Columns) -> Result<Arc<Type>, ParquetError> {
    let column = |name: &str, physical, logical, repetition| {
        let column = Type::primitive_type_builder(name, physical)
            .with_repetition(repetition)
            .with_logical_type(logical)
            .build();
        column.map(Arc::new)
    };
    let time = LogicalType::Timestamp {
        is_adjusted_to_u_t_c: true,
        unit: TimeUnit::MILLIS,
    };
    let (text, number) = (Physical::BYTE_ARRAY, Physical::INT64);
    let there = Repetition::REQUIRED;
    let mut fields = vec![
        column(RECORD_NAME, text, Some(LogicalType::String), there)?,
        column(STORED_AT, number, Some(time), there)?,
        column(VERSION, number, None, there)?,
    ];
    for (name, holds) in columns.names().iter().zip(columns.holds()) {
        let (physical, logical) = match holds {
            Holds::Bool => (Physical::BOOLEAN, None),
            Holds::Integer => (Physical::INT64, None),
            Holds::Float => (Physical::DOUBLE, None),
            Holds::Text | Holds::Nothing => (text, Some(LogicalType::String)),
            Holds::Json => (text, Some(LogicalType::Json)),
        };
        fields.push(column(name, physical, logical, Repetition::OPTIONAL)?);
    }
    let schema = Type::group_type_builder("history").with_fields(fields);
    schema.build().map(Arc::new)
}

fn failed(path: &Path) -> impl FnOnce(ParquetError) -> HistoryError {
    let path = path.to_owned();
    move |error| {
        let source = match error {
            ParquetError::External(cause) => match cause.downcast::<io::Error>() {
                Ok(error) => *error,
                Err(cause) => io::Error::other(cause),
            },
            error => io::Error::other(error),
        };
        HistoryError::of_file(&path, "writing it")(source)
    }
}
