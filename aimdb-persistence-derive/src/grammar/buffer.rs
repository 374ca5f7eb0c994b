//! `buffer = "ring(4096)"`: the buffer that `register` gives a record.

use crate::grammar::did_you_mean::nearest;

/// A buffer as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Buffer {
    /// So many values. 32 bits, because a ring is allocated when the record is registered.
    Ring(u32),
    Latest,
}

const ADVICE: &str = "write `\"ring(1024)\"` for a ring of so many values, or `\"latest\"`";

/// Reads a buffer.
///
/// # Errors
/// Says what to write instead.
pub(crate) fn parse(text: &str) -> Result<Buffer, String> {
    let refuse = |reason: &str| {
        Err(format!(
            "`{}` is not a buffer: {reason}",
            text.escape_debug()
        ))
    };
    let (kind, capacity) = match text.strip_suffix(')').and_then(|text| text.split_once('(')) {
        Some((kind, capacity)) => (kind, Some(capacity)),
        None => (text, None),
    };
    match (kind, capacity) {
        ("latest", None) => Ok(Buffer::Latest),
        ("latest", Some(_)) => refuse("it holds one value; write `\"latest\"`, without a number"),
        ("ring", Some(capacity)) => parse_capacity(capacity).or_else(|reason| refuse(&reason)),
        ("ring", None) => refuse("how many values does it hold? Write `\"ring(1024)\"`"),
        _ => Err(refuse_kind(text)),
    }
}

/// The message about a buffer whose kind is unknown, or known and of no use for records.
fn refuse_kind(text: &str) -> String {
    if text.is_empty() {
        return format!("a buffer must not be empty; {ADVICE}");
    }
    let kind = text.split('(').next().unwrap_or(text).trim();
    if kind.eq_ignore_ascii_case("mailbox") {
        return format!(
            "a recorded type cannot use a {kind}: a mailbox hands each value to one reader, so the recorder would \
             take it from the application; {ADVICE}"
        );
    }
    let advice = match nearest(kind, &["ring", "latest"]) {
        Some("ring") => "did you mean `\"ring(1024)\"`?",
        Some(_) => "did you mean `\"latest\"`?",
        None => ADVICE,
    };
    format!("`{}` is not a buffer: {advice}", text.escape_debug())
}

fn parse_capacity(capacity: &str) -> Result<Buffer, String> {
    let is_number = !capacity.is_empty() && capacity.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number {
        return Err("a ring's capacity is a whole number in digits; write `\"ring(1024)\"`".into());
    }
    match capacity.parse() {
        Ok(0) => Err("a ring of no values would lose them all; write `\"ring(1024)\"`".into()),
        Ok(capacity) => Ok(Buffer::Ring(capacity)),
        Err(_) => Err(format!(
            "a ring holds at most {} values; write `\"ring(1024)\"`",
            u32::MAX
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_is_a_ring_of_so_many_values_or_the_latest() {
        assert_eq!(parse("ring(4096)"), Ok(Buffer::Ring(4096)));
        assert_eq!(parse("ring(1)"), Ok(Buffer::Ring(1)));
        assert_eq!(parse("latest"), Ok(Buffer::Latest));
    }

    #[test]
    fn a_mistake_says_what_to_write() {
        for (text, advice) in [
            ("", "write `\"ring(1024)\"` for a ring"),
            ("ring", "how many values"),
            ("ring()", "whole number"),
            ("ring(0)", "lose them all"),
            ("ring(-1)", "whole number"),
            ("ring(4_096)", "in digits"),
            ("ring(4k)", "in digits"),
            ("ring(4294967296)", "at most 4294967295"),
            ("ring(99999999999999999999)", "at most"),
            ("ring(4096", "did you mean `\"ring"),
            ("rign(4096)", "did you mean `\"ring(1024)\"`?"),
            ("Latest", "did you mean `\"latest\"`?"),
            ("latest(1)", "without a number"),
            ("queue", "write `\"ring(1024)\"` for a ring"),
            ("mailbox", "hands each value to one reader"),
            ("Mailbox(1)", "hands each value to one reader"),
        ] {
            let message = parse(text).unwrap_err();
            assert!(message.contains(advice), "{text:?}: {message}");
        }
    }
}
