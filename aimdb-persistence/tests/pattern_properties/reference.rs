//! The grammar of patterns, written down as directly as it can be. Exponential, and meant to be.

/// A piece of a key or pattern.
#[derive(Clone, PartialEq)]
enum Piece {
    Segment(String),
    Separator(&'static str),
    /// In an expanded pattern: either separator.
    AnySeparator,
}

/// Cuts at the separators, unless a segment is empty or three colons leave it open where to cut.
fn pieces(text: &str) -> Option<Vec<Piece>> {
    if text.contains(":::") {
        return None;
    }
    let mut pieces = Vec::new();
    for part in text.split("::") {
        for segment in part.split('.') {
            if segment.is_empty() {
                return None;
            }
            pieces.push(Piece::Segment(segment.to_owned()));
            pieces.push(Piece::Separator("."));
        }
        pieces.pop();
        pieces.push(Piece::Separator("::"));
    }
    pieces.pop();
    Some(pieces)
}

/// A key is made of non-empty segments and has no control character, wildcard or brace in it.
pub(crate) fn is_key(text: &str) -> bool {
    let is_refused = |c: char| c.is_control() || matches!(c, '*' | '#' | '{' | '}');
    pieces(text).is_some() && !text.chars().any(is_refused)
}

/// Without wildcards any text is a pattern; with them, it is well-formed and a `#` has its segment
/// to itself.
pub(crate) fn is_pattern(text: &str) -> bool {
    let stands_alone = |piece: &Piece| match piece {
        Piece::Segment(segment) => segment == "#" || !segment.contains('#'),
        _ => true,
    };
    !text.contains(['*', '#']) || pieces(text).is_some_and(|p| p.iter().all(stands_alone))
}

/// Whether the pattern, which must be one, selects the key.
pub(crate) fn selects(pattern: &str, key: &str) -> bool {
    if pattern == "*" || pattern == "#" || pattern == key {
        return true;
    }
    if !pattern.contains(['*', '#']) {
        return false;
    }
    match (pieces(pattern), pieces(key)) {
        (Some(pattern), Some(key)) => covers(&pattern, &key),
        _ => false,
    }
}

/// Tries everything that the first `#` can stand for: nothing, together with the separator on one
/// side of it, or `*`, `*` and `*`, … with either separator between them. Without a `#`, piece
/// covers piece.
fn covers(pattern: &[Piece], key: &[Piece]) -> bool {
    let is_hash = |piece: &Piece| *piece == Piece::Segment("#".to_owned());
    let Some(hash) = pattern.iter().position(is_hash) else {
        let pairs = pattern.iter().zip(key);
        return pattern.len() == key.len() && pairs.into_iter().all(|(p, k)| covers_piece(p, k));
    };
    let (before, after) = (&pattern[..hash], &pattern[hash + 1..]);
    let nothing = match (before.split_last(), after.split_first()) {
        (None, None) => covers(&[], key),
        (None, Some((_, after))) => covers(after, key),
        (Some((_, before)), None) => covers(before, key),
        (Some((_, shorter)), Some((_, later))) => {
            covers(&[shorter, after].concat(), key) || covers(&[before, later].concat(), key)
        }
    };
    let stars = |count: usize| {
        let star = [Piece::AnySeparator, Piece::Segment("*".to_owned())];
        let mut stars = star.into_iter().cycle().take(2 * count);
        stars.next();
        stars.collect::<Vec<_>>()
    };
    let most = key.len() / 2 + 1;
    nothing || (1..=most).any(|count| covers(&[before, &stars(count), after].concat(), key))
}

fn covers_piece(pattern: &Piece, key: &Piece) -> bool {
    match (pattern, key) {
        (Piece::Segment(glob), Piece::Segment(text)) => {
            let (glob, text): (Vec<_>, Vec<_>) = (glob.chars().collect(), text.chars().collect());
            covers_text(&glob, &text)
        }
        (Piece::AnySeparator, Piece::Separator(_)) => true,
        (Piece::Separator(pattern), Piece::Separator(key)) => pattern == key,
        _ => false,
    }
}

/// A `*` covers the first so many characters, for every so many.
fn covers_text(glob: &[char], text: &[char]) -> bool {
    match glob.split_first() {
        None => text.is_empty(),
        Some(('*', rest)) => (0..=text.len()).any(|covered| covers_text(rest, &text[covered..])),
        Some((c, rest)) => text.first() == Some(c) && covers_text(rest, &text[1..]),
    }
}
