//! The time that the rows of a chunk span, and times within it.

use crate::bytes::{Input, put_unsigned};
use crate::error::PackedError;

/// The time that the rows of a chunk span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) first_ms: u64,
    pub(crate) last_ms: u64,
}

/// Comes before a time that is written in full.
const FAR: u64 = u64::MAX;

impl Span {
    pub(crate) fn length_ms(self) -> u64 {
        self.last_ms.wrapping_sub(self.first_ms)
    }

    /// Most times that are told are near one of the ends.
    pub(crate) fn put_time(self, out: &mut Vec<u8>, at_ms: u64) {
        let after = at_ms.wrapping_sub(self.first_ms);
        let before = self.last_ms.wrapping_sub(at_ms);
        // The highest bit of either is needed only for times of no year that has been.
        match (after <= before, after.min(before) >> 62) {
            (true, 0) => put_unsigned(out, after << 1),
            (false, 0) => put_unsigned(out, before << 1 | 1),
            _ => {
                put_unsigned(out, FAR);
                put_unsigned(out, at_ms);
            }
        }
    }

    pub(crate) fn read_time(self, input: &mut Input<'_>) -> Result<u64, PackedError> {
        let distance = input.unsigned()?;
        Ok(match distance & 1 {
            _ if distance == FAR => input.unsigned()?,
            0 => self.first_ms.wrapping_add(distance >> 1),
            _ => self.last_ms.wrapping_sub(distance >> 1),
        })
    }
}
