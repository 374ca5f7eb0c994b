//! Reads the values of one place, and what lies within them.

use crate::chunk::Chunk;
use crate::error::PackedError;
use crate::ints::{Cursor, Ints};
use crate::numbers::{from_sortable, put_decimal, put_float, put_integer, put_unsigned_integer};
use crate::texts::{TextReader, Texts};
use crate::tree::{Kind, Kinds, Node, Places};

/// A place whose blocks are decoded as they are needed.
#[derive(Debug)]
pub(crate) struct Place<'c> {
    chunk: &'c Chunk,
    node: &'c Node,
    /// Where there are several kinds: what each value is, and its number among those of its kind.
    kinds: Option<Vec<(Kind, u32)>>,
    numbers: Cursor,
    unsigned: Cursor,
    decimals: Cursor,
    places: Cursor,
    floats: Cursor,
    texts: TextReader,
    raws: TextReader,
    /// Where each list begins among the elements of all, and where the last one ends.
    starts: Option<Vec<usize>>,
    elements: Vec<Place<'c>>,
    listed: Option<Box<Place<'c>>>,
    members: Vec<Place<'c>>,
}

const TOO_EARLY: PackedError = PackedError::Damaged("a place ends too early");

impl<'c> Place<'c> {
    /// The place and all within it.
    pub(crate) fn new(chunk: &'c Chunk, node: &'c Node) -> Self {
        let within = |node| Place::new(chunk, node);
        Self {
            elements: node.elements.iter().map(within).collect(),
            listed: node.listed.as_deref().map(within).map(Box::new),
            members: node.members.iter().map(|(_, node)| within(node)).collect(),
            ..Self::alone(chunk, node)
        }
    }

    /// Only the place itself.
    pub(crate) fn alone(chunk: &'c Chunk, node: &'c Node) -> Self {
        Self {
            chunk,
            node,
            kinds: None,
            numbers: Cursor::new(),
            unsigned: Cursor::new(),
            decimals: Cursor::new(),
            places: Cursor::new(),
            floats: Cursor::new(),
            texts: TextReader::new(),
            raws: TextReader::new(),
            starts: None,
            elements: Vec::new(),
            listed: None,
            members: Vec::new(),
        }
    }

    /// Whether all values are of this kind.
    pub(crate) fn is_only(&self, wanted: Kind) -> bool {
        matches!(self.node.kinds, Kinds::One(kind) if kind == wanted)
    }

    /// What value `index` is, and its number among those of its kind.
    #[inline]
    pub(crate) fn kind(&mut self, index: usize) -> Result<(Kind, usize), PackedError> {
        match &self.node.kinds {
            Kinds::One(kind) if index < self.node.count => Ok((*kind, index)),
            Kinds::One(_) => Err(TOO_EARLY),
            Kinds::Several { present, codes } => {
                if self.kinds.is_none() {
                    self.kinds = Some(ranked(present, &codes.all(&self.chunk.bytes, None)?)?);
                }
                let found = self.kinds.as_ref().and_then(|kinds| kinds.get(index));
                found
                    .map(|(kind, rank)| (*kind, *rank as usize))
                    .ok_or(TOO_EARLY)
            }
        }
    }

    #[inline]
    pub(crate) fn integer(&mut self, rank: usize) -> Result<i64, PackedError> {
        get(&mut self.numbers, &self.node.integers, self.chunk, rank)
    }

    pub(crate) fn unsigned(&mut self, rank: usize) -> Result<u64, PackedError> {
        let value = get(&mut self.unsigned, &self.node.unsigned, self.chunk, rank)?;
        Ok(value as u64)
    }

    /// The digits, and how many of them are decimal places.
    #[inline]
    pub(crate) fn decimal(&mut self, rank: usize) -> Result<(i64, u32), PackedError> {
        let decimals = self.node.decimals.as_ref().ok_or(TOO_EARLY)?;
        let (bytes, times) = (&self.chunk.bytes, Some(&self.chunk.times));
        let digits = self.decimals.get(&decimals.digits, bytes, times, rank)?;
        let places = match &decimals.places {
            Places::Same(places) => *places,
            Places::Each(places) => {
                let places = self.places.get(places, bytes, None, rank)?;
                let places = u32::try_from(places).ok();
                let places = places.filter(|places| *places <= crate::numbers::MOST_PLACES);
                places.ok_or(PackedError::Damaged("a decimal has too many places"))?
            }
        };
        Ok((digits, places))
    }

    #[inline]
    pub(crate) fn float(&mut self, rank: usize) -> Result<f64, PackedError> {
        let bits = get(&mut self.floats, &self.node.floats, self.chunk, rank)?;
        Ok(from_sortable(bits))
    }

    /// Appends a text as it stands between its quotes.
    pub(crate) fn put_text(&mut self, rank: usize, out: &mut Vec<u8>) -> Result<(), PackedError> {
        put(&mut self.texts, &self.node.texts, self.chunk, rank, out)
    }

    pub(crate) fn put_raw(&mut self, rank: usize, out: &mut Vec<u8>) -> Result<(), PackedError> {
        put(&mut self.raws, &self.node.raws, self.chunk, rank, out)
    }

    /// Appends the JSON of value `index`: whether there is one.
    pub(crate) fn put(&mut self, index: usize, out: &mut Vec<u8>) -> Result<bool, PackedError> {
        let (kind, rank) = self.kind(index)?;
        self.put_kind(kind, rank, out)
    }

    fn put_present(&mut self, index: usize, out: &mut Vec<u8>) -> Result<(), PackedError> {
        match self.put(index, out)? {
            true => Ok(()),
            false => Err(PackedError::Damaged("an array lacks an element")),
        }
    }

    fn put_kind(
        &mut self,
        kind: Kind,
        rank: usize,
        out: &mut Vec<u8>,
    ) -> Result<bool, PackedError> {
        match kind {
            Kind::Missing => return Ok(false),
            Kind::Null => out.extend_from_slice(b"null"),
            Kind::False => out.extend_from_slice(b"false"),
            Kind::True => out.extend_from_slice(b"true"),
            Kind::Integer => put_integer(out, self.integer(rank)?),
            Kind::Unsigned => put_unsigned_integer(out, self.unsigned(rank)?),
            Kind::Decimal => {
                let (digits, places) = self.decimal(rank)?;
                put_decimal(out, digits, places);
            }
            Kind::Float => put_float(out, self.float(rank)?),
            Kind::Text => {
                out.push(b'"');
                self.put_text(rank, out)?;
                out.push(b'"');
            }
            Kind::Raw => self.put_raw(rank, out)?,
            Kind::Array => self.put_array(rank, out)?,
            Kind::List => self.put_list(rank, out)?,
            Kind::Object => self.put_object(rank, out)?,
        }
        match out.len() > self.chunk.longest {
            true => Err(PackedError::Damaged("a row is longer than the longest one")),
            false => Ok(true),
        }
    }

    fn put_array(&mut self, rank: usize, out: &mut Vec<u8>) -> Result<(), PackedError> {
        out.push(b'[');
        for (place, element) in self.elements.iter_mut().enumerate() {
            if place > 0 {
                out.push(b',');
            }
            element.put_present(rank, out)?;
        }
        out.push(b']');
        Ok(())
    }

    fn put_list(&mut self, rank: usize, out: &mut Vec<u8>) -> Result<(), PackedError> {
        let (start, end) = self.list(rank)?;
        let listed = self.listed.as_mut().ok_or(TOO_EARLY)?;
        out.push(b'[');
        for index in start..end {
            if index > start {
                out.push(b',');
            }
            listed.put_present(index, out)?;
        }
        out.push(b']');
        Ok(())
    }

    /// Where the elements of a list begin and end.
    fn list(&mut self, rank: usize) -> Result<(usize, usize), PackedError> {
        if self.starts.is_none() {
            let lengths = self.node.lengths.as_ref().ok_or(TOO_EARLY)?;
            let lengths = lengths.all(&self.chunk.bytes, Some(&self.chunk.times))?;
            let mut start = 0_usize;
            let mut starts = vec![0];
            for length in lengths {
                let length = usize::try_from(length).unwrap_or(usize::MAX);
                start = start.saturating_add(length);
                starts.push(start);
            }
            self.starts = Some(starts);
        }
        let starts = self.starts.as_deref().unwrap_or_default();
        match starts.get(rank..).unwrap_or_default() {
            [start, end, ..] => Ok((*start, *end)),
            _ => Err(TOO_EARLY),
        }
    }

    fn put_object(&mut self, rank: usize, out: &mut Vec<u8>) -> Result<(), PackedError> {
        out.push(b'{');
        let mut is_first = true;
        for ((name, _), member) in self.node.members.iter().zip(&mut self.members) {
            let (kind, rank) = member.kind(rank)?;
            if kind == Kind::Missing {
                continue;
            }
            if !is_first {
                out.push(b',');
            }
            is_first = false;
            out.push(b'"');
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b"\":");
            member.put_kind(kind, rank, out)?;
        }
        out.push(b'}');
        Ok(())
    }
}

fn ranked(present: &[Kind], codes: &[i64]) -> Result<Vec<(Kind, u32)>, PackedError> {
    let mut counts = [0; Kind::ALL.len()];
    let ranked = codes.iter().map(|code| {
        let kind = usize::try_from(*code)
            .ok()
            .and_then(|code| present.get(code));
        let kind = *kind.ok_or(PackedError::Damaged("there is no such kind of value"))?;
        let count = &mut counts[kind.code()];
        *count += 1;
        Ok((kind, *count - 1))
    });
    ranked.collect()
}

#[inline]
fn get(
    cursor: &mut Cursor,
    ints: &Option<Ints>,
    chunk: &Chunk,
    rank: usize,
) -> Result<i64, PackedError> {
    let ints = ints.as_ref().ok_or(TOO_EARLY)?;
    cursor.get(ints, &chunk.bytes, Some(&chunk.times), rank)
}

fn put(
    reader: &mut TextReader,
    texts: &Option<Texts>,
    chunk: &Chunk,
    rank: usize,
    out: &mut Vec<u8>,
) -> Result<(), PackedError> {
    let texts = texts.as_ref().ok_or(TOO_EARLY)?;
    reader.put(texts, &chunk.bytes, Some(&chunk.times), rank, out)
}
