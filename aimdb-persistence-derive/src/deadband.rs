//! `deadband = 0.2`, `deadband = "2%"`: how far a number must move to be stored.

use syn::{GenericArgument, PathArguments, PathSegment, Type};

use crate::entries::Value;

/// A deadband as written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Deadband {
    Absolute(f64),
    /// A part of the last stored number: 0.02 is 2 %.
    Relative(f64),
}

/// Reads a deadband.
///
/// # Errors
/// Says what to write instead.
pub(crate) fn parse(value: &Value) -> Result<Deadband, String> {
    let (number, deadband): (_, fn(f64) -> Deadband) = match value {
        Value::Whole(number) => (number.base10_parse::<f64>(), Deadband::Absolute),
        Value::Fraction(number) => (number.base10_parse::<f64>(), Deadband::Absolute),
        Value::Text(text) => return parse_percentage(&text.value()),
        Value::Absent | Value::List(_) | Value::Other(_) => return Err(ADVICE.into()),
    };
    match number {
        Ok(number) => check(number).map(deadband),
        Err(error) => Err(format!("{error}; {ADVICE}")),
    }
}

const ADVICE: &str = "write how far the number must move, as in `deadband = 0.2`, or as a part of it, as in \
                      `deadband = \"2%\"`";

fn parse_percentage(text: &str) -> Result<Deadband, String> {
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

/// What a field holds in place of a number, where its type tells.
pub(crate) fn known_other_than_a_number(of: &Type) -> Option<String> {
    const OTHERS: [&str; 14] = [
        "String",
        "str",
        "char",
        "bool",
        "Vec",
        "VecDeque",
        "HashMap",
        "BTreeMap",
        "HashSet",
        "BTreeSet",
        "SystemTime",
        "PathBuf",
        "IpAddr",
        "Uuid",
    ];
    match of {
        Type::Path(path) => {
            let last = path.path.segments.last()?;
            if let Some(inner) = option_of(last) {
                return known_other_than_a_number(inner);
            }
            let name = last.ident.to_string();
            OTHERS
                .contains(&name.as_str())
                .then(|| format!("a `{name}`"))
        }
        Type::Array(_) | Type::Slice(_) => Some("an array".into()),
        Type::Tuple(_) => Some("a tuple".into()),
        Type::Paren(paren) => known_other_than_a_number(&paren.elem),
        Type::Group(group) => known_other_than_a_number(&group.elem),
        _ => None,
    }
}

/// `V` of `Option<V>`.
fn option_of(segment: &PathSegment) -> Option<&Type> {
    match &segment.arguments {
        PathArguments::AngleBracketed(arguments) if segment.ident == "Option" => {
            arguments.args.iter().find_map(|argument| match argument {
                GenericArgument::Type(of) => Some(of),
                _ => None,
            })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::{Lit, parse_str};

    fn read(source: &str) -> Result<Deadband, String> {
        parse(&match parse_str(source).expect("a literal") {
            Lit::Int(number) => Value::Whole(number),
            Lit::Float(number) => Value::Fraction(number),
            Lit::Str(text) => Value::Text(text),
            _ => Value::Absent,
        })
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
            ("true", "write how far the number must move"),
        ] {
            let message = read(source).unwrap_err();
            assert!(message.contains(advice), "{source}: {message}");
        }
    }
}
