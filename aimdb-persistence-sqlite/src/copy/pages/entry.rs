//! What a cell of a page is of a history, known by its shape and, but for the published crate's rows, by its checksum.
//!
//! So no table's beginning has to be found.

use rusqlite::types::ValueRef;

use crate::chunks::place::ChunkPlace;
use crate::chunks::rows;
use crate::copy::pages::cells::{Cell, Kind};
use crate::copy::pages::record::{Value, values};
use crate::layout::functions::checksum;
use crate::layout::place::RowKey;

/// A row of a table, or of an index.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Entry {
    /// Of the clustered table, or of the tail. Its checksum has not been looked at.
    Row(Row),
    Large {
        sequence: i64,
        value: Vec<u8>,
    },
    Series(Box<Series>),
    /// Packed rows of a series. Their checksum fits.
    Chunk(Box<Chunk>),
    /// Where packed rows lie.
    ChunkPlace(Box<ChunkPlace>),
    /// The second copy of a name.
    Name {
        id: i64,
        key: String,
    },
    /// Up to this sequence the tail's rows count no more.
    Settled(i64),
    /// The same in its second place.
    NotedSettled(i64),
    /// Of the published crate's table.
    Published(Published),
    /// Something else of a sound page.
    Other,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    pub(crate) key: RowKey,
    pub(crate) is_in_tail: bool,
    pub(crate) seal: i64,
    /// `None` where it lies apart.
    pub(crate) value: Option<Vec<u8>>,
}

/// A row of `series`, as its columns are.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Series {
    pub(crate) id: i64,
    pub(crate) key: String,
    pub(crate) template: Option<String>,
    pub(crate) retention_ms: Option<i64>,
    pub(crate) keep_last: i64,
    pub(crate) max_rows: Option<i64>,
    pub(crate) on_duplicate: i64,
    pub(crate) pack_ms: Option<i64>,
    pub(crate) of_type: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Chunk {
    pub(crate) id: i64,
    pub(crate) series: i64,
    pub(crate) body: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Published {
    pub(crate) id: i64,
    pub(crate) record_name: String,
    pub(crate) value: String,
    pub(crate) stored_at: i64,
}

impl Series {
    /// Of which nothing but the name is known.
    pub(crate) fn named(id: i64, key: String) -> Self {
        Self {
            id,
            key,
            template: None,
            retention_ms: None,
            keep_last: 0,
            max_rows: None,
            on_duplicate: 0,
            pack_ms: None,
            of_type: None,
        }
    }
}

/// `None` where the cell is no record at all, or its checksum does not fit.
pub(crate) fn entry(kind: Kind, cell: &Cell) -> Option<Entry> {
    let values = values(&cell.payload)?;
    use Value::{Blob, Integer, Null, Text};
    Some(match (kind, &values[..]) {
        (
            Kind::IndexLeaf | Kind::IndexInterior,
            [
                Integer(series),
                Integer(stored_at),
                Integer(sequence),
                Integer(seal),
                value @ (Text(_) | Null),
            ],
        ) => Entry::Row(Row {
            key: RowKey::new(*series, *stored_at, *sequence),
            is_in_tail: false,
            seal: *seal,
            value: bytes(*value),
        }),
        (Kind::IndexLeaf | Kind::IndexInterior, [Integer(sum), Text(key), Integer(id)]) => {
            let of_name = checksum([ValueRef::Integer(*id), ValueRef::Text(key)]);
            let key = String::from_utf8(key.to_vec()).ok()?;
            (i64::from(of_name) == *sum).then_some(Entry::Name { id: *id, key })?
        }
        (Kind::IndexLeaf, [Text(b"settled"), Integer(settled)]) => Entry::NotedSettled(*settled),
        (
            Kind::TableLeaf,
            [
                Null,
                Integer(series),
                Integer(stored_at),
                Integer(seal),
                value @ (Text(_) | Null),
            ],
        ) => Entry::Row(Row {
            key: RowKey::new(*series, *stored_at, cell.rowid),
            is_in_tail: true,
            seal: *seal,
            value: bytes(*value),
        }),
        (Kind::TableLeaf, [Null, Integer(series), Integer(seal), Blob(_), Blob(body)]) => {
            let fits = rows::seal(cell.rowid, *series, body) == *seal;
            let chunk = || Chunk {
                id: cell.rowid,
                series: *series,
                body: body.to_vec(),
            };
            Entry::Chunk(Box::new(fits.then(chunk)?))
        }
        (Kind::IndexLeaf | Kind::IndexInterior, columns) if columns.len() == 10 => {
            let numbers: Option<Vec<_>> = columns.iter().map(|value| value.integer()).collect();
            let place = ChunkPlace::of_columns(numbers?.try_into().ok()?)?;
            Entry::ChunkPlace(Box::new(place))
        }
        (Kind::TableLeaf, [Null, Text(value)]) => Entry::Large {
            sequence: cell.rowid,
            value: value.to_vec(),
        },
        (Kind::TableLeaf, [Null, Text(_), .., Integer(_), Integer(_)]) if values.len() == 11 => {
            Entry::Series(Box::new(series(cell.rowid, &values)?))
        }
        (Kind::TableLeaf, [Integer(settled), rest @ .., Integer(sum)]) if rest.len() == 6 => {
            let columns = values[..7].iter().map(|value| as_ref(*value));
            (i64::from(checksum(columns)) == *sum).then_some(Entry::Settled(*settled))?
        }
        (Kind::TableLeaf, [Null, Text(name), Text(value), Integer(stored_at)]) => {
            Entry::Published(Published {
                id: cell.rowid,
                record_name: str::from_utf8(name).ok()?.to_owned(),
                value: str::from_utf8(value).ok()?.to_owned(),
                stored_at: *stored_at,
            })
        }
        _ => Entry::Other,
    })
}

/// `None` unless both checksums fit.
fn series(id: i64, values: &[Value<'_>]) -> Option<Series> {
    let number = ValueRef::Integer(id);
    let of_name = checksum([number, as_ref(values[1])]);
    let rest = values[2..9].iter().map(|value| as_ref(*value));
    let of_rest = checksum([number].into_iter().chain(rest));
    let sums = [of_name, of_rest].map(|sum| Some(i64::from(sum)));
    if sums != [values[9].integer(), values[10].integer()] {
        return None;
    }
    let owned = |value: Value<'_>| value.text().map(str::to_owned);
    Some(Series {
        id,
        key: owned(values[1])?,
        template: values[2].or_null(owned)?,
        retention_ms: values[3].or_null(Value::integer)?,
        keep_last: values[4].integer()?,
        max_rows: values[5].or_null(Value::integer)?,
        on_duplicate: values[6].integer()?,
        pack_ms: values[7].or_null(Value::integer)?,
        of_type: values[8].or_null(owned)?,
    })
}

fn as_ref(value: Value<'_>) -> ValueRef<'_> {
    match value {
        Value::Integer(number) => ValueRef::Integer(number),
        Value::Text(bytes) => ValueRef::Text(bytes),
        Value::Blob(bytes) => ValueRef::Blob(bytes),
        Value::Null | Value::Other => ValueRef::Null,
    }
}

fn bytes(value: Value<'_>) -> Option<Vec<u8>> {
    match value {
        Value::Text(bytes) => Some(bytes.to_vec()),
        _ => None,
    }
}
