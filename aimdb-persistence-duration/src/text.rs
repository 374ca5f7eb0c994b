//! Reads the text of a length, and finds out what is wrong with it.

use crate::error::Problem;
use crate::purpose::Purpose;
use crate::unit::{Unit, is_month, is_shorter_than_a_millisecond, with_spelling, with_symbol};

/// Reads a whole number and its unit.
pub(crate) fn parse_ms(text: &str, purpose: Purpose) -> Result<u64, Problem> {
    if text.is_empty() {
        return Err(Problem::Empty);
    }
    let Some((number, unit)) = number_and_unit(text) else {
        return Err(without_number(text, purpose));
    };
    let Some(unit) = with_symbol(unit).filter(|unit| is_taken(*unit, purpose)) else {
        return Err(wrong_unit(number, unit, purpose));
    };
    let length_ms = number
        .parse::<u64>()
        .ok()
        .and_then(|count| count.checked_mul(unit.length_ms));
    match length_ms {
        None => Err(Problem::TooLong),
        Some(0) => Err(Problem::Zero),
        Some(length_ms) => Ok(length_ms),
    }
}

/// Cuts `7d` after its digits, of which there is at least one.
fn number_and_unit(text: &str) -> Option<(&str, &str)> {
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    (digits > 0).then(|| text.split_at(digits))
}

fn is_taken(unit: Unit, purpose: Purpose) -> bool {
    match unit.symbol {
        "ms" => purpose.takes_milliseconds(),
        "y" => purpose.takes_years(),
        _ => true,
    }
}

fn without_number(text: &str, purpose: Purpose) -> Problem {
    let without_spaces: String = text.split_whitespace().collect();
    let is_forever = without_spaces.eq_ignore_ascii_case("forever")
        || without_spaces.eq_ignore_ascii_case("always");
    if is_forever && purpose.advice_on_forever().is_some() {
        return Problem::Forever;
    }
    if without_spaces != text
        && let Some(write) = as_meant(&without_spaces, purpose)
    {
        return Problem::Spaces { write };
    }
    if let Some(unsigned) = text.strip_prefix('+')
        && let Some(write) = as_meant(unsigned, purpose)
    {
        return Problem::Sign { write };
    }
    if text.starts_with('-') {
        return Problem::Negative;
    }
    Problem::NoNumber
}

/// A text as it should be written, if that can be told.
fn as_meant(text: &str, purpose: Purpose) -> Option<String> {
    match parse_ms(text, purpose) {
        Ok(_) => Some(text.to_owned()),
        Err(Problem::Spelling { write }) => Some(write),
        Err(_) => None,
    }
}

fn wrong_unit(number: &str, unit: &str, purpose: Purpose) -> Problem {
    let trimmed = unit.trim();
    if trimmed.is_empty() {
        return Problem::NoUnit {
            number: number.to_owned(),
        };
    }
    if trimmed.starts_with(['.', ',']) {
        return Problem::Fraction;
    }
    let in_days = |days_of_one: u64| {
        let days = number.parse::<u64>().ok();
        let days = days.and_then(|count| count.checked_mul(days_of_one));
        days.filter(|days| *days > 0).unwrap_or(days_of_one)
    };
    if is_month(trimmed) {
        return Problem::Months { days: in_days(30) };
    }
    match with_spelling(trimmed) {
        Some(Unit { symbol: "y", .. }) if !purpose.takes_years() => {
            return Problem::Years { days: in_days(365) };
        }
        Some(unit) if is_taken(unit, purpose) => {
            let write = format!("{number}{}", unit.symbol);
            // Of the right spelling, too, the number may be wrong.
            return match parse_ms(&write, purpose) {
                Ok(_) => Problem::Spelling { write },
                Err(problem) => problem,
            };
        }
        Some(_) => return Problem::TooFine,
        None if is_shorter_than_a_millisecond(trimmed) => return Problem::TooFine,
        None => {}
    }
    if trimmed.contains(|c: char| c.is_ascii_digit()) {
        return Problem::Compound;
    }
    Problem::UnknownUnit {
        unit: trimmed.to_owned(),
    }
}
