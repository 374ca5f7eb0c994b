//! The rows of a chunk.

use crate::chunk::{Chunk, version};
use crate::error::PackedError;
use crate::ints::{Cursor, Ints};
use crate::read::place::Place;

/// Reads rows. What it has decoded is kept for those that lie beside them.
#[derive(Debug)]
pub struct Reader<'c> {
    chunk: &'c Chunk,
    times: Cursor,
    sequences: Cursor,
    versions: Cursor,
    root: Place<'c>,
    text: Vec<u8>,
}

impl Chunk {
    /// Reads rows, in any order: those near the one before are fastest.
    pub fn reader(&self) -> Reader<'_> {
        Reader::new(self)
    }
}

impl<'c> Reader<'c> {
    fn new(chunk: &'c Chunk) -> Self {
        Self {
            chunk,
            times: Cursor::new(),
            sequences: Cursor::new(),
            versions: Cursor::new(),
            root: Place::new(chunk, &chunk.root),
            text: Vec::with_capacity(chunk.longest),
        }
    }

    /// The row's value, as it was written.
    ///
    /// # Errors
    /// If there is no such row, or the chunk was written wrongly.
    pub fn text(&mut self, row: usize) -> Result<&str, PackedError> {
        self.text.clear();
        if !self.root.put(row, &mut self.text)? {
            return Err(PackedError::Damaged("a row has no value"));
        }
        std::str::from_utf8(&self.text).map_err(|_| PackedError::Damaged("a row is not UTF-8"))
    }

    /// The row's time, in Unix milliseconds.
    ///
    /// # Errors
    /// If there is no such row, or the chunk was written wrongly.
    pub fn time(&mut self, row: usize) -> Result<u64, PackedError> {
        get(&mut self.times, &self.chunk.times, self.chunk, row).map(|value| value as u64)
    }

    /// What tells rows of one time apart.
    ///
    /// # Errors
    /// If there is no such row, or the chunk was written wrongly.
    pub fn sequence(&mut self, row: usize) -> Result<u64, PackedError> {
        get(&mut self.sequences, &self.chunk.sequences, self.chunk, row).map(|value| value as u64)
    }

    /// The version of the type that the row was written as.
    ///
    /// # Errors
    /// If there is no such row, or the chunk was written wrongly.
    pub fn version(&mut self, row: usize) -> Result<u32, PackedError> {
        get(&mut self.versions, &self.chunk.versions, self.chunk, row).and_then(version)
    }
}

fn get(cursor: &mut Cursor, column: &Ints, chunk: &Chunk, row: usize) -> Result<i64, PackedError> {
    cursor.get(column, &chunk.bytes, None, row)
}
