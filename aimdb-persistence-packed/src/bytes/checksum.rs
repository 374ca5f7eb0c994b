//! How everything that is written begins: a format, and a checksum of all other bytes.

use crate::bytes::input::Input;
use crate::error::PackedError;

/// The only format so far.
const FORMAT: u8 = 1;

/// Where the checksum ends, and what it is of begins.
const CHECKSUM_ENDS: usize = 5;

/// The first bytes, with room for the checksum.
pub(crate) fn begin() -> Vec<u8> {
    vec![FORMAT, 0, 0, 0, 0]
}

/// Fills in the checksum of what is written behind [`begin`].
pub(crate) fn seal(bytes: &mut [u8]) {
    let checksum = checksum(bytes).to_le_bytes();
    if let Some(room) = bytes.get_mut(1..CHECKSUM_ENDS) {
        room.copy_from_slice(&checksum);
    }
}

/// What lies behind the checksum, if that is right.
pub(crate) fn open(bytes: &[u8]) -> Result<Input<'_>, PackedError> {
    let mut input = Input::new(bytes, 0);
    let format = input.byte()?;
    if format != FORMAT {
        return Err(PackedError::Format(format));
    }
    match checksum(bytes).to_le_bytes() == *input.take(4)? {
        true => Ok(input),
        false => Err(PackedError::Checksum),
    }
}

fn checksum(bytes: &[u8]) -> u32 {
    let mut checksum = crc32fast::Hasher::new();
    checksum.update(bytes.get(..1).unwrap_or_default());
    checksum.update(bytes.get(CHECKSUM_ENDS..).unwrap_or_default());
    checksum.finalize()
}
