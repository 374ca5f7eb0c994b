//! Numbers of a few bits each, one behind the other.

/// So many numbers are one block.
pub(crate) const BLOCK: usize = 128;

/// A block of 64-bit numbers, and what the last load reads beyond them.
const ROOM: usize = BLOCK * 8 + 8;

/// So many bytes hold `count` numbers of `width` bits.
pub(crate) fn packed_length(count: usize, width: u32) -> usize {
    (count * width as usize).div_ceil(8)
}

/// As many bits as the number needs.
pub(crate) fn width_of(value: u64) -> u32 {
    64 - value.leading_zeros()
}

fn mask(width: u32) -> u64 {
    u64::MAX.checked_shr(64 - width).unwrap_or(0)
}

/// Appends the lowest `width` bits of every value.
pub(crate) fn pack(out: &mut Vec<u8>, values: impl Iterator<Item = u64>, width: u32) {
    let mut waiting = 0_u128;
    let mut bits = 0;
    for value in values {
        waiting |= u128::from(value & mask(width)) << bits;
        bits += width;
        while bits >= 8 {
            out.push(waiting as u8);
            waiting >>= 8;
            bits -= 8;
        }
    }
    if bits > 0 {
        out.push(waiting as u8);
    }
}

/// Reads as many values as `out` has places; bytes that are not there count as 0.
pub(crate) fn unpack(bytes: &[u8], width: u32, out: &mut [u64]) {
    if width == 0 {
        out.fill(0);
        return;
    }
    let mut room = [0; ROOM];
    let length = bytes.len().min(ROOM);
    room[..length].copy_from_slice(&bytes[..length]);
    let mask = mask(width);
    for (index, value) in out.iter_mut().take(BLOCK).enumerate() {
        let bit = index * width as usize;
        let (byte, shift) = (bit / 8, bit % 8);
        let loaded: [u8; 8] = room[byte..byte + 8].try_into().unwrap_or_default();
        let mut found = u64::from_le_bytes(loaded) >> shift;
        if width as usize + shift > 64 {
            found |= u64::from(room[byte + 8]) << (64 - shift);
        }
        *value = found & mask;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_every_width_come_back() {
        for width in 0..=64 {
            for count in [1, 7, BLOCK] {
                let value = |index: usize| {
                    (index as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) & mask(width)
                };
                let values: Vec<_> = (0..count).map(value).collect();
                let mut bytes = Vec::new();
                pack(&mut bytes, values.iter().copied(), width);
                assert_eq!(bytes.len(), packed_length(count, width));
                let mut found = vec![0; count];
                unpack(&bytes, width, &mut found);
                assert_eq!(found, values, "{width} bits");
            }
        }
    }
}
