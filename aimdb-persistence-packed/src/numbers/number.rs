//! Numbers as JSON writes them, with all their digits.

use std::cmp::Ordering;

/// A number, read from its text: as exact as that is, whatever `serde_json` would make of it.
///
/// A whole number is one that is written without a fraction and an exponent. All others are compared as the nearest
/// `f64`, which is what they were before they were written.
#[derive(Debug, Clone, Copy)]
pub enum Number {
    /// A whole number that fits.
    Integer(i128),
    /// A whole number beyond `i128::MAX`.
    Large(u128),
    /// One with a fraction or an exponent.
    Decimal(Decimal),
}

/// `digits` × 10^`exponent`.
#[derive(Debug, Clone, Copy)]
pub struct Decimal {
    /// All of them, with their sign.
    pub digits: i64,
    /// The power of ten that they are multiplied by.
    pub exponent: i32,
    /// The nearest one.
    pub float: f64,
}

/// No further digit fits behind more than this.
const MOST_BEFORE_A_DIGIT: u64 = i64::MAX as u64 / 10 - 1;

/// Floats up to here hold every whole number, and the quotient of two of them is rounded once.
const EXACT_FLOATS: u64 = 1 << 53;
const EXACT_POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

impl Decimal {
    /// `None` where it is beyond all floats.
    pub fn new(digits: i64, exponent: i32) -> Option<Self> {
        let power = EXACT_POWERS.get(exponent.unsigned_abs() as usize);
        let float = match power.filter(|_| digits.unsigned_abs() <= EXACT_FLOATS) {
            Some(power) if exponent < 0 => digits as f64 / power,
            Some(power) => digits as f64 * power,
            None => finite(&format!("{digits}e{exponent}"))?,
        };
        Some(Self {
            digits,
            exponent,
            float,
        })
    }
}

impl Number {
    /// From a number of JSON; `None` for what is none, or is beyond all floats (`1e999`).
    pub fn parse(text: &str) -> Option<Self> {
        let mut scan = Scan::default();
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        scan.read(unsigned.as_bytes())?;
        if scan.is_whole() {
            return scan.integer(text);
        }
        scan.decimal(text)
    }

    /// A finite float.
    pub fn of_float(float: f64) -> Option<Self> {
        Self::parse(&format!("{float:e}"))
    }

    /// The nearest float.
    pub fn to_f64(self) -> f64 {
        match self {
            Self::Integer(value) => value as f64,
            Self::Large(value) => value as f64,
            Self::Decimal(Decimal { float, .. }) => float,
        }
    }

    /// The whole number, where it is one.
    pub fn whole(self) -> Option<i128> {
        match self {
            Self::Integer(value) => Some(value),
            Self::Large(_) | Self::Decimal(_) => None,
        }
    }
}

/// What the characters of a number say.
#[derive(Default)]
struct Scan {
    digits: u64,
    places: i32,
    exponent: i32,
    has_point: bool,
    has_exponent: bool,
    /// Digits were left out, for want of room.
    is_cut: bool,
}

impl Scan {
    fn read(&mut self, text: &[u8]) -> Option<()> {
        if !text.first()?.is_ascii_digit() {
            return None;
        }
        for (index, byte) in text.iter().enumerate() {
            match byte {
                b'0'..=b'9' if self.digits <= MOST_BEFORE_A_DIGIT => {
                    self.digits = self.digits * 10 + u64::from(byte - b'0');
                    self.places += i32::from(self.has_point);
                }
                b'0'..=b'9' => self.is_cut = true,
                b'.' if !self.has_point => self.has_point = true,
                b'e' | b'E' => {
                    self.has_exponent = true;
                    let exponent = std::str::from_utf8(&text[index + 1..]).ok()?;
                    self.exponent = exponent.parse().unwrap_or(match exponent.as_bytes() {
                        [b'-', ..] => i32::MIN / 2,
                        _ => i32::MAX / 2,
                    });
                    return Some(());
                }
                _ => return None,
            }
        }
        Some(())
    }

    fn is_whole(&self) -> bool {
        !self.has_point && !self.has_exponent
    }

    fn integer(&self, text: &str) -> Option<Number> {
        if !self.is_cut {
            let value = i128::from(self.digits);
            let is_negative = text.starts_with('-');
            return Some(Number::Integer(if is_negative { -value } else { value }));
        }
        let integer = text.parse().map(Number::Integer).ok();
        let integer = integer.or_else(|| text.parse().map(Number::Large).ok());
        // Beyond 128 bits, as no type of Rust writes it.
        integer.or_else(|| finite(text).and_then(Number::of_float))
    }

    fn decimal(&self, text: &str) -> Option<Number> {
        if self.is_cut {
            return Number::of_float(finite(text)?);
        }
        let is_negative = text.starts_with('-');
        let exponent = self.exponent.saturating_sub(self.places);
        let power = EXACT_POWERS.get(exponent.unsigned_abs() as usize);
        let float = match power.filter(|_| self.digits <= EXACT_FLOATS) {
            Some(power) => {
                let digits = self.digits as f64;
                let float = if exponent < 0 {
                    digits / power
                } else {
                    digits * power
                };
                if is_negative { -float } else { float }
            }
            None => finite(text)?,
        };
        // What is too small for a float is nothing; its exponent may be of any size.
        let (digits, exponent) = match float == 0.0 {
            true => (0, 0),
            false => (self.digits as i64, exponent),
        };
        Some(Number::Decimal(Decimal {
            digits: if is_negative { -digits } else { digits },
            exponent,
            float,
        }))
    }
}

fn finite(text: &str) -> Option<f64> {
    text.parse().ok().filter(|float: &f64| float.is_finite())
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.partial_cmp(other) == Some(Ordering::Equal)
    }
}

/// By value, whichever way they are written: no whole number is rounded to be compared.
impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (*self, *other) {
            (Self::Integer(one), Self::Integer(other)) => Some(one.cmp(&other)),
            (Self::Large(one), Self::Large(other)) => Some(one.cmp(&other)),
            (Self::Large(_), Self::Integer(_)) => Some(Ordering::Greater),
            (Self::Integer(_), Self::Large(_)) => Some(Ordering::Less),
            (Self::Decimal(one), Self::Decimal(other)) => one.float.partial_cmp(&other.float),
            (Self::Integer(one), Self::Decimal(other)) => compare(one, other.float),
            (Self::Decimal(one), Self::Integer(other)) => {
                compare(other, one.float).map(Ordering::reverse)
            }
            (Self::Large(one), Self::Decimal(other)) => compare_large(one, other.float),
            (Self::Decimal(one), Self::Large(other)) => {
                compare_large(other, one.float).map(Ordering::reverse)
            }
        }
    }
}

/// The first float that `i128` has no room for.
const BEYOND_I128: f64 = 170_141_183_460_469_231_731_687_303_715_884_105_728.0;

fn compare(integer: i128, float: f64) -> Option<Ordering> {
    if float >= BEYOND_I128 {
        return Some(Ordering::Less);
    }
    if float < -BEYOND_I128 {
        return Some(Ordering::Greater);
    }
    let whole = float.trunc() as i128;
    let fraction = 0.0.partial_cmp(&float.fract())?;
    Some(integer.cmp(&whole).then(fraction))
}

/// A float of this size has no fraction.
fn compare_large(large: u128, float: f64) -> Option<Ordering> {
    if float < BEYOND_I128 {
        return Some(Ordering::Greater);
    }
    match float >= 2.0 * BEYOND_I128 {
        true => Some(Ordering::Less),
        false => Some(large.cmp(&(float as u128))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        Number::parse(text).unwrap_or_else(|| panic!("{text} is a number"))
    }

    #[test]
    fn numbers_are_compared_by_value_and_exactly() {
        use Ordering::{Equal, Greater, Less};
        for (one, other, expected) in [
            ("2", "2.0", Equal),
            ("2", "2.5", Less),
            ("-2", "-2.5", Greater),
            ("0", "-0.0", Equal),
            ("100000", "1e5", Equal),
            ("9007199254740993", "9007199254740992", Greater),
            ("9007199254740993", "9007199254740992.0", Greater),
            ("18446744073709551615", "18446744073709551616.0", Less),
            (
                "1267650600228229401496703205377",
                "1267650600228229401496703205376",
                Greater,
            ),
            (
                "1267650600228229401496703205377",
                "1.2676506002282294e30",
                Greater,
            ),
            (
                "-1267650600228229401496703205377",
                "-1267650600228229401496703205376",
                Less,
            ),
            (
                "340282366920938463463374607431768211455",
                "340282366920938463463374607431768211454",
                Greater,
            ),
            (
                "340282366920938463463374607431768211455",
                "170141183460469231731687303715884105727",
                Greater,
            ),
            ("340282366920938463463374607431768211455", "3.5e38", Less),
            ("340282366920938463463374607431768211455", "1e3", Greater),
            (
                "170141183460469231731687303715884105727",
                "1.7014118346046923e38",
                Less,
            ),
            ("1", "1.7976931348623157e308", Less),
            ("0.1", "0.10000000000000000555", Equal),
            ("0.1", "0.1000000000000001", Less),
        ] {
            let (one, other) = (number(one), number(other));
            assert_eq!(one.partial_cmp(&other), Some(expected), "{one:?} {other:?}");
            let reversed = Some(expected.reverse());
            assert_eq!(other.partial_cmp(&one), reversed, "{other:?} {one:?}");
        }
    }

    #[test]
    fn the_float_of_a_number_is_the_nearest() {
        for text in [
            "0.1",
            "-0.1",
            "21.53",
            "1e22",
            "1e23",
            "123456789012345.6",
            "12345678901234567.8",
            "5e-324",
            "2.2250738585072014e-308",
            "1.7976931348623157e308",
            "9007199254740993",
            "0.30000000000000004",
            "123456789012345678901234567890",
            "1E+2",
            "1e-400",
            "0.000000000000000000000000000000000000000000000000001",
        ] {
            assert_eq!(
                number(text).to_f64(),
                text.parse::<f64>().unwrap(),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_finite_number_is_none() {
        for text in ["", "-", "x", "1e999", "-1e999", "NaN", "1x", "1.2.3"] {
            assert!(Number::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn an_exponent_of_any_size_does_no_harm() {
        for text in ["1e-99999999999999", "0e99999999999999", "0.0e-5"] {
            assert_eq!(number(text), number("0"), "{text}");
        }
        assert!(Number::parse("1e99999999999999").is_none());
    }
}
