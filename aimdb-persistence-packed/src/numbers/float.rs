//! Floats, printed as `serde_json` prints them.
//!
//! A chunk keeps a float only if it is printed as it was written. So the way of printing is part of the format, and is
//! written down here: another version of a library might print another text.

use std::fmt::Write;

use crate::numbers::decimal::put_integer;

/// Room for a float in scientific notation: a sign, 17 digits, a point, `e`, a sign and three digits.
#[derive(Default)]
struct Scientific {
    bytes: [u8; 32],
    length: usize,
}

impl Write for Scientific {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let end = self.length + text.len();
        let room = self
            .bytes
            .get_mut(self.length..end)
            .ok_or(std::fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}

/// The shortest digits that are this float and no other: without an exponent from 1e-5 up to 1e16.
pub(crate) fn put_float(out: &mut Vec<u8>, float: f64) {
    if float == 0.0 {
        let zero: &[u8] = if float.is_sign_negative() {
            b"-0.0"
        } else {
            b"0.0"
        };
        return out.extend_from_slice(zero);
    }
    let mut scientific = Scientific::default();
    if write!(scientific, "{:e}", float.abs()).is_err() {
        return;
    }
    let written = &scientific.bytes[..scientific.length];
    let Some(e) = written.iter().position(|byte| *byte == b'e') else {
        // Neither JSON nor a chunk has infinities.
        return out.extend_from_slice(b"null");
    };
    let mut digits = [0; 32];
    let mut count = 0;
    for digit in written[..e].iter().filter(|byte| byte.is_ascii_digit()) {
        digits[count] = *digit;
        count += 1;
    }
    let exponent = written[e + 1..].iter().filter(|byte| byte.is_ascii_digit());
    let exponent = exponent.fold(0, |sum, digit| sum * 10 + i32::from(digit - b'0'));
    let exponent = if written[e + 1] == b'-' {
        -exponent
    } else {
        exponent
    };
    if float < 0.0 {
        out.push(b'-');
    }
    put_digits(out, &digits[..count], exponent);
}

/// `digits` with a point behind the first, × 10^`exponent`.
fn put_digits(out: &mut Vec<u8>, digits: &[u8], exponent: i32) {
    let before_point = exponent + 1;
    let count = digits.len() as i32;
    match before_point {
        _ if count <= before_point && before_point <= 16 => {
            out.extend_from_slice(digits);
            out.resize(out.len() + (before_point - count) as usize, b'0');
            out.extend_from_slice(b".0");
        }
        1..=16 => {
            let (whole, fraction) = digits.split_at(before_point as usize);
            out.extend_from_slice(whole);
            out.push(b'.');
            out.extend_from_slice(fraction);
        }
        -4..=0 => {
            out.extend_from_slice(b"0.");
            out.resize(out.len() + before_point.unsigned_abs() as usize, b'0');
            out.extend_from_slice(digits);
        }
        _ => {
            out.push(digits[0]);
            if count > 1 {
                out.push(b'.');
                out.extend_from_slice(&digits[1..]);
            }
            out.push(b'e');
            if exponent > 0 {
                out.push(b'+');
            }
            put_integer(out, i64::from(exponent));
        }
    }
}

/// As whole numbers in the order of the floats, and near each other where these are.
pub(crate) fn to_sortable(float: f64) -> i64 {
    let bits = float.to_bits() as i64;
    bits ^ ((bits >> 63) as u64 >> 1) as i64
}

/// The reverse.
pub(crate) fn from_sortable(bits: i64) -> f64 {
    f64::from_bits((bits ^ ((bits >> 63) as u64 >> 1) as i64) as u64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn printed(float: f64) -> String {
        let mut out = Vec::new();
        put_float(&mut out, float);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn floats_are_printed_as_serde_json_prints_them_around_every_change_of_form() {
        let mut floats = vec![0.0, -0.0, 5e-324, f64::MAX, f64::MIN_POSITIVE, 0.1 + 0.2];
        for exponent in -325..309 {
            for digits in [
                "1",
                "1.5",
                "-2.25",
                "1.2345678901234567",
                "9.999999999999999",
            ] {
                floats.push(format!("{digits}e{exponent}").parse().unwrap());
            }
        }
        for float in floats {
            assert_eq!(printed(float), serde_json::to_string(&float).unwrap());
        }
    }

    proptest! {
        #[test]
        fn any_float_is_printed_as_serde_json_prints_it_and_comes_back(bits in any::<u64>()) {
            let float = f64::from_bits(bits);
            prop_assert_eq!(from_sortable(to_sortable(float)).to_bits(), bits);
            if float.is_finite() {
                prop_assert_eq!(printed(float), serde_json::to_string(&float).unwrap());
            }
        }
    }
}
