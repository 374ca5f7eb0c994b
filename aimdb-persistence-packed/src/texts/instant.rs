//! Texts that are times by RFC 3339, as numbers: `2026-11-30T18:49:16.250Z`.

/// No time has more digits behind its seconds.
pub(crate) const MOST_DIGITS: u32 = 9;

/// A time of UTC, as JSON has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Instant {
    /// Since 1970, in units of the last place that is written.
    pub(crate) units: i64,
    /// So many digits stand behind the seconds.
    pub(crate) digits: u32,
}

/// How the texts of a column say that they are of UTC.
pub(crate) const SUFFIXES: [&str; 2] = ["Z", "+00:00"];

/// Reads a text that [`put_instant`] writes in the same way, and none that it does not.
pub(crate) fn read_instant(text: &str, suffix: &str) -> Option<Instant> {
    let bytes = text.strip_suffix(suffix)?.as_bytes();
    let number = |range: std::ops::Range<usize>| {
        let digits = bytes.get(range)?;
        digits.iter().try_fold(0, |sum, digit| {
            digit
                .is_ascii_digit()
                .then(|| sum * 10 + i64::from(digit - b'0'))
        })
    };
    let days = days_of(number(0..4)?, number(5..7)?, number(8..10)?);
    let seconds = (days * 24 + number(11..13)?) * 3_600 + number(14..16)? * 60 + number(17..19)?;
    let digits = bytes.len().saturating_sub(20) as u32;
    if digits > MOST_DIGITS {
        return None;
    }
    let fraction = number(bytes.len() - digits as usize..bytes.len())?;
    let units = seconds
        .checked_mul(10_i64.pow(digits))?
        .checked_add(fraction)?;
    let instant = Instant { units, digits };
    let mut printed = Vec::with_capacity(text.len());
    put_instant(&mut printed, instant, suffix);
    (printed == text.as_bytes()).then_some(instant)
}

/// Years have four digits; what lies beyond is printed as something that is no time.
pub(crate) fn put_instant(out: &mut Vec<u8>, instant: Instant, suffix: &str) {
    let unit = 10_i64.pow(instant.digits.min(MOST_DIGITS));
    let (seconds, fraction) = (
        instant.units.div_euclid(unit),
        instant.units.rem_euclid(unit),
    );
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = date_of(days);
    put_padded(out, year, 4);
    for (before, part) in [
        (b'-', month),
        (b'-', day),
        (b'T', second / 3_600),
        (b':', second / 60 % 60),
        (b':', second % 60),
    ] {
        out.push(before);
        put_padded(out, part, 2);
    }
    if instant.digits > 0 {
        out.push(b'.');
        put_padded(out, fraction, instant.digits as usize);
    }
    out.extend_from_slice(suffix.as_bytes());
}

fn put_padded(out: &mut Vec<u8>, number: i64, digits: usize) {
    let start = out.len();
    out.resize(start + digits, b'0');
    let mut number = number.unsigned_abs();
    for digit in out[start..].iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

/// Days from 1970 on to a date of the Gregorian calendar, whose years begin in March here.
fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn date_of(days: i64) -> (i64, i64, i64) {
    let days = days.saturating_add(719_468);
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}
