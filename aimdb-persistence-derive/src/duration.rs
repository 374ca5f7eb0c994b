//! `"7d"`: a length of time.

/// What a length of time is for, as its messages say it.
pub(crate) struct Use {
    /// What it is: "a retention".
    pub(crate) noun: &'static str,
    /// How to begin it: "write how long to keep rows".
    pub(crate) advice: &'static str,
    /// What is wrong with none at all.
    pub(crate) zero: &'static str,
    pub(crate) example: &'static str,
    /// Whether it may be counted in milliseconds.
    pub(crate) fine: bool,
    /// The word for no end, if it may have none.
    pub(crate) forever: Option<&'static str>,
}

pub(crate) const RETENTION: Use = Use {
    noun: "a retention",
    advice: "write how long to keep rows",
    zero: "rows would expire at once",
    example: "7d",
    fine: false,
    forever: Some("forever"),
};

pub(crate) const MIN_INTERVAL: Use = Use {
    noun: "an interval",
    advice: "write how far apart rows are at least",
    zero: "it would leave nothing out",
    example: "10s",
    fine: true,
    forever: None,
};

pub(crate) const MAX_SILENCE: Use = Use {
    noun: "a length of silence",
    advice: "write how far apart rows are at most",
    zero: "every value would be stored",
    example: "1h",
    fine: true,
    forever: None,
};

pub(crate) const RESTORE: Use = Use {
    noun: "an age",
    advice: "write how old a value may be to be restored",
    zero: "no value is that new",
    example: "1h",
    fine: true,
    forever: None,
};

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

/// Reads a whole number and its unit, in milliseconds.
///
/// # Errors
/// Says what to write instead.
pub(crate) fn parse(purpose: &Use, text: &str) -> Result<u64, String> {
    let Use {
        noun, advice, zero, ..
    } = purpose;
    let or_forever = purpose.or_forever();
    if text.is_empty() {
        let example = purpose.example;
        return Err(format!(
            "{noun} must not be empty; {advice}, such as `\"{example}\"`{or_forever}"
        ));
    }
    let refuse = |reason: String| Err(format!("`{}` is not {noun}: {reason}", text.escape_debug()));
    let Some((number, unit)) = number_and_unit(text) else {
        return refuse(purpose.advice_without_number(text));
    };
    let Some(unit_ms) = purpose.unit_ms(unit) else {
        return refuse(purpose.advice_on_unit(number, unit));
    };
    let length_ms = number
        .parse::<u64>()
        .ok()
        .and_then(|count| count.checked_mul(unit_ms));
    match length_ms {
        None => refuse(match purpose.forever {
            Some(forever) => format!(
                "it is longer than 64 bits of milliseconds; write `\"{forever}\"` to keep all rows"
            ),
            None => "it is longer than 64 bits of milliseconds".into(),
        }),
        Some(0) => refuse(format!(
            "{zero}; {advice}, such as `\"{}\"`{or_forever}",
            purpose.example
        )),
        Some(length_ms) => Ok(length_ms),
    }
}

/// A length of time as a message says it: in the largest unit of which it is a whole number.
pub(crate) fn describe(length_ms: u64) -> String {
    let mut units = UNITS.iter().rev();
    match units.find(|(_, unit_ms, _)| length_ms.is_multiple_of(*unit_ms)) {
        Some((symbol, unit_ms, _)) => format!("{}{symbol}", length_ms / unit_ms),
        None => format!("{length_ms}ms"),
    }
}

impl Use {
    fn or_forever(&self) -> String {
        let forever = self.forever.map(|forever| format!(", or `\"{forever}\"`"));
        forever.unwrap_or_default()
    }

    /// The units that it may have.
    fn units(&self) -> impl Iterator<Item = &'static (&'static str, u64, &'static str)> {
        UNITS.iter().skip(usize::from(!self.fine))
    }

    fn unit_ms(&self, unit: &str) -> Option<u64> {
        let mut units = self.units();
        units
            .find(|(symbol, ..)| *symbol == unit)
            .map(|(_, ms, _)| *ms)
    }

    fn units_advice(&self) -> String {
        let fine = if self.fine { "`ms`, " } else { "" };
        format!("the units are {fine}`s`, `m` (minutes), `h`, `d`, `w` and `y` (365 days)")
    }

    fn advice_without_number(&self, text: &str) -> String {
        let without_spaces: String = text.split_whitespace().collect();
        let or_forever = self.or_forever();
        if let Some(forever) = self.forever
            && without_spaces.eq_ignore_ascii_case(forever)
        {
            return format!("write `\"{forever}\"`, in lower case and without spaces");
        }
        if without_spaces != text && parse(self, &without_spaces).is_ok() {
            return format!("write `\"{without_spaces}\"`, without spaces");
        }
        if let Some(unsigned) = text.strip_prefix('+') {
            return format!("write `\"{unsigned}\"`, without a sign");
        }
        if text.starts_with('-') {
            return format!(
                "it cannot be negative; {}, such as `\"{}\"`",
                self.advice, self.example
            );
        }
        format!(
            "it must be a whole number and a unit, such as `\"{}\"`{or_forever}; {}",
            self.example,
            self.units_advice()
        )
    }

    fn advice_on_unit(&self, number: &str, unit: &str) -> String {
        let trimmed = unit.trim();
        if trimmed.is_empty() {
            let (symbol, name) = match self.fine {
                true => ("s", "seconds"),
                false => ("d", "days"),
            };
            return format!(
                "a number needs a unit; write `\"{number}{symbol}\"` for {name}; {}",
                self.units_advice()
            );
        }
        if trimmed.starts_with(['.', ',']) {
            return "fractions are not supported; write a whole number of a smaller unit, `\"90m\"` for an hour and a half"
                .into();
        }
        if is_month(trimmed) {
            let days = number
                .parse::<u64>()
                .ok()
                .and_then(|months| months.checked_mul(30));
            let days = days.filter(|days| *days > 0).unwrap_or(30);
            return format!(
                "months differ in length, so there is no such unit (and `m` is minutes); write days, such as `\"{days}d\"`"
            );
        }
        if let Some(symbol) = self.unit_symbol(trimmed) {
            return format!("write `\"{number}{symbol}\"`");
        }
        if matches!(trimmed, "ms" | "us" | "ns" | "µs") {
            return match self.fine {
                true => "the smallest unit is the millisecond; write `\"1ms\"` or more",
                false => "the smallest unit is the second; write `\"1s\"` or more",
            }
            .into();
        }
        let units = self.units_advice();
        if trimmed.contains(|c: char| c.is_ascii_digit()) {
            return format!(
                "write one whole number and one unit, `\"90m\"` for an hour and a half; {units}"
            );
        }
        format!(
            "`{}` is not a unit; {units}, as in `\"{}\"`",
            trimmed.escape_debug(),
            self.example
        )
    }

    /// The unit that another spelling of it means: `days`, `H`, `min`.
    fn unit_symbol(&self, spelling: &str) -> Option<&'static str> {
        let spelling = spelling.to_lowercase();
        let singular = spelling.strip_suffix('s').unwrap_or(&spelling);
        let meant = match singular {
            "" | "sec" => "s",
            "min" => "m",
            "hr" => "h",
            "yr" => "y",
            "m" if spelling == "ms" => "ms",
            "msec" | "milli" => "ms",
            other => {
                let mut units = UNITS.iter();
                units
                    .find(|(symbol, _, name)| [*symbol, *name].contains(&other))?
                    .0
            }
        };
        self.units()
            .map(|(symbol, ..)| *symbol)
            .find(|symbol| *symbol == meant)
    }
}

/// Cuts `7d` after its digits, of which there is at least one.
fn number_and_unit(text: &str) -> Option<(&str, &str)> {
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    (digits > 0).then(|| text.split_at(digits))
}

fn is_month(unit: &str) -> bool {
    unit == "M"
        || matches!(
            unit.to_lowercase().as_str(),
            "mo" | "mon" | "mth" | "month" | "months"
        )
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
            assert_eq!(parse(&RETENTION, text), Ok(length_ms), "{text}");
            assert_eq!(parse(&MAX_SILENCE, text), Ok(length_ms), "{text}");
        }
        assert_eq!(parse(&MIN_INTERVAL, "500ms"), Ok(500));
    }

    #[test]
    fn a_length_is_described_in_its_largest_unit() {
        for text in ["500ms", "90s", "15m", "25h", "8d", "2w", "1y"] {
            let length_ms = parse(&MIN_INTERVAL, text).expect("a length of time");
            assert_eq!(describe(length_ms), text);
        }
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
            let message = parse(&RETENTION, text).unwrap_err();
            assert!(message.contains(advice), "{text:?}: {message}");
        }
    }

    #[test]
    fn a_mistake_in_a_shorter_time_says_what_to_write_there() {
        for (text, advice) in [
            (
                "",
                "must not be empty; write how far apart rows are at least, such as `\"10s\"`",
            ),
            ("10", "write `\"10s\"` for seconds"),
            ("0ms", "leave nothing out"),
            (
                "forever",
                "whole number and a unit, such as `\"10s\"`; the units are `ms`",
            ),
            ("5MS", "write `\"5ms\"`"),
            ("5 milliseconds", "write `\"5ms\"`"),
            ("5us", "smallest unit is the millisecond"),
            ("99999999999999999999s", "longer than 64 bits"),
        ] {
            let message = parse(&MIN_INTERVAL, text).unwrap_err();
            assert!(message.contains(advice), "{text:?}: {message}");
            assert!(!message.contains("\"forever\""), "{message}");
        }
    }

    #[test]
    fn the_longest_is_the_last_that_64_bits_of_milliseconds_hold() {
        let longest_s = u64::MAX / 1_000;
        assert_eq!(
            parse(&RETENTION, &format!("{longest_s}s")),
            Ok(longest_s * 1_000)
        );
        assert!(parse(&RETENTION, &format!("{}s", longest_s + 1)).is_err());
    }
}
