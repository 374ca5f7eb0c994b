//! `key = "temperature.{station}"`: a record key, or a template of many.
//!
//! These are the rules and the words of `aimdb_persistence::backend::validate_key`, which checks keys at run time. Here the
//! placeholders have no values yet, so only the text around them is checked.

use proc_macro2::Ident;
use syn::ext::IdentExt;
use syn::parse::Parser;

/// A part of a template.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Piece<'a> {
    Text(&'a str),
    /// What stands between `{` and `}`.
    Placeholder(&'a str),
}

/// Names that no argument of a function can have.
const RESERVED: [&str; 5] = ["self", "Self", "super", "crate", "_"];

/// Checks a key or template.
///
/// # Errors
/// Says which rule it breaks, and what to write instead.
pub(crate) fn check(key: &str) -> Result<(), String> {
    if key.is_empty() {
        return Err("a key must not be empty; write one such as `temperature.{station}`".into());
    }
    check_rules(key)
        .map_err(|reason| format!("`{}` is not a record key: {reason}", key.escape_debug()))
}

/// The names of the placeholders, in order. A key that [`check`] refuses may have further ones, which cannot be read.
pub(crate) fn placeholders(key: &str) -> Vec<&str> {
    let mut names = Vec::new();
    for run in key.split('{').skip(1) {
        if let Some((name, _)) = run.split_once('}')
            && check_placeholder(name).is_ok()
            && !names.contains(&name)
        {
            names.push(name);
        }
    }
    names
}

fn check_rules(key: &str) -> Result<(), String> {
    if let Some(c) = key.chars().find(|c| c.is_control()) {
        return Err(format!(
            "it contains the control character {c:?}; remove it"
        ));
    }
    let pieces = cut(key)?;
    check_placeholders(&pieces)?;
    check_text(&pieces)
}

/// Cuts a template at its braces.
fn cut(key: &str) -> Result<Vec<Piece<'_>>, String> {
    let mut pieces = Vec::new();
    let mut rest = key;
    loop {
        let (text, placeholder) = match rest.split_once('{') {
            Some((text, placeholder)) => (text, Some(placeholder)),
            None => (rest, None),
        };
        if text.contains('}') {
            return Err("a `}` has no `{` before it; a placeholder is written `{station}`".into());
        }
        if !text.is_empty() {
            pieces.push(Piece::Text(text));
        }
        let Some(placeholder) = placeholder else {
            return Ok(pieces);
        };
        let Some((name, after)) = placeholder.split_once('}') else {
            return Err("a `{` is never closed; a placeholder is written `{station}`".into());
        };
        if name.contains('{') {
            return Err(
                "a `{` stands inside a placeholder; braces cannot be part of a key, nor be escaped"
                    .into(),
            );
        }
        pieces.push(Piece::Placeholder(name));
        rest = after;
    }
}

fn check_placeholders(pieces: &[Piece<'_>]) -> Result<(), String> {
    let mut names = Vec::new();
    for piece in pieces {
        let Piece::Placeholder(name) = *piece else {
            continue;
        };
        check_placeholder(name)?;
        if names.contains(&name) {
            return Err(format!(
                "`{{{name}}}` appears twice, and each placeholder is one argument of `series`; give the second a name \
                 of its own"
            ));
        }
        names.push(name);
    }
    for pair in pieces.windows(2) {
        if let [Piece::Placeholder(first), Piece::Placeholder(second)] = pair {
            return Err(format!(
                "nothing separates `{{{first}}}` from `{{{second}}}`, so different values could make the same key; \
                 write `{{{first}}}.{{{second}}}` or `{{{first}}}-{{{second}}}`"
            ));
        }
    }
    Ok(())
}

fn check_placeholder(name: &str) -> Result<(), String> {
    let trimmed = name.trim();
    if trimmed.is_empty() {
        return Err(format!(
            "`{{{name}}}` has no name; name it after what it stands for, such as `{{station}}`"
        ));
    }
    if trimmed != name {
        return Err(format!("`{{{name}}}` has spaces; write `{{{trimmed}}}`"));
    }
    if RESERVED.contains(&name) {
        return Err(format!(
            "`{name}` cannot name an argument of `series`; choose another name, such as `{{station}}`"
        ));
    }
    if let Some(unraw) = name.strip_prefix("r#") {
        return Err(format!(
            "write `{{{unraw}}}`; a placeholder may be any keyword as it is"
        ));
    }
    if let Some((argument, _)) = name.split_once(':') {
        let example = if is_identifier(argument) {
            argument
        } else {
            "station"
        };
        return Err(format!(
            "`{{{name}}}` has a format, and a placeholder takes none; write `{{{example}}}`"
        ));
    }
    if name.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!(
            "`{{{name}}}` is a number; a placeholder has a name, such as `{{station}}`"
        ));
    }
    if !is_identifier(name) {
        return Err(format!(
            "`{{{name}}}` is not an identifier, and a placeholder names an argument of `series`; write letters, digits \
             and `_` only, such as `{{station}}`"
        ));
    }
    Ok(())
}

/// The lexer decides. It is asked about letters and digits only, because it reports other text itself.
fn is_identifier(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit())
        && name
            .chars()
            .all(|c| c.is_alphabetic() || c.is_ascii_digit() || c == '_')
        && Ident::parse_any
            .parse_str(name)
            .is_ok_and(|identifier| identifier == name)
}

/// Checks the text around the placeholders. Each placeholder will be some text within its segment.
fn check_text(pieces: &[Piece<'_>]) -> Result<(), String> {
    let mut key = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(text) => key.push_str(text),
            Piece::Placeholder(_) => key.push('x'),
        }
    }
    if let Some(c) = key.chars().find(|c| "*#".contains(*c)) {
        return Err(format!(
            "`{c}` has a meaning in patterns; write a placeholder, such as `{{station}}`, for the part that varies"
        ));
    }
    if key.contains(":::") {
        return Err("`:::` is ambiguous: write `::` between segments".into());
    }
    if key
        .split("::")
        .flat_map(|part| part.split('.'))
        .any(str::is_empty)
    {
        return Err("it has an empty segment; write text or a placeholder on both sides of every `.` and `::`".into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literal_keys_and_templates_are_accepted() {
        for (key, names) in [
            ("temperature", vec![]),
            ("accuracy::vienna", vec![]),
            ("mac.aa:bb", vec![]),
            ("temperature.{station}", vec!["station"]),
            ("{site}::{room}.temp", vec!["site", "room"]),
            ("sensor-{id}.temp", vec!["id"]),
            ("{type}", vec!["type"]),
            ("{größe}", vec!["größe"]),
            ("{_x1}", vec!["_x1"]),
            ("two words.{a}", vec!["a"]),
        ] {
            assert_eq!(check(key), Ok(()), "{key}");
            assert_eq!(placeholders(key), names, "{key}");
        }
    }

    #[test]
    fn a_mistake_says_which_rule_it_breaks() {
        for (key, reason) in [
            ("", "must not be empty"),
            ("a..b", "empty segment"),
            (".a", "empty segment"),
            ("a::", "empty segment"),
            ("{a}..{b}", "empty segment"),
            ("a:::b", "ambiguous"),
            ("a\nb", "control character '\\n'"),
            ("a.*", "`*` has a meaning"),
            ("#", "`#` has a meaning"),
            ("a.{b", "never closed"),
            ("a.b}", "no `{` before"),
            ("{{a}}", "inside a placeholder"),
            ("a.{}", "has no name"),
            ("a.{ }", "has no name"),
            ("a.{ b }", "write `{b}`"),
            ("a.{self}", "cannot name an argument"),
            ("a.{_}", "cannot name an argument"),
            ("a.{r#type}", "write `{type}`"),
            ("a.{b:?}", "write `{b}`"),
            ("a.{:?}", "write `{station}`"),
            ("a.{0}", "is a number"),
            ("a.{b-c}", "not an identifier"),
            ("a.{1b}", "not an identifier"),
            ("a.{\"}", "not an identifier"),
            ("a.{b.c}", "not an identifier"),
            ("{a}{b}", "write `{a}.{b}`"),
            ("{a}.{a}", "appears twice"),
        ] {
            let message = check(key).unwrap_err();
            assert!(message.contains(reason), "{key:?}: {message}");
        }
    }

    #[test]
    fn the_placeholders_of_a_refused_key_are_told_as_far_as_possible() {
        assert_eq!(placeholders("a..{b}.{0}.{c}.{b}.{d"), ["b", "c"]);
    }
}
