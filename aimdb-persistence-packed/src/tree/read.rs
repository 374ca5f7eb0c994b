//! Reading the headers of the tree. It is walked once, and what it may ask for is bounded.

use crate::bytes::Input;
use crate::error::PackedError;
use crate::ints::Ints;
use crate::numbers::MOST_PLACES;
use crate::texts::Texts;
use crate::tree::kind::Kind;
use crate::tree::node::{Decimals, Kinds, Node, PLACES_VARY, Places};

/// Places lie in each other no deeper than this; the parser ends earlier.
const MOST_DEPTH: usize = 48;

/// So many values of all places are read at most, whatever a chunk says. The shredder ends earlier.
const MOST_VALUES: usize = 4 << 20;

/// What a chunk may still ask for.
pub(crate) struct Budget {
    values: usize,
    elements: usize,
}

impl Budget {
    /// Of a chunk with so many bytes of JSON: every element of a list takes one of them.
    pub(crate) fn new(text_bytes: usize) -> Self {
        Self {
            values: MOST_VALUES,
            elements: text_bytes,
        }
    }

    fn take_values(&mut self, count: usize) -> Result<(), PackedError> {
        let left = self.values.checked_sub(count);
        self.values = left.ok_or(PackedError::Damaged("it says that it has too many values"))?;
        Ok(())
    }

    fn take_elements(&mut self, input: &mut Input<'_>) -> Result<usize, PackedError> {
        let count = input.count(self.elements)?;
        self.elements -= count;
        Ok(count)
    }
}

impl Node {
    /// Reads a place of `count` values; nothing may be left behind it.
    pub(crate) fn read(
        mut input: Input<'_>,
        chunk: &[u8],
        count: usize,
        depth: usize,
        budget: &mut Budget,
    ) -> Result<Self, PackedError> {
        if depth > MOST_DEPTH {
            return Err(PackedError::Damaged("places lie too deep in each other"));
        }
        budget.take_values(count)?;
        let (kinds, counts) = read_kinds(&mut input, chunk, count)?;
        let count_of = |kind: Kind| counts[kind.code()];
        let ints = |kind: Kind, input: &mut Input<'_>| match count_of(kind) {
            0 => Ok(None),
            count => ints(input.part()?, chunk, count).map(Some),
        };
        let integers = ints(Kind::Integer, &mut input)?;
        let unsigned = ints(Kind::Unsigned, &mut input)?;
        let decimals = match count_of(Kind::Decimal) {
            0 => None,
            count => Some(Decimals::read(input.part()?, chunk, count)?),
        };
        let floats = ints(Kind::Float, &mut input)?;
        let mut texts = |kind: Kind| match count_of(kind) {
            0 => Ok(None),
            count => {
                let mut part = input.part()?;
                let texts = Texts::read(&mut part, chunk, count)?;
                part.end().map(|()| Some(texts))
            }
        };
        let (texts, raws) = (texts(Kind::Text)?, texts(Kind::Raw)?);
        let mut node = Self {
            count,
            kinds,
            integers,
            unsigned,
            decimals,
            floats,
            texts,
            raws,
            elements: Vec::new(),
            lengths: None,
            listed: None,
            members: Vec::new(),
        };
        node.read_inner(&mut input, chunk, &counts, depth, budget)?;
        input.end().map(|()| node)
    }

    fn read_inner(
        &mut self,
        input: &mut Input<'_>,
        chunk: &[u8],
        counts: &[usize],
        depth: usize,
        budget: &mut Budget,
    ) -> Result<(), PackedError> {
        let arrays = counts[Kind::Array.code()];
        if arrays > 0 {
            let mut part = input.part()?;
            for _ in 0..part.count(part.left())? {
                let element = Self::read(part.part()?, chunk, arrays, depth + 1, budget)?;
                self.elements.push(element);
            }
            part.end()?;
        }
        let lists = counts[Kind::List.code()];
        if lists > 0 {
            let mut part = input.part()?;
            self.lengths = Some(Ints::read(&mut part, chunk, lists)?);
            let count = budget.take_elements(&mut part)?;
            self.listed = Some(Box::new(Self::read(part, chunk, count, depth + 1, budget)?));
        }
        let objects = counts[Kind::Object.code()];
        if objects > 0 {
            let mut part = input.part()?;
            for _ in 0..part.count(part.left())? {
                let mut name = part.part()?;
                let name = name.take(name.left())?.to_vec();
                let name = String::from_utf8(name);
                let name = name.map_err(|_| PackedError::Damaged("a name is not UTF-8"))?;
                let member = Self::read(part.part()?, chunk, objects, depth + 1, budget)?;
                self.members.push((name, member));
            }
            part.end()?;
        }
        Ok(())
    }
}

/// The kinds of a place, and how many values are of each.
fn read_kinds(
    input: &mut Input<'_>,
    chunk: &[u8],
    count: usize,
) -> Result<(Kinds, [usize; Kind::ALL.len()]), PackedError> {
    let mask = input.unsigned()?;
    if mask >> Kind::ALL.len() != 0 {
        return Err(PackedError::Damaged("there is no such kind of value"));
    }
    let present = Kind::ALL.iter().filter(|kind| mask >> kind.code() & 1 == 1);
    let present: Vec<_> = present.copied().collect();
    let mut counts = [0; Kind::ALL.len()];
    let Some((first, others)) = present.split_first() else {
        return match count {
            0 => Ok((Kinds::One(Kind::Missing), counts)),
            _ => Err(PackedError::Damaged("values are of no kind")),
        };
    };
    let mut left = count;
    for kind in others {
        let of_kind = input.count(left)?;
        counts[kind.code()] = of_kind;
        left -= of_kind;
    }
    counts[first.code()] = left;
    let kinds = match others.is_empty() {
        true => Kinds::One(*first),
        false => Kinds::Several {
            codes: ints(input.part()?, chunk, count)?,
            present,
        },
    };
    Ok((kinds, counts))
}

fn ints(mut part: Input<'_>, chunk: &[u8], count: usize) -> Result<Ints, PackedError> {
    let ints = Ints::read(&mut part, chunk, count)?;
    part.end().map(|()| ints)
}

impl Decimals {
    fn read(mut part: Input<'_>, chunk: &[u8], count: usize) -> Result<Self, PackedError> {
        let places = match part.byte()? {
            PLACES_VARY => Places::Each(Ints::read(&mut part, chunk, count)?),
            places if u32::from(places) <= MOST_PLACES => Places::Same(places.into()),
            _ => return Err(PackedError::Damaged("a decimal has too many places")),
        };
        let digits = Ints::read(&mut part, chunk, count)?;
        part.end()?;
        Ok(Self { digits, places })
    }
}
