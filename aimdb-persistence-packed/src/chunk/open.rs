//! Bytes into rows.

use crate::chunk::pack::MOST_ROWS;
use crate::error::PackedError;
use crate::ints::Ints;
use crate::texts::MOST_TEXT;
use crate::tree::{Budget, Node};

/// Rows in their packed form. Opening one reads its headers; a row or a column is decoded when it is asked for.
#[derive(Debug)]
pub struct Chunk {
    pub(crate) bytes: Vec<u8>,
    pub(crate) rows: usize,
    pub(crate) text_bytes: usize,
    pub(crate) longest: usize,
    pub(crate) times: Ints,
    pub(crate) sequences: Ints,
    pub(crate) versions: Ints,
    pub(crate) root: Node,
}

impl Chunk {
    /// Opens what [`pack`](crate::pack) has written.
    ///
    /// # Errors
    /// If the bytes are not those that were written, or are of a later format.
    pub fn open(bytes: impl Into<Vec<u8>>) -> Result<Self, PackedError> {
        let bytes = bytes.into();
        let mut input = crate::bytes::open(&bytes)?;
        let rows = input.count(MOST_ROWS)?;
        let text_bytes = input.count(MOST_TEXT)?;
        let longest = input.count(text_bytes)?;
        let mut column = || {
            let mut part = input.part()?;
            let column = Ints::read(&mut part, &bytes, rows)?;
            part.end().map(|()| column)
        };
        let (times, sequences, versions) = (column()?, column()?, column()?);
        let mut budget = Budget::new(text_bytes);
        let root = Node::read(input.part()?, &bytes, rows, 0, &mut budget)?;
        input.end()?;
        Ok(Self {
            rows,
            text_bytes,
            longest,
            times,
            sequences,
            versions,
            root,
            bytes,
        })
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// How many bytes of JSON the rows have.
    pub fn text_bytes(&self) -> usize {
        self.text_bytes
    }

    /// The times of all rows, in Unix milliseconds.
    ///
    /// # Errors
    /// If the chunk was written wrongly.
    pub fn times(&self) -> Result<Vec<u64>, PackedError> {
        self.unsigned(&self.times)
    }

    /// What tells rows of one time apart.
    ///
    /// # Errors
    /// If the chunk was written wrongly.
    pub fn sequences(&self) -> Result<Vec<u64>, PackedError> {
        self.unsigned(&self.sequences)
    }

    fn unsigned(&self, column: &Ints) -> Result<Vec<u64>, PackedError> {
        let values = column.all(&self.bytes, None)?;
        Ok(values.into_iter().map(|value| value as u64).collect())
    }

    /// The versions of the type that the rows were written as.
    ///
    /// # Errors
    /// If the chunk was written wrongly.
    pub fn versions(&self) -> Result<Vec<u32>, PackedError> {
        let versions = self.versions.all(&self.bytes, None)?;
        versions.into_iter().map(version).collect()
    }

    /// The version that all rows were written as, where it is one.
    pub fn version(&self) -> Option<u32> {
        self.versions
            .constant()
            .and_then(|value| version(value).ok())
    }
}

pub(crate) fn version(value: i64) -> Result<u32, PackedError> {
    u32::try_from(value).map_err(|_| PackedError::Damaged("a version is too large"))
}
