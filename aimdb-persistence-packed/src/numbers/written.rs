//! What a number's text says, and in which form it comes back.

use crate::numbers::decimal::{MOST_PLACES, power_of_ten, put_decimal};
use crate::numbers::float::put_float;

/// A number in the form that its text comes back from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Written {
    Integer(i64),
    /// Beyond `i64::MAX`.
    Unsigned(u64),
    /// `value` / 10^`places`, of up to 15 digits.
    Decimal {
        value: i64,
        places: u32,
    },
    Float(f64),
    /// Only its text says how it was written.
    Raw,
}

/// Decimals of more digits are kept as floats.
const MOST_DECIMAL: u64 = power_of_ten_15();

const fn power_of_ten_15() -> u64 {
    1_000_000_000_000_000
}

/// Reads the number that `text` begins with, and how long it is; `None` where JSON has no such number.
pub(crate) fn read_number(text: &[u8]) -> Option<(Written, usize)> {
    let is_negative = text.first() == Some(&b'-');
    let mut scan = Scan {
        text,
        at: usize::from(is_negative),
        ..Scan::default()
    };
    let whole = scan.digits();
    let starts_with_zero = text.get(usize::from(is_negative)) == Some(&b'0');
    if whole == 0 || (starts_with_zero && whole > 1) {
        return None;
    }
    let mut places = 0;
    if text.get(scan.at) == Some(&b'.') {
        scan.at += 1;
        places = scan.digits();
        if places == 0 {
            return None;
        }
    }
    let has_exponent = matches!(text.get(scan.at), Some(b'e' | b'E'));
    if has_exponent {
        scan.at += 1 + usize::from(matches!(text.get(scan.at + 1), Some(b'+' | b'-')));
        let value = (scan.value, scan.is_cut);
        if scan.digits() == 0 {
            return None;
        }
        (scan.value, scan.is_cut) = value;
    }
    let text = &text[..scan.at];
    let exact = match (scan.is_cut || has_exponent, places) {
        (true, _) => None,
        (false, 0) => integer(scan.value, is_negative),
        (false, places) => decimal(scan.value, places, is_negative, text),
    };
    Some((exact.unwrap_or_else(|| float(text)), scan.at))
}

#[derive(Default)]
struct Scan<'a> {
    text: &'a [u8],
    at: usize,
    value: u64,
    /// There are more digits than 64 bits hold.
    is_cut: bool,
}

impl Scan<'_> {
    /// Goes over digits; how many there are.
    fn digits(&mut self) -> usize {
        let start = self.at;
        while let Some(digit @ b'0'..=b'9') = self.text.get(self.at) {
            let digit = u64::from(digit - b'0');
            match self
                .value
                .checked_mul(10)
                .and_then(|value| value.checked_add(digit))
            {
                Some(value) => self.value = value,
                None => self.is_cut = true,
            }
            self.at += 1;
        }
        self.at - start
    }
}

fn integer(value: u64, is_negative: bool) -> Option<Written> {
    match (i64::try_from(value), is_negative) {
        (Ok(0), true) => None,
        (Ok(value), true) => Some(Written::Integer(-value)),
        (Ok(value), false) => Some(Written::Integer(value)),
        (Err(_), false) => Some(Written::Unsigned(value)),
        (Err(_), true) => (value == 1 << 63).then_some(Written::Integer(i64::MIN)),
    }
}

fn decimal(value: u64, places: usize, is_negative: bool, text: &[u8]) -> Option<Written> {
    let has_spare_zero = places > 1 && text.ends_with(b"0");
    let is_negative_zero = is_negative && value == 0;
    if value >= MOST_DECIMAL || places > MOST_PLACES as usize || has_spare_zero || is_negative_zero
    {
        return None;
    }
    let value = value as i64;
    Some(Written::Decimal {
        value: if is_negative { -value } else { value },
        places: places as u32,
    })
}

/// As a float, if that is printed in the same way.
fn float(text: &[u8]) -> Written {
    let float = std::str::from_utf8(text)
        .ok()
        .and_then(|text| text.parse().ok());
    let float = float.filter(|float: &f64| float.is_finite());
    match float.filter(|float| is_printed_as(*float, text)) {
        Some(float) => Written::Float(float),
        None => Written::Raw,
    }
}

fn is_printed_as(float: f64, text: &[u8]) -> bool {
    let mut printed = Vec::with_capacity(32);
    put_float(&mut printed, float);
    printed == text
}

/// A decimal as the float that is printed in the same way, if there is one.
pub(crate) fn as_float(value: i64, places: u32) -> Option<f64> {
    let mut text = Vec::with_capacity(32);
    put_decimal(&mut text, value, places);
    match float(&text) {
        Written::Float(float) => Some(float),
        _ => None,
    }
}

/// The same with so many places, if 15 digits are enough.
pub(crate) fn with_places(value: i64, places: u32, more: u32) -> Option<i64> {
    let value = value.checked_mul(power_of_ten(more.checked_sub(places)?) as i64)?;
    (value.unsigned_abs() < MOST_DECIMAL).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Written> {
        let (written, length) = read_number(text.as_bytes())?;
        (length == text.len()).then_some(written)
    }

    #[test]
    fn a_number_is_kept_in_the_form_that_its_text_comes_back_from() {
        let decimal = |value, places| Some(Written::Decimal { value, places });
        for (text, expected) in [
            ("0", Some(Written::Integer(0))),
            ("-9223372036854775808", Some(Written::Integer(i64::MIN))),
            ("9223372036854775808", Some(Written::Unsigned(1 << 63))),
            ("18446744073709551615", Some(Written::Unsigned(u64::MAX))),
            ("18446744073709551616", Some(Written::Raw)),
            ("1180591620717411303424", Some(Written::Raw)),
            ("-0", Some(Written::Raw)),
            ("-0.0", Some(Written::Float(-0.0))),
            ("0.0", decimal(0, 1)),
            ("10.0", decimal(100, 1)),
            ("-21.53", decimal(-2153, 2)),
            ("1.50", Some(Written::Raw)),
            ("1.00", Some(Written::Raw)),
            ("0.000001", decimal(1, 6)),
            ("1e-6", Some(Written::Float(1e-6))),
            ("1e5", Some(Written::Raw)),
            ("1E+2", Some(Written::Raw)),
            ("1e999", Some(Written::Raw)),
            ("99999999999999.9", decimal(999_999_999_999_999, 1)),
            ("0.30000000000000004", Some(Written::Float(0.1 + 0.2))),
            ("0.1000000000000000055", Some(Written::Raw)),
            ("01", None),
            ("-", None),
            ("1.", None),
            (".5", None),
            ("1e", None),
            ("1e+", None),
            ("+1", None),
            ("1.2.3", None),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }
}
