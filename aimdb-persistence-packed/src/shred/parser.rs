//! Reading JSON as it is usually written. What is written in another way is kept as its text.

use crate::numbers::read_number;
use crate::shred::item::{Item, What};

/// Arrays and objects in each other beyond this are kept as text.
pub(crate) const MOST_DEPTH: usize = 24;

/// Reads one text after the other; its list of items is used again.
#[derive(Debug, Default)]
pub(crate) struct Parser {
    items: Vec<Item>,
}

impl Parser {
    /// The items of a text. The first one is the value.
    pub(crate) fn parse(&mut self, text: &str) -> &[Item] {
        self.items.clear();
        let mut reading = Reading {
            text: text.as_bytes(),
            at: 0,
            items: &mut self.items,
        };
        let is_read = reading.value(0).is_some() && reading.at == text.len();
        if !is_read {
            self.items.clear();
            self.items.push(raw(0, text.len(), 1));
        }
        &self.items
    }
}

fn raw(start: usize, end: usize, next: usize) -> Item {
    Item {
        what: What::Raw,
        start,
        end,
        next,
    }
}

struct Reading<'t, 'i> {
    text: &'t [u8],
    at: usize,
    items: &'i mut Vec<Item>,
}

impl Reading<'_, '_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn push(&mut self, what: What, start: usize, end: usize) {
        let next = self.items.len() + 1;
        self.items.push(Item {
            what,
            start,
            end,
            next,
        });
    }

    /// A value; `None` where the text is no JSON.
    fn value(&mut self, depth: usize) -> Option<()> {
        let start = self.at;
        match self.peek()? {
            b'"' => {
                let (start, end) = self.string()?;
                self.push(What::Text, start, end);
            }
            b'{' | b'[' => self.nested(depth)?,
            b't' => self.word(b"true", What::True)?,
            b'f' => self.word(b"false", What::False)?,
            b'n' => self.word(b"null", What::Null)?,
            _ => {
                let (number, length) = read_number(&self.text[start..])?;
                self.at += length;
                let what = match number {
                    crate::numbers::Written::Raw => What::Raw,
                    number => What::Number(number),
                };
                self.push(what, start, self.at);
            }
        }
        Some(())
    }

    fn word(&mut self, word: &[u8], what: What) -> Option<()> {
        let start = self.at;
        self.text[start..].starts_with(word).then_some(())?;
        self.at += word.len();
        self.push(what, start, self.at);
        Some(())
    }

    /// An object or array; as its text, if it lies too deep or is not written as usual.
    fn nested(&mut self, depth: usize) -> Option<()> {
        let (start, first) = (self.at, self.items.len());
        let is_object = self.peek() == Some(b'{');
        self.push(What::Raw, start, start);
        let count = match depth < MOST_DEPTH {
            true => self.inner(is_object, depth),
            false => None,
        };
        let what = match (count, is_object) {
            (Some(count), true) => What::Object(count),
            (Some(count), false) => What::Array(count),
            (None, _) => {
                self.items.truncate(first + 1);
                self.at = start;
                self.pass_over()?;
                What::Raw
            }
        };
        self.items[first] = Item {
            what,
            start,
            end: self.at,
            next: self.items.len(),
        };
        Some(())
    }

    /// The members or elements; how many there are.
    fn inner(&mut self, is_object: bool, depth: usize) -> Option<usize> {
        let close = if is_object { b'}' } else { b']' };
        self.at += 1;
        let mut count = 0;
        if self.peek()? == close {
            self.at += 1;
            return Some(count);
        }
        loop {
            if is_object {
                self.name()?;
            }
            self.value(depth + 1)?;
            count += 1;
            let next = self.peek()?;
            self.at += 1;
            match next {
                b',' => {}
                next if next == close => return Some(count),
                _ => return None,
            }
        }
    }

    /// The name of a member and its colon. With escapes, one name can be written in several ways.
    fn name(&mut self) -> Option<()> {
        if self.peek()? != b'"' {
            return None;
        }
        let (start, end) = self.string()?;
        let is_plain = !self.text[start..end].contains(&b'\\') && self.peek()? == b':';
        self.at += 1;
        self.push(What::Name, start, end);
        is_plain.then_some(())
    }

    /// Where the text between the quotes begins and ends.
    fn string(&mut self) -> Option<(usize, usize)> {
        let start = self.at + 1;
        self.at = start;
        loop {
            match self.peek()? {
                b'"' => break,
                b'\\' => {
                    self.at += 1;
                    match self.peek()? {
                        b'u' => {
                            let digits = self.text.get(self.at + 1..self.at + 5)?;
                            digits.iter().all(u8::is_ascii_hexdigit).then_some(())?;
                            self.at += 5;
                        }
                        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => self.at += 1,
                        _ => return None,
                    }
                }
                ..=0x1f => return None,
                _ => self.at += 1,
            }
        }
        let end = self.at;
        self.at += 1;
        Some((start, end))
    }

    /// Goes over an object or array, however it is written and however deep it is.
    fn pass_over(&mut self) -> Option<()> {
        let mut depth = 0_usize;
        loop {
            match self.peek()? {
                b'"' => {
                    self.string()?;
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return Some(());
            }
        }
    }
}
