//! The units.

use crate::purpose::Purpose;

/// A unit of time, each of a fixed length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unit {
    /// As it is written after the number.
    pub(crate) symbol: &'static str,
    pub(crate) length_ms: u64,
    /// One of it in English.
    name: &'static str,
}

const fn unit(symbol: &'static str, length_ms: u64, name: &'static str) -> Unit {
    Unit {
        symbol,
        length_ms,
        name,
    }
}

const DAY_MS: u64 = 86_400_000;

/// All units, from the shortest to the longest.
const UNITS: [Unit; 7] = [
    unit("ms", 1, "millisecond"),
    unit("s", 1_000, "second"),
    unit("m", 60_000, "minute"),
    unit("h", 3_600_000, "hour"),
    unit("d", DAY_MS, "day"),
    unit("w", 7 * DAY_MS, "week"),
    unit("y", 365 * DAY_MS, "year"),
];

/// A length of time in the largest unit of which it is a whole number: `25h`, `2w`.
pub fn describe_ms(length_ms: u64) -> String {
    let mut units = UNITS.iter().rev();
    match units.find(|unit| length_ms.is_multiple_of(unit.length_ms)) {
        Some(unit) => format!("{}{}", length_ms / unit.length_ms, unit.symbol),
        None => format!("{length_ms}ms"),
    }
}

/// The unit of this symbol.
pub(crate) fn with_symbol(symbol: &str) -> Option<Unit> {
    UNITS.into_iter().find(|unit| unit.symbol == symbol)
}

/// The unit that another spelling means: `days`, `H`, `min`. Months are none: their length differs.
pub(crate) fn with_spelling(spelling: &str) -> Option<Unit> {
    let spelling = spelling.to_lowercase();
    let singular = spelling.strip_suffix('s').unwrap_or(&spelling);
    let symbol = match singular {
        "" | "sec" => "s",
        "min" => "m",
        "hr" => "h",
        "yr" => "y",
        "m" if spelling == "ms" => "ms",
        "msec" | "milli" => "ms",
        other => other,
    };
    UNITS
        .into_iter()
        .find(|unit| [unit.symbol, unit.name].contains(&symbol))
}

/// Whether a word is a month, which is no unit.
pub(crate) fn is_month(word: &str) -> bool {
    let word_in_lower_case = word.to_lowercase();
    word == "M"
        || matches!(
            word_in_lower_case.as_str(),
            "mo" | "mon" | "mth" | "mths" | "mos" | "month" | "months"
        )
}

/// Whether a word is a unit shorter than a millisecond.
pub(crate) fn is_shorter_than_a_millisecond(word: &str) -> bool {
    matches!(word, "us" | "ns" | "µs" | "μs")
}

/// The units that a length for this purpose may have, as a message lists them.
pub(crate) fn list(purpose: Purpose) -> &'static str {
    match (purpose.takes_milliseconds(), purpose.takes_years()) {
        (true, true) => "the units are `ms`, `s`, `m` (minutes), `h`, `d`, `w` and `y` (365 days)",
        (true, false) => "the units are `ms`, `s`, `m` (minutes), `h`, `d` and `w`",
        (false, _) => "the units are `s`, `m` (minutes), `h`, `d`, `w` and `y` (365 days)",
    }
}
