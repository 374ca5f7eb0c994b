//! The rows of a chunk.

use std::ops::Range;
use std::sync::Arc;

use aimdb_persistence_backend::Quoted;
use aimdb_persistence_packed::{Chunk, PackedError};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension};

use crate::chunks::place::ChunkPlace;
use crate::error::damage;
use crate::layout::chunk_sql;
use crate::layout::functions::checksum;
use crate::layout::place::Place;
use crate::layout::sql;

/// An open chunk, and where its rows lie.
pub(crate) struct PackedRows {
    chunk: Chunk,
    /// Of all rows, those included that count no more.
    pub(crate) places: Vec<Place>,
    versions: Vec<u32>,
}

/// Of a chunk that is damaged: what is said of it.
pub(crate) type Opened = Result<Arc<PackedRows>, String>;

/// The checksum of a chunk: which it is, whose rows it holds, and what its body says of itself.
pub(crate) fn seal(id: i64, series: i64, body: &[u8]) -> i64 {
    // A body has its own checksum behind the byte of its format.
    let own = ValueRef::Blob(body.get(1..5).unwrap_or_default());
    let numbers = [id, series].map(ValueRef::Integer);
    i64::from(checksum(numbers.into_iter().chain([own])))
}

impl PackedRows {
    /// The outer error is SQLite's.
    pub(crate) fn open(connection: &Connection, place: &ChunkPlace) -> rusqlite::Result<Opened> {
        let mut body = connection.prepare_cached(chunk_sql::BODY)?;
        let read = |row: &rusqlite::Row<'_>| {
            let body = row.get_ref(2)?.as_blob()?;
            let is_own = row.get::<_, i64>(0)? == place.series
                && row.get::<_, i64>(1)? == seal(place.chunk, place.series, body);
            Ok(is_own.then(|| Self::of_body(body.to_vec())))
        };
        let what = match body.query_row([place.chunk], read).optional()? {
            Some(Some(Ok(rows))) if rows.fit(place) => return Ok(Ok(Arc::new(rows))),
            Some(Some(Ok(_))) => "they are not those that were packed".to_owned(),
            Some(Some(Err(error))) => error.to_string(),
            Some(None) => "their checksum does not fit".to_owned(),
            None => "they are not where they were stored".to_owned(),
        };
        let mut name = connection.prepare_cached(sql::NAME_OF_SERIES)?;
        let name = name.query_row([place.series], |r| r.get::<_, String>(0));
        Ok(Err(format!(
            "{} packed rows of record `{}` from {} to {} ms are damaged: {what}",
            place.counted(),
            Quoted(&name.optional()?.unwrap_or_default()),
            place.first.stored_at,
            place.last.stored_at
        )))
    }

    /// Where damage is an error.
    pub(crate) fn open_sound(
        connection: &Connection,
        place: &ChunkPlace,
    ) -> rusqlite::Result<Arc<Self>> {
        Self::open(connection, place)?.map_err(damage)
    }

    pub(crate) fn of_body(body: Vec<u8>) -> Result<Self, PackedError> {
        let chunk = Chunk::open(body)?;
        let (times, sequences) = (chunk.times()?, chunk.sequences()?);
        let places = times.into_iter().zip(sequences);
        let places = places.map(|(stored_at, sequence)| Place {
            stored_at: stored_at.cast_signed(),
            sequence: sequence.cast_signed(),
        });
        Ok(Self {
            places: places.collect(),
            versions: chunk.versions()?,
            chunk,
        })
    }

    fn fit(&self, place: &ChunkPlace) -> bool {
        let skip = usize::try_from(place.skip).unwrap_or(usize::MAX);
        self.places.len() as i64 == place.rows
            && self.places.get(skip) == Some(&place.first)
            && self.places.last() == Some(&place.last)
            && self.places.iter().map(|p| p.sequence).max() == Some(place.newest_sequence)
            && self.places.is_sorted_by(|one, next| one < next)
    }

    /// The rows that count between two places, both included.
    pub(crate) fn between(&self, place: &ChunkPlace, oldest: Place, newest: Place) -> Range<usize> {
        let oldest = oldest.max(place.first);
        let end = self.places.partition_point(|row| *row <= newest);
        let start = self.places[..end].partition_point(|row| *row < oldest);
        start..end
    }

    /// The rows that count.
    pub(crate) fn counted(&self, place: &ChunkPlace) -> Range<usize> {
        self.between(place, place.first, place.last)
    }

    pub(crate) fn version(&self, row: usize) -> u32 {
        self.versions.get(row).copied().unwrap_or(0)
    }

    /// The texts of rows that lie side by side.
    pub(crate) fn texts(&self, rows: Range<usize>) -> Result<Texts, PackedError> {
        let mut reader = self.chunk.reader();
        let mut texts = Texts {
            first: rows.start,
            ..Texts::default()
        };
        for row in rows {
            texts.text.push_str(reader.text(row)?);
            texts.ends.push(texts.text.len());
        }
        Ok(texts)
    }
}

/// Texts of rows that lie side by side in a chunk.
#[derive(Default)]
pub(crate) struct Texts {
    first: usize,
    text: String,
    ends: Vec<usize>,
}

impl Texts {
    /// `None` where it is none of these.
    pub(crate) fn get(&self, row: usize) -> Option<&str> {
        let index = row.checked_sub(self.first)?;
        let end = *self.ends.get(index)?;
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.text.get(start..end)
    }
}

/// The chunk that was opened last.
#[derive(Default)]
pub(crate) struct LastChunk {
    opened: Option<(ChunkPlace, Arc<PackedRows>)>,
}

impl LastChunk {
    pub(crate) fn open(
        &mut self,
        connection: &Connection,
        place: &ChunkPlace,
    ) -> rusqlite::Result<Opened> {
        if let Some((opened, rows)) = &self.opened
            && opened == place
        {
            return Ok(Ok(Arc::clone(rows)));
        }
        let opened = PackedRows::open(connection, place)?;
        if let Ok(rows) = &opened {
            self.opened = Some((*place, Arc::clone(rows)));
        }
        Ok(opened)
    }
}
