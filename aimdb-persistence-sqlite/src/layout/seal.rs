//! What each row carries to be known again: the version of its type, and a checksum of everything that it says.
//!
//! A disk may change a bit without a word, and SQLite would hand out the text as it is. The checksum covers the series,
//! the time, the sequence, the version and the text, a long one too. It is half an XXH3: of altered rows all but one in four
//! billion are found. It is made when a row is stored, and stays as it is when a row moves from the tail to the clustered
//! table.
//!
//! Version and checksum share one number, so that a row takes four bytes more than without a checksum: one of 24 bits
//! would save a byte, and miss one altered row in sixteen million.

use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use crate::layout::place::{Place, RowKey};

/// Of a row with this key, version (0 where none is declared) and text.
pub(crate) fn seal(key: RowKey, version: u32, json: &[u8]) -> i64 {
    let sum = i64::from(checksum(key, version, json).cast_signed());
    (i64::from(version.cast_signed()) << 32).wrapping_add(sum)
}

/// The version that a seal vouches for; `None` where the row is not the one that was sealed.
pub(crate) fn opened(key: RowKey, seal: i64, json: &[u8]) -> Option<u32> {
    let version = version_of(seal);
    (self::seal(key, version, json) == seal).then_some(version)
}

/// The version that a seal claims.
pub(crate) fn version_of(seal: i64) -> u32 {
    let sum = i64::from(seal as i32);
    ((seal.wrapping_sub(sum) >> 32) as i32).cast_unsigned()
}

fn checksum(key: RowKey, version: u32, json: &[u8]) -> u32 {
    let RowKey { series, place } = key;
    let Place {
        stored_at,
        sequence,
    } = place;
    let mut head = [0; 32];
    head[..8].copy_from_slice(&series.to_le_bytes());
    head[8..16].copy_from_slice(&stored_at.to_le_bytes());
    head[16..24].copy_from_slice(&sequence.to_le_bytes());
    head[24..28].copy_from_slice(&version.to_le_bytes());
    half(xxh3_64_with_seed(json, xxh3_64(&head)))
}

/// Half of a sum: the file has no room to spare.
pub(crate) fn half(sum: u64) -> u32 {
    (sum >> 32) as u32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_seal_gives_back_its_version_and_fits_no_row_with_a_flipped_bit(
            numbers in any::<[i64; 3]>(),
            version in any::<u32>(),
            json in prop::collection::vec(any::<u8>(), 1..60),
            flipped in any::<prop::sample::Index>(),
        ) {
            let key = |n: [i64; 3]| RowKey::new(n[0], n[1], n[2]);
            let sealed = seal(key(numbers), version, &json);
            prop_assert_eq!(opened(key(numbers), sealed, &json), Some(version));
            let bit = flipped.index(4 * 64 + json.len() * 8);
            let (mut numbers, mut json, mut sealed) = (numbers, json, sealed);
            match bit / 64 {
                n @ 0..3 => numbers[n] ^= 1 << (bit % 64),
                3 => sealed ^= 1 << (bit % 64),
                _ => json[(bit - 256) / 8] ^= 1 << (bit % 8),
            }
            prop_assert_eq!(opened(key(numbers), sealed, &json), None);
        }
    }
}
