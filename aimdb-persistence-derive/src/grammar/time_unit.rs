//! `timestamp = "s"`: what the integer of an event time counts.

use crate::grammar::did_you_mean::nearest;

/// The unit of an integer since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TimeUnit {
    Seconds,
    Milliseconds,
    Microseconds,
    Nanoseconds,
}

const UNITS: [(&str, TimeUnit, &str); 4] = [
    ("s", TimeUnit::Seconds, "seconds"),
    ("ms", TimeUnit::Milliseconds, "milliseconds"),
    ("us", TimeUnit::Microseconds, "microseconds"),
    ("ns", TimeUnit::Nanoseconds, "nanoseconds"),
];

/// Reads a unit.
///
/// # Errors
/// Says what to write instead.
pub(crate) fn parse(text: &str) -> Result<TimeUnit, String> {
    if let Some((_, unit, _)) = UNITS.iter().find(|(symbol, ..)| *symbol == text) {
        return Ok(*unit);
    }
    let advice = match meant(text) {
        Some(symbol) => format!("write `timestamp = \"{symbol}\"`"),
        None => {
            "an integer counts `\"s\"`, `\"ms\"`, `\"us\"` or `\"ns\"` since 1970; a time type, such as \
             `SystemTime`, needs no unit"
                .into()
        }
    };
    Err(format!(
        "`{}` is not a unit of a timestamp: {advice}",
        text.escape_debug()
    ))
}

/// The unit that another spelling means: `seconds`, `millis`, `µs`.
fn meant(spelling: &str) -> Option<&'static str> {
    let spelling = spelling.trim().to_lowercase();
    match spelling.as_str() {
        "" => return None,
        "µs" | "μs" | "micros" => return Some("us"),
        "sec" | "secs" | "unix" => return Some("s"),
        "milli" | "millis" | "msec" => return Some("ms"),
        "nano" | "nanos" => return Some("ns"),
        _ => {}
    }
    let of_name = |name: &str| UNITS.iter().find(|(_, _, n)| *n == name).map(|(s, ..)| *s);
    let names = UNITS.map(|(_, _, name)| name);
    let symbol = UNITS.iter().find(|(symbol, ..)| *symbol == spelling);
    symbol
        .map(|(symbol, ..)| *symbol)
        .or_else(|| nearest(&spelling, &names).and_then(of_name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_counts_one_of_four_units() {
        assert_eq!(parse("s"), Ok(TimeUnit::Seconds));
        assert_eq!(parse("ms"), Ok(TimeUnit::Milliseconds));
        assert_eq!(parse("us"), Ok(TimeUnit::Microseconds));
        assert_eq!(parse("ns"), Ok(TimeUnit::Nanoseconds));
    }

    #[test]
    fn a_mistake_says_what_to_write() {
        for (text, advice) in [
            ("", "counts `\"s\"`"),
            ("S", "write `timestamp = \"s\"`"),
            (" ms", "write `timestamp = \"ms\"`"),
            ("seconds", "write `timestamp = \"s\"`"),
            ("second", "write `timestamp = \"s\"`"),
            ("millis", "write `timestamp = \"ms\"`"),
            ("milliseconds", "write `timestamp = \"ms\"`"),
            ("µs", "write `timestamp = \"us\"`"),
            ("nanosecond", "write `timestamp = \"ns\"`"),
            ("unix", "write `timestamp = \"s\"`"),
            ("minutes", "counts `\"s\"`"),
            ("rfc3339", "needs no unit"),
        ] {
            let message = parse(text).unwrap_err();
            assert!(message.contains(advice), "{text:?}: {message}");
        }
    }
}
