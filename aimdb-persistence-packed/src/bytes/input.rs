//! Reading what may be damaged: every step can fail, and none reads past the end.

use std::ops::Range;

use crate::error::PackedError;

/// A part of a chunk, read from front to back.
///
/// It knows where it lies in the chunk, so that what is read later is kept as a range.
#[derive(Debug, Clone)]
pub(crate) struct Input<'a> {
    bytes: &'a [u8],
    at: usize,
    end: usize,
}

impl<'a> Input<'a> {
    /// All of `bytes` from `at` on.
    pub(crate) fn new(bytes: &'a [u8], at: usize) -> Self {
        Self {
            bytes,
            at: at.min(bytes.len()),
            end: bytes.len(),
        }
    }

    pub(crate) fn byte(&mut self) -> Result<u8, PackedError> {
        let byte = *self.bytes[self.at..self.end]
            .first()
            .ok_or(PackedError::Cut)?;
        self.at += 1;
        Ok(byte)
    }

    pub(crate) fn unsigned(&mut self) -> Result<u64, PackedError> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let part = u64::from(byte & 0x7f);
            if shift == 63 && part > 1 {
                break;
            }
            value |= part << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(PackedError::Damaged("a number has more than 64 bits"))
    }

    pub(crate) fn signed(&mut self) -> Result<i64, PackedError> {
        let value = self.unsigned()?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    pub(crate) fn wide(&mut self) -> Result<i128, PackedError> {
        let mut value = 0_u128;
        for shift in (0..128).step_by(7) {
            let byte = self.byte()?;
            value |= u128::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok((value >> 1) as i128 ^ -((value & 1) as i128));
            }
        }
        Err(PackedError::Damaged("a number has more than 128 bits"))
    }

    /// A number of things, of which there are `most` at most.
    pub(crate) fn count(&mut self, most: usize) -> Result<usize, PackedError> {
        let count = usize::try_from(self.unsigned()?).ok();
        count
            .filter(|count| *count <= most)
            .ok_or(PackedError::Damaged("a count is too large"))
    }

    /// Where the next `length` bytes lie in the chunk.
    pub(crate) fn range(&mut self, length: usize) -> Result<Range<usize>, PackedError> {
        if length > self.left() {
            return Err(PackedError::Cut);
        }
        let start = self.at;
        self.at += length;
        Ok(start..self.at)
    }

    pub(crate) fn take(&mut self, length: usize) -> Result<&'a [u8], PackedError> {
        let range = self.range(length)?;
        Ok(&self.bytes[range])
    }

    /// A part that says how long it is.
    pub(crate) fn part(&mut self) -> Result<Input<'a>, PackedError> {
        let length = self.count(usize::MAX)?;
        let range = self.range(length)?;
        Ok(Input {
            bytes: self.bytes,
            at: range.start,
            end: range.end,
        })
    }

    pub(crate) fn left(&self) -> usize {
        self.end - self.at
    }

    /// Nothing may be left.
    pub(crate) fn end(&self) -> Result<(), PackedError> {
        match self.left() {
            0 => Ok(()),
            _ => Err(PackedError::Damaged("a part is longer than what it holds")),
        }
    }
}
