//! One number of a column after the other, or any of them: the block that it lies in is kept.

use crate::error::PackedError;
use crate::ints::bits::BLOCK;
use crate::ints::column::Ints;

/// The block that was read last.
#[derive(Debug, Clone)]
pub(crate) struct Cursor {
    block: usize,
    values: Option<Box<[i64; BLOCK]>>,
}

impl Cursor {
    /// Nothing is read yet.
    pub(crate) fn new() -> Self {
        Self {
            block: usize::MAX,
            values: None,
        }
    }

    /// Number `index` of the column.
    #[inline]
    pub(crate) fn get(
        &mut self,
        ints: &Ints,
        chunk: &[u8],
        times: Option<&Ints>,
        index: usize,
    ) -> Result<i64, PackedError> {
        if index >= ints.count() {
            return Err(PackedError::Damaged("a column ends too early"));
        }
        match &self.values {
            Some(values) if self.block == index / BLOCK => Ok(values[index % BLOCK]),
            _ => self.read(ints, chunk, times, index),
        }
    }

    #[cold]
    fn read(
        &mut self,
        ints: &Ints,
        chunk: &[u8],
        times: Option<&Ints>,
        index: usize,
    ) -> Result<i64, PackedError> {
        let values = self.values.get_or_insert_with(|| Box::new([0; BLOCK]));
        // Until the whole block is read, nothing of it counts.
        self.block = usize::MAX;
        ints.read_block(chunk, times, index / BLOCK, values)?;
        self.block = index / BLOCK;
        Ok(values[index % BLOCK])
    }
}
