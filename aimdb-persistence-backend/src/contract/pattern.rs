//! Patterns, which select series by their keys.
//!
//! A **pattern** is a key in which
//!
//! - a segment `*` covers exactly one segment, `#` covers zero or more (RabbitMQ topic semantics);
//! - a `*` inside a segment (`temp*`) covers any run of characters within that segment;
//! - a separator matches itself: `a.*` does not match `a::b`. Inside the run that a `#` covers both kinds occur;
//! - `*` alone, and `#` alone, mean every record.
//!
//! Matching is case-sensitive and exact. A `#` that covers nothing takes one of the separators beside it along:
//! `a.#` matches `a`, and `a.#::b` matches both `a.b` and `a::b`.

use std::fmt;

use crate::contract::key::{Segments, Separator, segments};
use crate::contract::quoted::Quoted;

/// Why a text cannot be a pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a record pattern: {reason}", Quoted(.pattern))]
pub struct PatternError {
    pattern: String,
    reason: String,
}

/// A selection of series by key: an exact key, or a key with wildcards. The grammar is the module's.
///
/// ```
/// use aimdb_persistence_backend::Pattern;
///
/// let accuracy = Pattern::parse("accuracy::*")?;
/// assert!(accuracy.matches("accuracy::vienna"));
/// assert!(!accuracy.matches("accuracy::vienna::raw"));
/// # Ok::<(), aimdb_persistence_backend::PatternError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    shape: Shape,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Shape {
    /// This key and no other, however odd it is.
    Exact,
    /// Every record, odd keys included.
    Everything,
    /// Segments with wildcards among them.
    Segments(Vec<(Option<Separator>, Segment)>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    /// This text, in which each `*` covers any run of characters.
    Glob(String),
    /// `*`: exactly one segment.
    One,
    /// `#`: zero or more segments.
    Many,
}

impl Segment {
    fn parse(text: &str) -> Result<Self, &'static str> {
        match text {
            "*" => Ok(Self::One),
            "#" => Ok(Self::Many),
            _ if text.contains('#') => Err("`#` must be a segment of its own"),
            _ => Ok(Self::Glob(text.to_owned())),
        }
    }

    /// Whether it can stand for this one segment of a key.
    fn covers_one(&self, text: &str) -> bool {
        match self {
            Self::Glob(glob) => matches_glob(glob, text),
            Self::One | Self::Many => true,
        }
    }
}

impl Pattern {
    /// Reads a pattern. A text without wildcards is an exact key, and no key is too odd to be asked for.
    ///
    /// # Errors
    /// A text with wildcards must be made of well-formed segments, and `#` must stand alone in its segment.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let shape = match text {
            "*" | "#" => Shape::Everything,
            _ if !text.contains(['*', '#']) => Shape::Exact,
            _ => Shape::Segments(Self::parse_segments(text, text)?),
        };
        Ok(Self {
            text: text.to_owned(),
            shape,
        })
    }

    /// The pattern of this key alone; wildcards in it have no meaning.
    pub fn exact(key: impl Into<String>) -> Self {
        Self {
            text: key.into(),
            shape: Shape::Exact,
        }
    }

    /// The keys that a template such as `temperature.{station}` can produce: each placeholder covers characters
    /// of one segment, never more, also where it is all there is.
    pub fn of_template(template: &str) -> Self {
        let mut text = String::with_capacity(template.len());
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            text.push_str(before);
            text.push('*');
            rest = after.split_once('}').map_or("", |(_, rest)| rest);
        }
        text.push_str(rest);
        let shape = match Self::parse_segments(&text, &text) {
            Ok(_) if !text.contains('*') => Shape::Exact,
            Ok(segments) => Shape::Segments(segments),
            // Templates are checked at compile time; one that slipped through selects nothing but itself.
            Err(_) => Shape::Exact,
        };
        Self { text, shape }
    }

    fn parse_segments(
        text: &str,
        whole: &str,
    ) -> Result<Vec<(Option<Separator>, Segment)>, PatternError> {
        let refuse = |reason: &str| PatternError {
            pattern: whole.to_owned(),
            reason: reason.to_owned(),
        };
        let mut parsed = Vec::new();
        for segment in segments(text) {
            let (separator, text) = segment.map_err(refuse)?;
            let segment = Segment::parse(text).map_err(refuse)?;
            if segment != Segment::Many || says_more(&parsed, separator) {
                parsed.push((separator, segment));
            }
        }
        Ok(parsed)
    }

    /// How many segments it has. Matching takes at most so many steps for each segment of a key.
    pub fn segments(&self) -> usize {
        match &self.shape {
            Shape::Exact | Shape::Everything => 1,
            Shape::Segments(segments) => segments.len(),
        }
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The one key it selects, if it has no wildcards.
    pub fn exact_key(&self) -> Option<&str> {
        matches!(self.shape, Shape::Exact).then_some(self.text.as_str())
    }

    /// Whether `key` is selected.
    ///
    /// Keys that are not well-formed are selected by their exact name and by the patterns for everything only.
    pub fn matches(&self, key: &str) -> bool {
        match &self.shape {
            Shape::Exact => self.text == key,
            Shape::Everything => true,
            Shape::Segments(pattern) => {
                self.text == key || matches_segments(pattern, segments(key))
            }
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Whether one more `#` behind this separator selects any more than the pattern so far. Behind three of them it does not,
/// where their separators are the same.
fn says_more(pattern: &[(Option<Separator>, Segment)], separator: Option<Separator>) -> bool {
    let Some(last) = pattern.len().checked_sub(3).map(|start| &pattern[start..]) else {
        return true;
    };
    let all_many = last.iter().all(|(_, segment)| *segment == Segment::Many);
    !all_many || last[1..].iter().any(|(own, _)| *own != separator)
}

fn matches_segments(pattern: &[(Option<Separator>, Segment)], key: Segments<'_>) -> bool {
    if pattern.iter().any(|(_, segment)| *segment == Segment::Many) {
        let key: Result<Vec<_>, _> = key.collect();
        return key.is_ok_and(|key| matches_runs(pattern, &key));
    }
    let mut pattern = pattern.iter();
    // Whatever is malformed in the key comes before its end is reached.
    let each_matches = key.into_iter().all(|segment| {
        segment.is_ok_and(|(separator, text)| {
            pattern.next().is_some_and(|(expected, segment)| {
                *expected == separator && segment.covers_one(text)
            })
        })
    });
    each_matches && pattern.next().is_none()
}

/// Marks a position in the key as reachable, beside the [`Separator`] bits.
const REACHABLE: u8 = 4;

/// Dynamic programming over (pattern segment, key segment): linear in the product, whatever the wildcards.
///
/// `reach[j]` says whether the pattern so far can cover the first `j` segments of the key, and with which
/// separators it may then go on.
fn matches_runs(
    pattern: &[(Option<Separator>, Segment)],
    key: &[(Option<Separator>, &str)],
) -> bool {
    let mut reach = vec![0u8; key.len() + 1];
    reach[0] = REACHABLE;
    for (i, (_, segment)) in pattern.iter().enumerate() {
        let following = pattern
            .get(i + 1)
            .and_then(|(separator, _)| *separator)
            .map_or(0, |s| s as u8);
        let mut next = vec![0u8; key.len() + 1];
        let mut inside_run = false;
        let many = *segment == Segment::Many;
        for (j, state) in reach.iter().enumerate() {
            if many && state & REACHABLE != 0 {
                next[j] |= state | following;
            }
            let Some((separator, text)) = key.get(j) else {
                break;
            };
            let may_start =
                state & REACHABLE != 0 && separator.is_none_or(|s| state & s as u8 != 0);
            inside_run |= many && may_start;
            if inside_run || may_start && segment.covers_one(text) {
                next[j + 1] |= REACHABLE | following;
            }
        }
        reach = next;
    }
    reach[key.len()] & REACHABLE != 0
}

/// Greedy matching that returns to the last `*` on a mismatch: the classic two-pointer form, on bytes. UTF-8 makes
/// that exact, since no character's encoding contains another's.
fn matches_glob(glob: &str, text: &str) -> bool {
    let (glob, text) = (glob.as_bytes(), text.as_bytes());
    let (mut g, mut t) = (0, 0);
    let mut star = None;
    while t < text.len() {
        match glob.get(g) {
            Some(b'*') => {
                star = Some((g + 1, t));
                g += 1;
            }
            Some(byte) if *byte == text[t] => {
                g += 1;
                t += 1;
            }
            _ => {
                let Some((after_star, covered_to)) = star else {
                    return false;
                };
                star = Some((after_star, covered_to + 1));
                (g, t) = (after_star, covered_to + 1);
            }
        }
    }
    glob[g..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests;
