//! Lengths of time as users write them: `24h`.

/// The units, with their length in milliseconds and their name.
const UNITS: [(&str, u64, &str); 7] = [
    ("ms", 1, "millisecond"),
    ("s", 1_000, "second"),
    ("m", 60_000, "minute"),
    ("h", 3_600_000, "hour"),
    ("d", 86_400_000, "day"),
    ("w", 7 * 86_400_000, "week"),
    ("y", 365 * 86_400_000, "year"),
];

const ADVICE: &str = "write a whole number and a unit, as in `24h`; the units are `ms`, `s`, `m` (minutes), `h`, `d`, `w` and `y` (365 days)";

/// A length of time in milliseconds.
///
/// # Errors
/// Says what to write instead.
pub(crate) fn parse_ms(text: &str) -> Result<u64, String> {
    let refuse = |advice: &str| {
        Err(format!(
            "`{}` is not a length of time: {advice}",
            text.escape_debug()
        ))
    };
    let Some((number, unit)) = number_and_unit(text) else {
        return refuse(ADVICE);
    };
    let Some((_, unit_ms, _)) = UNITS.iter().find(|(symbol, ..)| *symbol == unit) else {
        return match meant(unit) {
            Some(symbol) => refuse(&format!("write `{number}{symbol}`")),
            None => refuse(ADVICE),
        };
    };
    let length_ms = number
        .parse::<u64>()
        .ok()
        .and_then(|count| count.checked_mul(*unit_ms));
    match length_ms {
        None => refuse("it is longer than 64 bits of milliseconds"),
        Some(0) => refuse("it must be longer than nothing"),
        Some(length_ms) => Ok(length_ms),
    }
}

/// Cuts `24h` after its digits, of which there is at least one.
pub(crate) fn number_and_unit(text: &str) -> Option<(&str, &str)> {
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    (digits > 0).then(|| text.split_at(digits))
}

/// The unit that another spelling means: ` hours`, `H`, `min`.
fn meant(spelling: &str) -> Option<&'static str> {
    let spelling = spelling.trim().to_lowercase();
    let singular = spelling.strip_suffix('s').unwrap_or(&spelling);
    let singular = match singular {
        "sec" => "s",
        "min" => "m",
        "hr" => "h",
        "yr" => "y",
        other => other,
    };
    let mut units = UNITS.iter();
    let (symbol, ..) = units.find(|(symbol, _, name)| [*symbol, *name].contains(&singular))?;
    Some(symbol)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_number_and_a_unit_is_a_length_of_time() {
        for (text, length_ms) in [
            ("250ms", 250),
            ("90s", 90_000),
            ("15m", 900_000),
            ("24h", 86_400_000),
            ("7d", 604_800_000),
            ("2w", 1_209_600_000),
            ("1y", 31_536_000_000),
            ("18446744073709551615ms", u64::MAX),
        ] {
            assert_eq!(parse_ms(text), Ok(length_ms), "{text}");
        }
    }

    #[test]
    fn a_mistake_says_what_to_write() {
        for (text, advice) in [
            (
                "24 hours",
                "`24 hours` is not a length of time: write `24h`",
            ),
            ("24", "a whole number and a unit"),
            ("", "a whole number and a unit"),
            ("h", "a whole number and a unit"),
            ("-1h", "a whole number and a unit"),
            ("1.5h", "a whole number and a unit"),
            ("1h30m", "a whole number and a unit"),
            ("7D", "write `7d`"),
            ("15mins", "write `15m`"),
            ("3 fortnights", "a whole number and a unit"),
            ("0s", "longer than nothing"),
            ("999999999999y", "64 bits"),
            ("24h\u{0}", "`24h\\0` is not"),
        ] {
            let message = parse_ms(text).unwrap_err();
            assert!(message.contains(advice), "{text:?}: {message}");
        }
    }
}
