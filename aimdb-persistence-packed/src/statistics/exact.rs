//! Sums in which nothing is rounded.

mod written;

use crate::error::PackedError;
use crate::numbers::{Decimal, Number};
use num_bigint::BigInt;

/// The exact sum of decimal numbers, whatever their order, and however they are divided among sums that are
/// [merged](Self::merge): it is rounded once, when it is asked for as a float.
///
/// Every number that JSON writes with up to 18 digits is such a decimal, and so is every whole number of 128 bits.
#[derive(Debug, Clone, Default)]
pub struct ExactSum {
    /// Most data has one number of decimal places.
    home: Lane,
    /// In order of their exponents.
    others: Vec<Lane>,
}

/// What has been added of one exponent: `units` × 10^`exponent`.
#[derive(Debug, Clone, Copy, Default)]
struct Lane {
    exponent: i32,
    units: Wide,
}

/// A whole number of 256 bits, in two's complement: no count of products of 128 and 64 bits is too much for it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Wide {
    low: u128,
    high: i128,
}

impl ExactSum {
    /// Adds a number.
    pub fn add(&mut self, number: Number) {
        let (units, exponent) = units_of(number);
        self.add_units(units, exponent);
    }

    /// Takes a number away.
    pub fn subtract(&mut self, number: Number) {
        let (units, exponent) = units_of(number);
        self.add_units(units.negated(), exponent);
    }

    /// Adds the number so many times.
    pub fn add_times(&mut self, number: Number, times: u64) {
        let (units, exponent) = units_of(number);
        self.add_units(units.times(times), exponent);
    }

    /// A whole number beyond 64 bits is rounded to a float before it is squared.
    pub fn add_square(&mut self, number: Number) {
        let (digits, exponent) = match number {
            Number::Decimal(Decimal {
                digits, exponent, ..
            }) => (digits.unsigned_abs(), exponent),
            Number::Integer(value) if value.unsigned_abs() <= u128::from(u64::MAX) => {
                (value.unsigned_abs() as u64, 0)
            }
            large => match Number::of_float(large.to_f64()) {
                Some(Number::Decimal(Decimal {
                    digits, exponent, ..
                })) => (digits.unsigned_abs(), exponent),
                _ => return,
            },
        };
        let square = Wide::positive(u128::from(digits) * u128::from(digits));
        self.add_units(square, 2 * exponent);
    }

    /// Adds another sum.
    pub fn merge(&mut self, other: &Self) {
        for lane in other.lanes() {
            self.add_units(lane.units, lane.exponent);
        }
    }

    /// Takes another sum away.
    pub fn unmerge(&mut self, other: &Self) {
        for lane in other.lanes() {
            self.add_units(lane.units.negated(), lane.exponent);
        }
    }

    fn add_units(&mut self, units: Wide, exponent: i32) {
        if self.home.exponent == exponent {
            self.home.units.add(units);
        } else if self.home.units == Wide::default() && self.others.is_empty() {
            self.home = Lane { exponent, units };
        } else if units != Wide::default() {
            let found = self
                .others
                .binary_search_by_key(&exponent, |lane| lane.exponent);
            match found {
                Ok(index) => self.others[index].units.add(units),
                Err(index) => self.others.insert(index, Lane { exponent, units }),
            }
        }
    }

    fn lanes(&self) -> impl Iterator<Item = Lane> + '_ {
        std::iter::once(self.home).chain(self.others.iter().copied())
    }

    /// Whether it is nothing.
    pub fn is_zero(&self) -> bool {
        let all_zero = self.lanes().all(|lane| lane.units == Wide::default());
        all_zero || self.total().0 == BigInt::ZERO
    }

    /// The nearest float.
    pub fn to_f64(&self) -> f64 {
        match self.small_total() {
            Some((units, exponent)) => nearest(units, exponent),
            None => {
                let (units, exponent) = self.total();
                nearest_of_text(&format!("{units}e{exponent}"))
            }
        }
    }

    /// The whole number, where it is one and fits.
    pub fn whole(&self) -> Option<i128> {
        match self.small_total() {
            Some((units, 0)) => Some(units),
            _ => {
                let (units, exponent) = self.total();
                let power = BigInt::from(10).pow(exponent.unsigned_abs());
                let whole = match exponent < 0 {
                    true if &units % &power != BigInt::ZERO => return None,
                    true => units / power,
                    false => units * power,
                };
                i128::try_from(whole).ok()
            }
        }
    }

    /// In 128 bits, if they are enough.
    fn small_total(&self) -> Option<(i128, i32)> {
        let exponent = self.least_exponent();
        let mut total = 0_i128;
        for lane in self.lanes() {
            let units = lane.units.small()?;
            if units != 0 {
                let power = 10_i128.checked_pow(lane.exponent.abs_diff(exponent))?;
                total = total.checked_add(units.checked_mul(power)?)?;
            }
        }
        Some((total, exponent))
    }

    fn least_exponent(&self) -> i32 {
        let lanes = self.lanes().filter(|lane| lane.units != Wide::default());
        lanes.map(|lane| lane.exponent).min().unwrap_or(0)
    }

    /// As `units` × 10^`exponent`.
    pub fn total(&self) -> (BigInt, i32) {
        let exponent = self.least_exponent();
        let lanes = self.lanes().filter(|lane| lane.units != Wide::default());
        let total = lanes.fold(BigInt::ZERO, |total, lane| {
            total + lane.units.big() * BigInt::from(10).pow(lane.exponent.abs_diff(exponent))
        });
        (total, exponent)
    }
}

/// Exponents of numbers that JSON and floats can write are far smaller.
const MOST_EXPONENT: i64 = 10_000;

/// The power of ten of a number.
pub(crate) fn exponent(exponent: i64) -> Result<i32, PackedError> {
    let is_possible = exponent.abs() <= MOST_EXPONENT;
    is_possible
        .then_some(exponent as i32)
        .ok_or(PackedError::Damaged(
            "a number has an exponent beyond all numbers",
        ))
}

/// By value.
impl PartialEq for ExactSum {
    fn eq(&self, other: &Self) -> bool {
        let mut difference = self.clone();
        difference.unmerge(other);
        difference.is_zero()
    }
}

fn units_of(number: Number) -> (Wide, i32) {
    match number {
        Number::Integer(value) => (Wide::signed(value), 0),
        Number::Large(value) => (Wide::positive(value), 0),
        Number::Decimal(Decimal {
            digits, exponent, ..
        }) => (Wide::signed(i128::from(digits)), exponent),
    }
}

/// Floats up to here hold every whole number.
const EXACT_FLOATS: u128 = 1 << 53;

fn nearest(units: i128, exponent: i32) -> f64 {
    if exponent == 0 {
        return units as f64;
    }
    // Both are floats, and their quotient or product is rounded once.
    if units.unsigned_abs() <= EXACT_FLOATS && exponent.unsigned_abs() <= 22 {
        let power = 10_u128.pow(exponent.unsigned_abs()) as f64;
        return if exponent < 0 {
            units as f64 / power
        } else {
            units as f64 * power
        };
    }
    nearest_of_text(&format!("{units}e{exponent}"))
}

/// Rounded once, however many digits there are.
fn nearest_of_text(text: &str) -> f64 {
    text.parse().unwrap_or(f64::NAN)
}

/// The nearest float to a quotient of two big numbers, up to its last place.
pub fn quotient(numerator: &BigInt, denominator: &BigInt, exponent: i32) -> f64 {
    // So many more digits that the quotient has 20 of its own at least.
    let digits = |number: &BigInt| (number.bits() as f64 * std::f64::consts::LOG10_2) as i64;
    let more = (20 + digits(denominator) - digits(numerator)).max(0) as u32;
    let quotient = numerator * BigInt::from(10).pow(more) / denominator;
    let exponent = i64::from(exponent) - i64::from(more);
    nearest_of_text(&format!("{quotient}e{exponent}"))
}

impl Wide {
    fn signed(value: i128) -> Self {
        Self {
            low: value as u128,
            high: value >> 127,
        }
    }

    fn positive(value: u128) -> Self {
        Self {
            low: value,
            high: 0,
        }
    }

    fn add(&mut self, other: Self) {
        let (low, carry) = self.low.overflowing_add(other.low);
        self.low = low;
        self.high = self
            .high
            .wrapping_add(other.high)
            .wrapping_add(i128::from(carry));
    }

    fn negated(self) -> Self {
        let (low, carry) = (!self.low).overflowing_add(1);
        Self {
            low,
            high: (!self.high).wrapping_add(i128::from(carry)),
        }
    }

    fn times(self, times: u64) -> Self {
        if let Some(small) = self
            .small()
            .and_then(|small| small.checked_mul(i128::from(times)))
        {
            return Self::signed(small);
        }
        if self.high < 0 {
            return self.negated().times(times).negated();
        }
        let half = |part: u128| (part & u128::from(u64::MAX)) * u128::from(times);
        let (near, far) = (half(self.low), half(self.low >> 64));
        let mut product = Self::positive(near);
        product.add(Self {
            low: far << 64,
            high: (far >> 64) as i128,
        });
        product.high = product
            .high
            .wrapping_add(self.high.wrapping_mul(i128::from(times)));
        product
    }

    fn small(self) -> Option<i128> {
        let small = self.low as i128;
        (self.high == small >> 127).then_some(small)
    }

    fn big(self) -> BigInt {
        (BigInt::from(self.high) << 128) + BigInt::from(self.low)
    }
}

#[cfg(test)]
mod tests;
