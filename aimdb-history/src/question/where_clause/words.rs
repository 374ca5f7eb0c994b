//! The words of a condition.

use serde_json::{Number, Value};

use crate::question::where_clause::mistake::WhereError;

/// One word, and where it begins.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Word {
    pub(crate) at: usize,
    pub(crate) kind: Kind,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    /// A name, dots included; a keyword if one is expected.
    Name(String),
    /// A name in backquotes, which is never a keyword.
    Quoted(String),
    Value(Value),
    Sign(&'static str),
}

/// The longer first.
const SIGNS: [&str; 14] = [
    "==", "!=", "<>", "<=", ">=", "&&", "||", "=", "<", ">", "!", "(", ")", ",",
];

pub(crate) fn words(text: &str) -> Result<Vec<Word>, WhereError> {
    let mut words = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        }
        let rest = &text[at..];
        let (kind, length) = match first {
            '\'' | '"' | '`' => quoted(text, at, first)?,
            '0'..='9' | '-' | '+' => number(text, at)?,
            _ if is_of_name(first) => name(rest),
            _ => match SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
                Some(sign) => (Kind::Sign(sign), sign.len()),
                None => {
                    let reason = format!("`{first}` means nothing here");
                    return Err(WhereError::new(text, at, reason));
                }
            },
        };
        words.push(Word { at, kind });
        at += length;
    }
    Ok(words)
}

fn is_of_name(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

fn name(rest: &str) -> (Kind, usize) {
    let is_over = |c: char| !is_of_name(c) && !['.', '-'].contains(&c);
    let length = rest.find(is_over).unwrap_or(rest.len());
    (Kind::Name(rest[..length].to_owned()), length)
}

fn number(text: &str, at: usize) -> Result<(Kind, usize), WhereError> {
    let rest = &text[at..];
    let is_over = |c: char| !c.is_ascii_alphanumeric() && !['.', '-', '+', '_'].contains(&c);
    let length = rest.find(is_over).unwrap_or(rest.len());
    let written = rest[..length].trim_start_matches('+');
    let number: Option<Number> = serde_json::from_str(written).ok();
    match number {
        Some(number) => Ok((Kind::Value(Value::Number(number)), length)),
        None => {
            let reason = format!(
                "`{}` is no number; a text stands in quotes",
                &rest[..length]
            );
            Err(WhereError::new(text, at, reason))
        }
    }
}

/// A quote within is doubled, or has a backslash before it.
fn quoted(text: &str, at: usize, quote: char) -> Result<(Kind, usize), WhereError> {
    let mut content = String::new();
    let mut characters = text[at..].char_indices().skip(1).peekable();
    while let Some((_, character)) = characters.next() {
        let next = characters.peek().map(|(_, next)| *next);
        match character {
            '\\' if next.is_some_and(|next| next == quote || next == '\\') => {
                content.extend(characters.next().map(|(_, escaped)| escaped));
            }
            _ if character == quote && next == Some(quote) => {
                content.push(quote);
                characters.next();
            }
            _ if character == quote => {
                let end = characters
                    .peek()
                    .map_or(text.len() - at, |(index, _)| *index);
                let kind = match quote {
                    '`' => Kind::Quoted(content),
                    _ => Kind::Value(Value::String(content)),
                };
                return Ok((kind, end));
            }
            _ => content.push(character),
        }
    }
    let reason = format!("the text that begins here has no end: {quote} is missing");
    Err(WhereError::new(text, at, reason))
}
