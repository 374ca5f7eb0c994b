//! Where a remote answer was cut, as a text that a client sends back in place of a name.
//!
//! AimX passes a name, a limit and a range to a history, and nothing else. So the name of the next question carries the
//! whole of the first one. No pattern begins like it, since no key holds a brace.

use aimdb_persistence_backend::{Cursor, PersistenceError, QueryParams};

const MARK: &str = "{go on}";
const BETWEEN: char = '|';
const BEFORE_LEFT: char = '~';

/// A text of a client's may be so long.
pub(crate) const LONGEST: usize = 64 * 1024;

/// A question that was answered in part.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Place {
    pub(crate) pattern: String,
    pub(crate) params: QueryParams,
    /// Series up to this name were begun.
    pub(crate) after: Option<String>,
    /// Series that were begun, and that have more.
    pub(crate) open: Vec<Open>,
}

/// A series that has more.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Open {
    pub(crate) cursor: Cursor,
    /// How many more of its rows were asked for.
    pub(crate) left: Option<usize>,
}

impl Open {
    fn text(&self) -> String {
        let cursor = escaped(&self.cursor.to_string());
        format!("{BETWEEN}{cursor}{BEFORE_LEFT}{}", of_number(self.left))
    }

    /// How long it makes the text of a place.
    pub(crate) fn text_bytes(&self) -> usize {
        self.text().len()
    }
}

impl Place {
    /// Nothing was answered yet.
    pub(crate) fn beginning(pattern: &str, params: QueryParams) -> Self {
        Self {
            pattern: pattern.to_owned(),
            params,
            after: None,
            open: Vec::new(),
        }
    }

    /// The place that a client names; `None` if it names a pattern.
    ///
    /// # Errors
    /// If the text was damaged on its way.
    pub(crate) fn of_name(name: &str) -> Result<Option<Self>, PersistenceError> {
        let Some(text) = name.strip_prefix(MARK) else {
            return Ok(None);
        };
        let place = Self::parsed(text).filter(|_| text.len() <= LONGEST);
        let place = place.ok_or_else(|| PersistenceError::InvalidQuery {
            reason: "the cursor is not one of this history, or not all of it: ask again without it"
                .to_owned(),
        })?;
        Ok(Some(place))
    }

    fn parsed(text: &str) -> Option<Self> {
        let mut fields = text.split(BETWEEN);
        let pattern = unescaped(fields.next()?)?;
        let start_time = number(fields.next()?)?;
        let end_time = number(fields.next()?)?;
        let limit_per_record = number(fields.next()?)?;
        let after = match fields.next()?.split_once('=') {
            Some(("", name)) => Some(unescaped(name)?),
            Some(_) => return None,
            None => None,
        };
        let open = |field: &str| {
            let (cursor, left) = field.split_once(BEFORE_LEFT)?;
            Some(Open {
                cursor: unescaped(cursor)?.parse().ok()?,
                left: number(left)?,
            })
        };
        Some(Self {
            pattern,
            params: QueryParams {
                limit_per_record,
                start_time,
                end_time,
            },
            after,
            open: fields.map(open).collect::<Option<_>>()?,
        })
    }

    pub(crate) fn text(&self) -> String {
        let QueryParams {
            limit_per_record,
            start_time,
            end_time,
        } = self.params;
        let after = self.after.as_deref().map(escaped);
        let fields = [
            escaped(&self.pattern),
            of_number(start_time),
            of_number(end_time),
            of_number(limit_per_record),
            after.map_or(String::new(), |name| format!("={name}")),
        ];
        let mut text = MARK.to_owned() + &fields.join(&BETWEEN.to_string());
        self.open.iter().for_each(|open| text += &open.text());
        text
    }
}

fn of_number(number: Option<impl ToString>) -> String {
    number.map_or(String::new(), |number| number.to_string())
}

fn number<N: std::str::FromStr>(text: &str) -> Option<Option<N>> {
    match text {
        "" => Some(None),
        text => text.parse().ok().map(Some),
    }
}

/// Without what parts fields, and what JSON would escape.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '%' | '"' | '\\' | BETWEEN | BEFORE_LEFT | '\0'..='\x1f' => {
                escaped += &format!("%{:02x}", u32::from(c));
            }
            c => escaped.push(c),
        }
    }
    escaped
}

fn unescaped(text: &str) -> Option<String> {
    let mut pieces = text.split('%');
    let mut unescaped = pieces.next()?.to_owned();
    for piece in pieces {
        let (digits, rest) = piece.split_at_checked(2)?;
        let code = u32::from_str_radix(digits, 16).ok().filter(|c| *c < 128);
        unescaped.push(char::from_u32(code?)?);
        unescaped += rest;
    }
    Some(unescaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> Place {
        Place {
            pattern: "a.#".to_owned(),
            params: QueryParams {
                limit_per_record: None,
                start_time: Some(0),
                end_time: Some(u64::MAX),
            },
            after: Some("odd|~%\"\\\n=name".to_owned()),
            open: vec![
                Open {
                    cursor: Cursor::new("a|b%", &[1, 2][..]),
                    left: Some(7),
                },
                Open {
                    cursor: Cursor::new("東京", &[][..]),
                    left: None,
                },
            ],
        }
    }

    #[test]
    fn a_place_comes_back_from_its_text_which_json_leaves_as_it_is() {
        for place in [place(), Place::beginning("#", QueryParams::default())] {
            let text = place.text();
            assert_eq!(serde_json::to_string(&text).unwrap(), format!("\"{text}\""));
            assert_eq!(Place::of_name(&text).unwrap(), Some(place));
        }
        assert_eq!(Place::of_name("temperature.*").unwrap(), None);
    }

    #[test]
    fn a_text_that_is_cut_or_changed_is_another_place_or_an_error_and_no_panic() {
        let text = place().text();
        for (end, _) in text.char_indices().skip(MARK.len()) {
            let _ = Place::of_name(&text[..end]);
            let mut changed = text.clone();
            changed.remove(end);
            let _ = Place::of_name(&changed);
        }
        for damaged in [
            "{go on}",
            "{go on}a|x|||",
            "{go on}a||||=b|nothing~1",
            "{go on}%zz||||",
        ] {
            assert!(Place::of_name(damaged).is_err(), "{damaged}");
        }
    }
}
