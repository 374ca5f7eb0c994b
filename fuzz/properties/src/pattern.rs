//! Patterns select what the grammar, written down naively, says.

#[path = "../../../aimdb-persistence/tests/pattern_properties/reference.rs"]
mod reference;

use aimdb_persistence::Pattern;
use aimdb_persistence::backend::validate_key;

/// What patterns and keys are made of, so that they often meet. Other text is met too, but selects nothing.
const PIECES: [&str; 16] = [
    ".", ".", "::", "a", "b", "ab", "é", "*", "*", "#", "#", ":", "{", "}", "\n", "a*",
];

/// The reference tries everything: with more pieces it would take for ever.
const MOST_PIECES: usize = 12;

/// A pattern and a key: whether they are well-formed, and whether they meet.
pub fn holds(bytes: &[u8]) {
    let Some((pattern, key)) = crate::input::<(Vec<u8>, Vec<u8>)>(bytes) else {
        return;
    };
    let (pattern, key) = (text(&pattern), text(&key));
    assert_eq!(
        validate_key(&key).is_ok(),
        reference::is_key(&key),
        "{key:?}"
    );
    let parsed = Pattern::parse(&pattern);
    assert_eq!(
        parsed.is_ok(),
        reference::is_pattern(&pattern),
        "{pattern:?}"
    );
    if let Ok(parsed) = parsed {
        let expected = reference::selects(&pattern, &key);
        assert_eq!(parsed.matches(&key), expected, "{pattern:?} on {key:?}");
        assert!(parsed.matches(&pattern), "a pattern selects its own text");
        assert_eq!(parsed.as_str(), pattern);
    }
}

/// Any bytes as text: each a piece.
fn text(bytes: &[u8]) -> String {
    let pieces = bytes.iter().take(MOST_PIECES);
    pieces
        .map(|byte| PIECES[usize::from(*byte) % PIECES.len()])
        .collect()
}

/// No text, however odd or long, makes the grammar panic or keeps it busy.
pub fn ends(bytes: &[u8]) {
    let Some((pattern, key)) = crate::input::<(String, String)>(bytes) else {
        return;
    };
    if let Ok(parsed) = Pattern::parse(&pattern) {
        parsed.matches(&key);
    }
    if let Err(error) = validate_key(&key) {
        assert_eq!(error.key(), key);
        assert!(!error.to_string().is_empty());
    }
}
