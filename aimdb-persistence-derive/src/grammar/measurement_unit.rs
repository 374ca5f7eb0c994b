//! `unit = "°C"`: what the number in a field counts.

/// Checks a unit.
///
/// # Errors
/// Says what to write instead.
pub(crate) fn parse(text: &str) -> Result<String, String> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Err(
            "a unit must not be empty; write the field's unit, such as `unit = \"°C\"`".into(),
        );
    }
    if trimmed != text {
        return Err(format!(
            "`{}` has spaces around it; write `unit = \"{}\"`",
            text.escape_debug(),
            trimmed.escape_debug()
        ));
    }
    match text.chars().find(|c| c.is_control()) {
        Some(c) => Err(format!(
            "a unit is printed, and {c:?} is a control character; remove it"
        )),
        None => Ok(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_is_any_text_that_can_be_printed() {
        for unit in ["°C", "%", "m³/h", "µg per m³"] {
            assert_eq!(parse(unit), Ok(unit.to_owned()));
        }
        for (text, advice) in [
            ("", "must not be empty"),
            (" ", "must not be empty"),
            (" °C", "write `unit = \"°C\"`"),
            ("°\nC", "control character"),
        ] {
            let message = parse(text).unwrap_err();
            assert!(message.contains(advice), "{text:?}: {message}");
        }
    }
}
