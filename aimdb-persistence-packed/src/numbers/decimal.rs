//! Whole numbers, and those with a few decimal places.

/// No decimal has more places.
pub(crate) const MOST_PLACES: u32 = 15;

const POWERS: [u64; MOST_PLACES as usize + 1] = {
    let mut powers = [1; MOST_PLACES as usize + 1];
    let mut place = 1;
    while place < powers.len() {
        powers[place] = powers[place - 1] * 10;
        place += 1;
    }
    powers
};

/// 10 to the power of `places`, of which there are [`MOST_PLACES`] at most.
pub(crate) fn power_of_ten(places: u32) -> u64 {
    POWERS[places.min(MOST_PLACES) as usize]
}

/// Room for the digits of a `u64`.
const DIGITS: usize = 20;

pub(crate) fn put_unsigned_integer(out: &mut Vec<u8>, mut value: u64) {
    let mut digits = [0; DIGITS];
    let mut start = DIGITS;
    loop {
        start -= 1;
        digits[start] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[start..]);
}

pub(crate) fn put_integer(out: &mut Vec<u8>, value: i64) {
    if value < 0 {
        out.push(b'-');
    }
    put_unsigned_integer(out, value.unsigned_abs());
}

/// `value` / 10^`places`: one decimal place at least, and no more zeros behind it.
pub(crate) fn put_decimal(out: &mut Vec<u8>, value: i64, places: u32) {
    if value < 0 {
        out.push(b'-');
    }
    let places = places.min(MOST_PLACES);
    let (value, power) = (value.unsigned_abs(), power_of_ten(places));
    put_unsigned_integer(out, value / power);
    out.push(b'.');
    let mut fraction = value % power;
    if fraction == 0 {
        return out.push(b'0');
    }
    let mut places = places as usize;
    while fraction % 10 == 0 {
        fraction /= 10;
        places -= 1;
    }
    let start = out.len();
    out.resize(start + places, b'0');
    for digit in out[start..].iter_mut().rev() {
        *digit = b'0' + (fraction % 10) as u8;
        fraction /= 10;
    }
}
