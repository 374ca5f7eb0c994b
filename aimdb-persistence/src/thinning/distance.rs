//! Whether two numbers are so far apart, as they are written.
//!
//! From 20.0 to 20.2 it is 0.2, though the difference of the two floating-point numbers is a little less. So where rounding
//! may decide, the decimals of measured numbers are compared, which are what the stored JSON holds. Of computed ones, such as
//! 8.38888888888889, the last digits mean nothing, and the difference is as good as any.

use aimdb_persistence_backend::json::Number;

use crate::declaration::policy::Deadband;

/// Rounding of both numbers, of what is to be reached, and of the difference, all within half a unit in the last place of the
/// larger number or of twice that.
const ROUNDINGS: f64 = 4.0 * f64::EPSILON;

/// Whether `new` is at least as far from `last` as the deadband says. No distance is far enough where nothing has moved.
pub(crate) fn reaches(deadband: Deadband, last: Number, new: Number) -> bool {
    match (last, new) {
        (Number::Integer(last), Number::Integer(new)) => integers_reach(deadband, last, new),
        (last, new) => floats_reach(deadband, last.to_f64(), new.to_f64()),
    }
}

/// Exact, but for a part of so large a number that its product with the decimals of the part has more than 128 bits.
fn integers_reach(deadband: Deadband, last: i128, new: i128) -> bool {
    let moved = new.abs_diff(last);
    let far = match deadband {
        // The conversion saturates: a distance below 0 is none, one beyond all integers is never reached.
        Deadband::Absolute(distance) => Some(distance.ceil() as u128),
        Deadband::Relative(part) => Decimal::of(part).part_of(last.unsigned_abs()),
    };
    match far {
        Some(far) => moved > 0 && moved >= far,
        None => floats_reach(deadband, last as f64, new as f64),
    }
}

fn floats_reach(deadband: Deadband, last: f64, new: f64) -> bool {
    let far = match deadband {
        Deadband::Absolute(distance) => distance,
        Deadband::Relative(part) => part * last.abs(),
    };
    let moved = (new - last).abs();
    if moved == 0.0 || (moved - far).abs() > ROUNDINGS * last.abs().max(new.abs()) {
        return moved > 0.0 && moved >= far;
    }
    decimals_reach(deadband, last, new).unwrap_or(moved >= far)
}

/// A number with more digits was computed.
const MEASURED_DIGITS: u32 = 12;

/// `None` where a number was computed, or the decimals are too far apart in size to be compared so.
fn decimals_reach(deadband: Deadband, last: f64, new: f64) -> Option<bool> {
    let [last, new] = [last, new].map(Decimal::of);
    if [last, new]
        .iter()
        .any(|number| number.digits.abs() >= 10_i128.pow(MEASURED_DIGITS))
    {
        return None;
    }
    let far = match deadband {
        Deadband::Absolute(distance) => Decimal::of(distance),
        Deadband::Relative(part) => Decimal::of(part).times(last.abs())?,
    };
    let exponent = last.exponent.min(new.exponent).min(far.exponent);
    let moved = new
        .digits_at(exponent)?
        .checked_sub(last.digits_at(exponent)?)?;
    Some(moved.abs() >= far.digits_at(exponent)?)
}

/// `digits` × 10 ^ `exponent`.
#[derive(Clone, Copy)]
struct Decimal {
    digits: i128,
    exponent: i32,
}

impl Decimal {
    /// The shortest that stands for the number. What is no finite number is 0.
    fn of(number: f64) -> Self {
        let text = format!("{number:e}");
        let (digits, exponent) = text.split_once('e').unwrap_or(("0", "0"));
        let decimals = digits.split_once('.').map_or(0, |(_, part)| part.len());
        Self {
            digits: digits.replace('.', "").parse().unwrap_or(0),
            exponent: exponent.parse().unwrap_or(0) - decimals as i32,
        }
    }

    fn abs(self) -> Self {
        Self {
            digits: self.digits.abs(),
            ..self
        }
    }

    /// The least integer that is not below this part of `whole`.
    fn part_of(self, whole: u128) -> Option<u128> {
        let product = self.digits.unsigned_abs().checked_mul(whole)?;
        let scale = 10_u128.checked_pow(self.exponent.unsigned_abs());
        match self.exponent < 0 {
            // The divisor is greater than any product.
            true => Some(scale.map_or(u128::from(product > 0), |scale| product.div_ceil(scale))),
            false => product.checked_mul(scale?),
        }
    }

    fn times(self, other: Self) -> Option<Self> {
        Some(Self {
            digits: self.digits.checked_mul(other.digits)?,
            exponent: self.exponent + other.exponent,
        })
    }

    fn digits_at(self, exponent: i32) -> Option<i128> {
        let zeros = u32::try_from(self.exponent - exponent).ok()?;
        self.digits.checked_mul(10_i128.checked_pow(zeros)?)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a reader of the text takes for the number.
    fn written(digits: i64, decimals: usize) -> f64 {
        let sign = if digits < 0 { "-" } else { "" };
        let padded = format!("{:0width$}", digits.unsigned_abs(), width = decimals + 1);
        let (whole, part) = padded.split_at(padded.len() - decimals);
        format!("{sign}{whole}.{part}0").parse().unwrap()
    }

    proptest! {
        #[test]
        fn the_distance_of_two_numbers_is_that_of_their_decimals(
            last in -100_000_i64..100_000,
            steps in -1_000_i64..1_000,
            beside in -1_i64..2,
            decimals in 0_usize..7,
        ) {
            let deadband = Deadband::Absolute(written(steps.abs(), decimals));
            let new = last + steps + beside;
            let reached = floats_reach(deadband, written(last, decimals), written(new, decimals));
            prop_assert_eq!(reached, new != last && (new - last).abs() >= steps.abs());
        }

        #[test]
        fn a_part_of_a_number_is_that_of_its_decimals(
            last in -100_000_i64..100_000,
            percent in 1_i64..200,
            beside in -1_i64..2,
            decimals in 0_usize..5,
        ) {
            // In hundredths of its last place, so that every percentage is whole.
            let part = last * percent;
            let new = last * 100 + part + beside;
            let deadband = Deadband::Relative(written(percent, 2));
            let reached = floats_reach(deadband, written(last, decimals), written(new, decimals + 2));
            prop_assert_eq!(reached, new != last * 100 && (new - last * 100).abs() >= part.abs());
        }
    }

    #[test]
    fn computed_numbers_are_as_far_apart_as_their_difference() {
        // Of Fahrenheit, nine tenths of a degree apart.
        let [last, new] = [47.1, 46.2].map(|fahrenheit: f64| (fahrenheit - 32.0) / 1.8);
        assert!((last - new).abs() < 0.5);
        assert!(!floats_reach(Deadband::Absolute(0.5), last, new));
    }

    #[test]
    fn numbers_of_every_size_are_compared() {
        let far = Deadband::Absolute(f64::MIN_POSITIVE);
        assert!(floats_reach(far, 0.0, f64::MAX));
        assert!(floats_reach(far, f64::MIN, f64::MAX));
        assert!(floats_reach(far, 0.0, f64::MIN_POSITIVE));
        assert!(!floats_reach(Deadband::Absolute(f64::MAX), 0.0, 1e300));
        assert!(floats_reach(Deadband::Relative(1.0), 1e-300, 2e-300));
        assert!(!floats_reach(Deadband::Relative(1.0), 5e-324, 5e-324));
    }
}
