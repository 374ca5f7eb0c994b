//! A sum as bytes.

use super::{ExactSum, Lane, Wide, exponent};
use crate::bytes::{Input, put_signed, put_unsigned};
use crate::error::PackedError;

/// So many exponents are in a sum at most: floats have some 650.
const MOST_LANES: usize = 2_048;

/// A 256-bit number has no more bytes.
const MOST_BYTES: usize = 32;

impl ExactSum {
    /// `units` × 10^`exponent`.
    pub(crate) fn of_units(units: i128, exponent: i32) -> Self {
        let units = Wide::signed(units);
        Self {
            home: Lane { exponent, units },
            others: Vec::new(),
        }
    }

    /// The units of a sum that is a whole number of 10^`exponent` and has no other part.
    pub(crate) fn units_at(&self, exponent: i32) -> Option<i128> {
        let mut units = 0_i128;
        for lane in self.lanes() {
            match lane.units.small()? {
                0 => {}
                found if lane.exponent == exponent => units = units.checked_add(found)?,
                _ => return None,
            }
        }
        Some(units)
    }

    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        let lanes = || self.lanes().filter(|lane| lane.units != Wide::default());
        put_unsigned(out, lanes().count() as u64);
        for lane in lanes() {
            put_signed(out, lane.exponent.into());
            let bytes = lane.units.bytes();
            out.push(bytes.len() as u8);
            out.extend_from_slice(&bytes);
        }
    }

    pub(crate) fn read(input: &mut Input<'_>) -> Result<Self, PackedError> {
        let mut sum = Self::default();
        for _ in 0..input.count(MOST_LANES)? {
            let exponent = exponent(input.signed()?)?;
            let length = usize::from(input.byte()?);
            if length > MOST_BYTES {
                return Err(PackedError::Damaged("a sum has too many bytes"));
            }
            sum.add_units(Wide::of_bytes(input.take(length)?), exponent);
        }
        Ok(sum)
    }
}

impl Wide {
    /// As few bytes as tell it, the lowest first.
    fn bytes(self) -> Vec<u8> {
        let mut bytes = self.low.to_le_bytes().to_vec();
        bytes.extend_from_slice(&self.high.to_le_bytes());
        let sign = if self.high < 0 { 0xff } else { 0 };
        while let [.., before, last] = bytes[..] {
            if last != sign || (before ^ sign) & 0x80 != 0 {
                break;
            }
            bytes.pop();
        }
        bytes
    }

    fn of_bytes(bytes: &[u8]) -> Self {
        let is_negative = bytes.last().is_some_and(|byte| byte & 0x80 != 0);
        let mut room = [if is_negative { 0xff } else { 0 }; MOST_BYTES];
        room[..bytes.len()].copy_from_slice(bytes);
        let (low, high) = room.split_at(MOST_BYTES / 2);
        Self {
            low: u128::from_le_bytes(low.try_into().unwrap_or_default()),
            high: i128::from_le_bytes(high.try_into().unwrap_or_default()),
        }
    }
}
