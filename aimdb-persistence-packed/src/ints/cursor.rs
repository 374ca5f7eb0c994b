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
        if let Some(value) = ints.constant() {
            return Ok(value);
        }
        let block = index / BLOCK;
        let values = self.values.get_or_insert_with(|| Box::new([0; BLOCK]));
        if self.block != block {
            self.block = usize::MAX;
            ints.read_block(chunk, times, block, values)?;
            self.block = block;
        }
        Ok(values[index % BLOCK])
    }
}
