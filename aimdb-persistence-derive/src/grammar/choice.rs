//! `keep = "last"`, `on_duplicate = "replace"`: one of a few words.

use crate::grammar::did_you_mean::meant;

/// The meaning of a word.
///
/// # Errors
/// Says which words there are.
fn choose<T: Copy>(setting: &str, choices: &[(&'static str, T)], text: &str) -> Result<T, String> {
    if let Some((_, meaning)) = choices.iter().find(|(word, _)| *word == text) {
        return Ok(*meaning);
    }
    let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
    let advice = match meant(text.trim(), &words) {
        Some(word) => format!("write `{setting} = \"{word}\"`"),
        None => {
            let quoted: Vec<_> = words.iter().map(|word| format!("`\"{word}\"`")).collect();
            format!("it is one of {}", quoted.join(", "))
        }
    };
    Err(format!(
        "`{}` is not a value of `{setting}`: {advice}",
        text.escape_debug()
    ))
}

/// Which value of an interval is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    First,
    Last,
}

/// What becomes of a second row of the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnDuplicate {
    Keep,
    Replace,
    Ignore,
}

/// Reads which value of an interval is stored.
///
/// # Errors
/// Says what to write instead.
pub(crate) fn parse_keep(text: &str) -> Result<Keep, String> {
    choose(
        "keep",
        &[("first", Keep::First), ("last", Keep::Last)],
        text,
    )
}

/// Reads what becomes of a second row of the same time.
///
/// # Errors
/// Says what to write instead.
pub(crate) fn parse_on_duplicate(text: &str) -> Result<OnDuplicate, String> {
    let choices = [
        ("keep", OnDuplicate::Keep),
        ("replace", OnDuplicate::Replace),
        ("ignore", OnDuplicate::Ignore),
    ];
    choose("on_duplicate", &choices, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_has_its_meaning_and_another_is_told_which_there_are() {
        let choose = |text| choose("keep", &[("first", 1), ("last", 2)], text);
        assert_eq!(choose("last"), Ok(2));
        for (text, advice) in [
            ("Last", "write `keep = \"last\"`"),
            ("frist", "write `keep = \"first\"`"),
            ("newest", "write `keep = \"last\"`"),
            ("", "one of `\"first\"`, `\"last\"`"),
            ("median", "one of `\"first\"`, `\"last\"`"),
        ] {
            let message = choose(text).unwrap_err();
            assert!(message.contains(advice), "{text:?}: {message}");
        }
    }
}
