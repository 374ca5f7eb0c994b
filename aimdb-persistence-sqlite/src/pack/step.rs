//! Packing rows: one chunk, or a chunk again, within the caller's transaction.

use aimdb_persistence_packed::{Filling, MOST_ROWS, Packed, RowIn, pack};
use rusqlite::Connection;

use crate::chunks::change::{drop_chunk, insert, remove_clustered, row_in, unpack};
use crate::chunks::count::Stretch;
use crate::chunks::place::ChunkPlace;
use crate::chunks::rows::PackedRows;
use crate::layout::chunk_sql;
use crate::layout::place::{Place, RowKey};
use crate::layout::seal;
use crate::pack::plan::{Measure, Plan};

/// Rows with more JSON become several chunks.
const MOST_JSON: usize = 128 << 10;
/// What a clustered row takes beside its text.
const BYTES_OF_A_ROW: usize = 14;
/// Less is not worth it.
const GAIN: usize = 3;

/// What became of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Done {
    /// So many clustered rows are packed; it goes on behind this place.
    Packed(usize, Place),
    /// It goes on behind this place: what lies before it cannot be packed.
    Passed(Place),
    /// More rows would fit into the chunk.
    HasRoom,
    /// The rows take as much room as a chunk.
    NoGain,
}

pub(crate) fn carry_out(
    connection: &Connection,
    plan: &Plan,
    filling: &mut Filling,
    measure: Measure,
) -> rusqlite::Result<Done> {
    match plan {
        Plan::Pack {
            rows, is_bounded, ..
        } => pack_rows(connection, *rows, *is_bounded, filling, measure),
        Plan::Again(chunk, beside) => again(connection, chunk, *beside, filling, measure),
        Plan::Unpack(chunk) => match PackedRows::open(connection, chunk)? {
            Ok(_) => {
                unpack(connection, chunk)?;
                Ok(Done::Packed(0, chunk.first.before()))
            }
            Err(_) => Ok(Done::Passed(chunk.last)),
        },
    }
}

/// Rows as they are read, one behind the other.
#[derive(Default)]
struct Gathered {
    text: String,
    rows: Vec<(Place, u32, usize)>,
}

impl Gathered {
    fn push(&mut self, place: Place, version: u32, text: &str) {
        self.text.push_str(text);
        self.rows.push((place, version, self.text.len()));
    }

    fn rows(&self) -> Vec<RowIn<'_>> {
        let mut start = 0;
        let row = |&(place, version, end): &(Place, u32, usize)| {
            let text = &self.text[start..end];
            start = end;
            row_in(place, version, text)
        };
        self.rows.iter().map(row).collect()
    }
}

/// Clustered rows in order, as many as may become one chunk. Ends before a row that is not as it was stored: says where
/// that is.
fn gather(
    connection: &Connection,
    rows: Stretch,
    most: usize,
    most_json: usize,
) -> rusqlite::Result<(Gathered, Option<Place>)> {
    let (mut gathered, mut damaged) = (Gathered::default(), None);
    let (a, b, c, d, e) = rows.bounds();
    let mut read = connection.prepare_cached(chunk_sql::ROWS_BETWEEN)?;
    let mut read = read.query((a, b, c, d, e, most as i64))?;
    while let Some(row) = read.next()? {
        let place = Place::of(row)?;
        let key = RowKey {
            series: rows.series,
            place,
        };
        let json = row.get_ref(2)?.as_bytes_or_null()?.unwrap_or_default();
        let version = seal::opened(key, row.get(3)?, json);
        let Some((version, text)) = version.zip(str::from_utf8(json).ok()) else {
            damaged = Some(place);
            break;
        };
        gathered.push(place, version, text);
        if gathered.text.len() > most_json {
            break;
        }
    }
    Ok((gathered, damaged))
}

fn pack_rows(
    connection: &Connection,
    rows: Stretch,
    is_bounded: bool,
    filling: &mut Filling,
    measure: Measure,
) -> rusqlite::Result<Done> {
    let (gathered, damaged) = gather(connection, rows, MOST_ROWS, MOST_JSON)?;
    let is_bounded = is_bounded || damaged.is_some();
    let all = gathered.rows();
    if all.len() < measure.least_rows && gathered.text.len() <= MOST_JSON {
        let last = damaged.or_else(|| gathered.rows.last().map(|row| row.0));
        return Ok(Done::Passed(last.unwrap_or(rows.newest)));
    }
    let Some((packed, has_room)) = fill(&all, filling, measure) else {
        return Ok(Done::Passed(gathered.rows[0].0));
    };
    if has_room && !is_bounded && !measure.is_forced {
        return Ok(Done::HasRoom);
    }
    let packed_rows = &all[..packed.rows];
    if measure.rows.is_none() && !is_gain(packed_rows, &packed) {
        return Ok(Done::NoGain);
    }
    insert(connection, rows.series, &packed, packed_rows)?;
    let newest = gathered.rows[packed.rows - 1].0;
    let gone = remove_clustered(connection, Stretch { newest, ..rows })?;
    Ok(Done::Packed(gone, newest))
}

/// A chunk of the first rows, and whether more would fit; `None` where the first row cannot be packed.
fn fill(rows: &[RowIn<'_>], filling: &mut Filling, measure: Measure) -> Option<(Packed, bool)> {
    match measure.rows {
        Some(count) => {
            let first = &rows[..count.min(rows.len())];
            let packed = pack(first.iter().copied()).ok()?;
            Some((packed, first.len() < count))
        }
        None => {
            let filled = filling.fill(rows).ok()?;
            Some((filled.packed, filled.has_room))
        }
    }
}

fn is_gain(rows: &[RowIn<'_>], packed: &Packed) -> bool {
    let texts: usize = rows.iter().map(|row| row.text.len()).sum();
    let bytes = packed.body.len() + packed.statistics.len();
    texts + rows.len() * BYTES_OF_A_ROW >= GAIN * bytes
}

/// Packs the rows of a chunk with those beside it.
fn again(
    connection: &Connection,
    chunk: &ChunkPlace,
    beside: Stretch,
    filling: &mut Filling,
    measure: Measure,
) -> rusqlite::Result<Done> {
    let (late, damaged) = gather(connection, beside, usize::MAX >> 1, usize::MAX)?;
    let passed = Ok(Done::Passed(chunk.last));
    if damaged.is_some() {
        return passed;
    }
    let Ok(rows) = PackedRows::open(connection, chunk)? else {
        return passed;
    };
    let counted = rows.counted(chunk);
    let Ok(texts) = rows.texts(counted.clone()) else {
        return passed;
    };
    let mut all = late.rows();
    all.extend(counted.map(|row| {
        let text = texts.get(row).unwrap_or_default();
        row_in(rows.places[row], rows.version(row), text)
    }));
    all.sort_unstable_by_key(|row| (row.stored_at, row.sequence));
    let (mut chunks, mut left) = (Vec::new(), &all[..]);
    while !left.is_empty() {
        let Some((packed, _)) = fill(left, filling, measure) else {
            return passed;
        };
        let (own, rest) = left.split_at(packed.rows);
        chunks.push((packed, own));
        left = rest;
    }
    drop_chunk(connection, chunk)?;
    for (packed, rows) in chunks {
        insert(connection, chunk.series, &packed, rows)?;
    }
    let gone = remove_clustered(connection, beside)?;
    Ok(Done::Packed(gone, chunk.last))
}
