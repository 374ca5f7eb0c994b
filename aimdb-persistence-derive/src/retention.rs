//! `retention = "7d"`: how long rows are kept.

/// A retention as written, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Retention {
    Forever,
    Milliseconds(u64),
}

/// The units, with their length in milliseconds and their name.
const UNITS: [(&str, u64, &str); 6] = [
    ("s", 1_000, "second"),
    ("m", 60_000, "minute"),
    ("h", 3_600_000, "hour"),
    ("d", 86_400_000, "day"),
    ("w", 7 * 86_400_000, "week"),
    ("y", 365 * 86_400_000, "year"),
];

const UNITS_ADVICE: &str =
    "the units are `s`, `m` (minutes), `h`, `d`, `w` and `y` (365 days), as in `\"7d\"`";

/// Reads a retention.
///
/// # Errors
/// Says what to write instead.
pub(crate) fn parse(text: &str) -> Result<Retention, String> {
    let refuse = |reason: String| {
        Err(format!(
            "`{}` is not a retention: {reason}",
            text.escape_debug()
        ))
    };
    if text.is_empty() {
        return Err("a retention must not be empty; write how long to keep rows, such as `\"7d\"`, or `\"forever\"`".into());
    }
    if text == "forever" {
        return Ok(Retention::Forever);
    }
    let Some((number, unit)) = number_and_unit(text) else {
        return refuse(advice_without_number(text));
    };
    let Some((_, length_ms, _)) = UNITS.iter().find(|(symbol, ..)| *symbol == unit) else {
        return refuse(advice_on_unit(number, unit));
    };
    let length_ms = number
        .parse::<u64>()
        .ok()
        .and_then(|count| count.checked_mul(*length_ms));
    match length_ms {
        None => refuse("it is longer than 64 bits of milliseconds; write `\"forever\"` to keep all rows".into()),
        Some(0) => refuse(
            "rows would expire at once; write how long to keep them, such as `\"7d\"`, or `\"forever\"`".into(),
        ),
        Some(length_ms) => Ok(Retention::Milliseconds(length_ms)),
    }
}

/// Cuts `7d` after its digits, of which there is at least one.
fn number_and_unit(text: &str) -> Option<(&str, &str)> {
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    (digits > 0).then(|| text.split_at(digits))
}

fn advice_without_number(text: &str) -> String {
    let without_spaces: String = text.split_whitespace().collect();
    if without_spaces.eq_ignore_ascii_case("forever") {
        return "write `\"forever\"`, in lower case and without spaces".into();
    }
    if without_spaces != text && parse(&without_spaces).is_ok() {
        return format!("write `\"{without_spaces}\"`, without spaces");
    }
    if let Some(unsigned) = text.strip_prefix('+') {
        return format!("write `\"{unsigned}\"`, without a sign");
    }
    if text.starts_with('-') {
        return "it cannot be negative; write how long to keep rows, such as `\"7d\"`".into();
    }
    format!(
        "it must be a whole number and a unit, such as `\"7d\"`, or `\"forever\"`; {UNITS_ADVICE}"
    )
}

fn advice_on_unit(number: &str, unit: &str) -> String {
    let trimmed = unit.trim();
    if trimmed.is_empty() {
        return format!("a number needs a unit; write `\"{number}d\"` for days; {UNITS_ADVICE}");
    }
    if trimmed.starts_with(['.', ',']) {
        return "fractions are not supported; write a whole number of a smaller unit, `\"90m\"` for an hour and a half"
            .into();
    }
    if is_month(trimmed) {
        let example = number
            .parse::<u64>()
            .ok()
            .and_then(|months| months.checked_mul(30))
            .filter(|days| *days > 0)
            .unwrap_or(30);
        return format!(
            "months differ in length, so there is no such unit (and `m` is minutes); write days, such as `\"{example}d\"`"
        );
    }
    if matches!(trimmed, "ms" | "us" | "ns" | "µs") {
        return "the smallest unit is the second; write `\"1s\"` or more".into();
    }
    if let Some(symbol) = unit_symbol(trimmed) {
        return format!("write `\"{number}{symbol}\"`");
    }
    if trimmed.contains(|c: char| c.is_ascii_digit()) {
        return format!(
            "write one whole number and one unit, `\"90m\"` for an hour and a half; {UNITS_ADVICE}"
        );
    }
    format!("`{}` is not a unit; {UNITS_ADVICE}", trimmed.escape_debug())
}

fn is_month(unit: &str) -> bool {
    unit == "M"
        || matches!(
            unit.to_lowercase().as_str(),
            "mo" | "mon" | "mth" | "month" | "months"
        )
}

/// The unit that another spelling of it means: `days`, `H`, `min`.
fn unit_symbol(spelling: &str) -> Option<&'static str> {
    let spelling = spelling.to_lowercase();
    let singular = spelling.strip_suffix('s').unwrap_or(&spelling);
    let meant = match singular {
        "" => "s",
        "sec" => "s",
        "min" => "m",
        "hr" => "h",
        "yr" => "y",
        other => {
            UNITS
                .iter()
                .find(|(symbol, _, name)| [*symbol, *name].contains(&other))?
                .0
        }
    };
    Some(meant)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_number_and_a_unit_is_a_length_of_time() {
        for (text, length_ms) in [
            ("90s", 90_000),
            ("15m", 900_000),
            ("12h", 43_200_000),
            ("7d", 604_800_000),
            ("2w", 1_209_600_000),
            ("1y", 31_536_000_000),
        ] {
            assert_eq!(
                parse(text),
                Ok(Retention::Milliseconds(length_ms)),
                "{text}"
            );
        }
        assert_eq!(parse("forever"), Ok(Retention::Forever));
    }

    #[test]
    fn a_mistake_says_what_to_write() {
        for (text, advice) in [
            ("", "must not be empty"),
            ("7", "write `\"7d\"` for days"),
            ("d", "whole number and a unit"),
            ("0s", "expire at once"),
            ("0d", "expire at once"),
            ("-7d", "negative"),
            ("+7d", "write `\"7d\"`, without a sign"),
            (" 7d", "write `\"7d\"`, without spaces"),
            ("7 d", "write `\"7d\"`"),
            ("7d ", "write `\"7d\"`"),
            ("7 days", "write `\"7d\"`"),
            ("7D", "write `\"7d\"`"),
            ("30S", "write `\"30s\"`"),
            ("15min", "write `\"15m\"`"),
            ("15mins", "write `\"15m\"`"),
            ("1.5h", "fractions"),
            ("1h30m", "one whole number and one unit"),
            ("3M", "such as `\"90d\"`"),
            ("1month", "such as `\"30d\"`"),
            ("500ms", "smallest unit is the second"),
            ("Forever", "write `\"forever\"`"),
            ("7q", "`q` is not a unit"),
            ("99999999999999999999s", "write `\"forever\"`"),
            ("584942418y", "write `\"forever\"`"),
        ] {
            let message = parse(text).unwrap_err();
            assert!(message.contains(advice), "{text:?}: {message}");
        }
    }

    #[test]
    fn the_longest_retention_is_the_last_that_64_bits_of_milliseconds_hold() {
        let longest_s = u64::MAX / 1_000;
        assert_eq!(
            parse(&format!("{longest_s}s")),
            Ok(Retention::Milliseconds(longest_s * 1_000))
        );
        assert!(parse(&format!("{}s", longest_s + 1)).is_err());
    }
}
