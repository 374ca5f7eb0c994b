//! `deadband = 0.2`, `deadband = "2%"`: how far a number must move to be stored.

/// A deadband as written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Deadband {
    Absolute(f64),
    /// A part of the last stored number: 0.02 is 2 %.
    Relative(f64),
}

/// How a deadband is written.
pub(crate) const ADVICE: &str = "write how far the number must move, as in `deadband = 0.2`, or as a part of it, as in \
                      `deadband = \"2%\"`";

/// Reads a number that is written without quotes.
///
/// # Errors
/// Says what to write instead.
pub(crate) fn absolute(number: f64) -> Result<Deadband, String> {
    check(number).map(Deadband::Absolute)
}

/// Reads a percentage.
///
/// # Errors
/// Says what to write instead.
pub(crate) fn parse_percentage(text: &str) -> Result<Deadband, String> {
    let Some(number) = text.trim_end().strip_suffix('%') else {
        return Err(advice_without_percent(text));
    };
    let number = number.trim();
    if format!("{number}%") != text {
        return Err(format!("write `deadband = \"{number}%\"`, without spaces"));
    }
    // A hundredth as a decimal: 0.7 / 100.0 is a little less than 0.007.
    match (number.parse(), format!("{number}e-2").parse()) {
        (Ok(percent), Ok(part)) if number.starts_with(|c: char| c.is_ascii_digit()) => {
            check(percent).map(|_| Deadband::Relative(part))
        }
        _ => Err(format!(
            "`{}` is not a percentage; {ADVICE}",
            text.escape_debug()
        )),
    }
}

fn advice_without_percent(text: &str) -> String {
    let trimmed = text.trim();
    let number: String = trimmed
        .chars()
        .take_while(|c| c.is_ascii_digit() || *c == '.')
        .collect();
    if number.parse::<f64>().is_err() {
        return format!("`{}` is not a deadband; {ADVICE}", text.escape_debug());
    }
    if number == trimmed {
        return format!(
            "write `deadband = {number}` without quotes, or `deadband = \"{number}%\"`"
        );
    }
    format!(
        "a deadband is in the unit of its field; write `deadband = {number}`, and the unit as `unit = \"{}\"`",
        trimmed[number.len()..].trim().escape_debug()
    )
}

fn check(number: f64) -> Result<f64, String> {
    if number == 0.0 {
        return Err("a deadband of 0 leaves nothing out; write how far the number must move, such as `0.2`, or \
                    `on_change` on the type in its place"
            .into());
    }
    if !number.is_finite() {
        return Err("no number moves that far; write how far it must move, such as `0.2`".into());
    }
    Ok(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(source: &str) -> Result<Deadband, String> {
        match syn::parse_str(source).expect("a literal") {
            syn::Lit::Int(number) => absolute(number.base10_parse().expect("a number")),
            syn::Lit::Float(number) => absolute(number.base10_parse().expect("a number")),
            syn::Lit::Str(text) => parse_percentage(&text.value()),
            _ => Err(ADVICE.into()),
        }
    }

    #[test]
    fn a_deadband_is_absolute_or_a_percentage() {
        assert_eq!(read("0.2"), Ok(Deadband::Absolute(0.2)));
        assert_eq!(read("5"), Ok(Deadband::Absolute(5.0)));
        assert_eq!(read("1_000"), Ok(Deadband::Absolute(1_000.0)));
        assert_eq!(read("1e-3"), Ok(Deadband::Absolute(0.001)));
        assert_eq!(read("\"2%\""), Ok(Deadband::Relative(0.02)));
        assert_eq!(read("\"0.5%\""), Ok(Deadband::Relative(0.005)));
        assert_eq!(read("\"0.7%\""), Ok(Deadband::Relative(0.007)));
        assert_eq!(read("\"150%\""), Ok(Deadband::Relative(1.5)));
    }

    #[test]
    fn a_mistake_says_what_to_write() {
        for (source, advice) in [
            ("0", "leaves nothing out"),
            ("0.0", "leaves nothing out"),
            ("\"0%\"", "leaves nothing out"),
            ("1e999", "moves that far"),
            ("\"\"", "is not a deadband"),
            ("\"much\"", "is not a deadband"),
            ("\"0.2\"", "write `deadband = 0.2` without quotes"),
            (
                "\"0.2°C\"",
                "write `deadband = 0.2`, and the unit as `unit = \"°C\"`",
            ),
            (
                "\"0.2 K\"",
                "write `deadband = 0.2`, and the unit as `unit = \"K\"`",
            ),
            ("\"2 %\"", "write `deadband = \"2%\"`, without spaces"),
            ("\"%\"", "is not a percentage"),
            ("\"-2%\"", "is not a percentage"),
            ("\"NaN%\"", "is not a percentage"),
            ("\"inf%\"", "is not a percentage"),
        ] {
            let message = read(source).unwrap_err();
            assert!(message.contains(advice), "{source}: {message}");
        }
    }
}
