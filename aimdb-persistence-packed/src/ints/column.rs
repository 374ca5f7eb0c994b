//! A column of whole numbers as it is read.

use crate::bytes::Input;
use crate::error::PackedError;
use crate::ints::bits::BLOCK;
use crate::ints::choice::{Anchored, Pattern};

/// The first byte of a column.
pub(crate) mod mode {
    pub(crate) const CONSTANT: u8 = 0;
    pub(crate) const ARITHMETIC: u8 = 1;
    pub(crate) const LEVEL: u8 = 2;
    pub(crate) const SLOPE: u8 = 3;
    pub(crate) const DELTA: u8 = 4;
    pub(crate) const DELTA_OF_DELTA: u8 = 5;
    pub(crate) const DICTIONARY: u8 = 6;
    pub(crate) const RUNS: u8 = 7;
    pub(crate) const SCALED: u8 = 8;
    pub(crate) const TIMES: u8 = 9;
}

/// Columns lie in columns no deeper than this.
pub(crate) const MOST_DEPTH: usize = 4;

/// No dictionary has more numbers.
pub(crate) const MOST_DISTINCT: usize = 256;

/// How an event time is counted, beside `stored_at` in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Seconds,
    Milliseconds,
    Microseconds,
    Nanoseconds,
}

impl Unit {
    pub(crate) const ALL: [Self; 4] = [
        Self::Seconds,
        Self::Milliseconds,
        Self::Microseconds,
        Self::Nanoseconds,
    ];

    /// A time in milliseconds, in this unit.
    pub(crate) fn of(self, stored_at: i64) -> i64 {
        match self {
            Self::Seconds => (stored_at as u64 / 1_000) as i64,
            Self::Milliseconds => stored_at,
            Self::Microseconds => stored_at.wrapping_mul(1_000),
            Self::Nanoseconds => stored_at.wrapping_mul(1_000_000),
        }
    }
}

/// A column: where its numbers lie, and how they are read.
#[derive(Debug, Clone)]
pub(crate) struct Ints {
    count: usize,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    Constant(i64),
    Arithmetic {
        start: i64,
        step: i64,
    },
    Blocks {
        pattern: Pattern,
        blocks: Vec<Anchored>,
    },
    Dictionary {
        values: Vec<i64>,
        codes: Box<Ints>,
    },
    /// Up to which number each value goes.
    Runs {
        ends: Vec<usize>,
        values: Vec<i64>,
    },
    Scaled {
        factor: i64,
        offset: i64,
        inner: Box<Ints>,
    },
    Times {
        unit: Unit,
        beside: Box<Ints>,
    },
}

impl Ints {
    /// Reads the headers of a column of `count` numbers. What is in `input` behind it is left there.
    pub(crate) fn read(
        input: &mut Input<'_>,
        chunk: &[u8],
        count: usize,
    ) -> Result<Self, PackedError> {
        Self::read_within(input, chunk, count, 0)
    }

    fn read_within(
        input: &mut Input<'_>,
        chunk: &[u8],
        count: usize,
        depth: usize,
    ) -> Result<Self, PackedError> {
        if count == 0 {
            let kind = Kind::Constant(0);
            return Ok(Self { count, kind });
        }
        if depth > MOST_DEPTH {
            return Err(PackedError::Damaged("columns lie too deep in each other"));
        }
        let mode = input.byte()?;
        let inner =
            |input: &mut Input<'_>, count| Self::read_within(input, chunk, count, depth + 1);
        let kind = match mode {
            mode::CONSTANT => Kind::Constant(input.signed()?),
            mode::ARITHMETIC => Kind::Arithmetic {
                start: input.signed()?,
                step: input.signed()?,
            },
            mode::LEVEL => Self::blocks(input, Pattern::Line(0), count)?,
            mode::SLOPE => {
                let slope = input.signed()?;
                Self::blocks(input, Pattern::Line(slope), count)?
            }
            mode::DELTA => Self::blocks(input, Pattern::Delta, count)?,
            mode::DELTA_OF_DELTA => Self::blocks(input, Pattern::DeltaOfDelta, count)?,
            mode::DICTIONARY => {
                let distinct = input.count(MOST_DISTINCT)?;
                let values = inner(input, distinct)?.all(chunk, None)?;
                let codes = Box::new(inner(input, count)?);
                Kind::Dictionary { values, codes }
            }
            mode::RUNS => {
                let runs = input.count(count)?;
                let lengths = inner(input, runs)?.all(chunk, None)?;
                let values = inner(input, runs)?.all(chunk, None)?;
                let ends = ends(&lengths, count)?;
                Kind::Runs { ends, values }
            }
            mode::SCALED => Kind::Scaled {
                factor: input.signed()?,
                offset: input.signed()?,
                inner: Box::new(inner(input, count)?),
            },
            mode::TIMES => {
                let unit = Unit::ALL.get(usize::from(input.byte()?));
                let unit = *unit.ok_or(PackedError::Damaged("there is no such unit of time"))?;
                let beside = Box::new(inner(input, count)?);
                Kind::Times { unit, beside }
            }
            _ => return Err(PackedError::Damaged("there is no such form of a column")),
        };
        Ok(Self { count, kind })
    }

    fn blocks(input: &mut Input<'_>, pattern: Pattern, count: usize) -> Result<Kind, PackedError> {
        let blocks = Anchored::read_all(input, pattern, count)?;
        Ok(Kind::Blocks { pattern, blocks })
    }

    /// How many numbers there are.
    #[inline]
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// The number that all are, where the column says so.
    pub(crate) fn constant(&self) -> Option<i64> {
        match self.kind {
            Kind::Constant(value) => Some(value),
            _ => None,
        }
    }

    /// All numbers. `times` is the column of the rows' times, where this one may follow it.
    pub(crate) fn all(&self, chunk: &[u8], times: Option<&Self>) -> Result<Vec<i64>, PackedError> {
        let mut values = Vec::with_capacity(self.count);
        let mut block = [0; BLOCK];
        for index in 0..self.count.div_ceil(BLOCK) {
            let read = self.read_block(chunk, times, index, &mut block)?;
            values.extend_from_slice(&block[..read]);
        }
        Ok(values)
    }

    /// Reads one block; how many numbers it has.
    pub(crate) fn read_block(
        &self,
        chunk: &[u8],
        times: Option<&Self>,
        index: usize,
        out: &mut [i64; BLOCK],
    ) -> Result<usize, PackedError> {
        let first = index.saturating_mul(BLOCK);
        let count = self.count.saturating_sub(first).min(BLOCK);
        let out_of_place = PackedError::Damaged("a column ends too early");
        if count == 0 {
            return Err(out_of_place);
        }
        match &self.kind {
            Kind::Constant(value) => out[..count].fill(*value),
            Kind::Arithmetic { start, step } => {
                let mut value = start.wrapping_add(step.wrapping_mul(first as i64));
                for out in &mut out[..count] {
                    *out = value;
                    value = value.wrapping_add(*step);
                }
            }
            Kind::Blocks { pattern, blocks } => {
                let block = blocks.get(index).ok_or(out_of_place)?;
                block.read(chunk, *pattern, first, &mut out[..count])?;
            }
            Kind::Dictionary { values, codes } => {
                codes.read_block(chunk, None, index, out)?;
                for out in &mut out[..count] {
                    let value = usize::try_from(*out).ok().and_then(|code| values.get(code));
                    *out = *value.ok_or(PackedError::Damaged("a dictionary lacks a number"))?;
                }
            }
            Kind::Runs { ends, values } => {
                let mut run = ends.partition_point(|end| *end <= first);
                for (place, out) in (first..).zip(&mut out[..count]) {
                    while ends.get(run).is_some_and(|end| *end <= place) {
                        run += 1;
                    }
                    *out = *values.get(run).ok_or(out_of_place)?;
                }
            }
            Kind::Scaled {
                factor,
                offset,
                inner,
            } => {
                inner.read_block(chunk, None, index, out)?;
                for out in &mut out[..count] {
                    *out = offset.wrapping_add(out.wrapping_mul(*factor));
                }
            }
            Kind::Times { unit, beside } => {
                let mut stored_at = [0; BLOCK];
                let times = times.filter(|times| times.count == self.count);
                let times = times.ok_or(PackedError::Damaged("a column follows no times"))?;
                times.read_block(chunk, None, index, &mut stored_at)?;
                beside.read_block(chunk, None, index, out)?;
                for (out, stored_at) in out[..count].iter_mut().zip(stored_at) {
                    *out = out.wrapping_add(unit.of(stored_at));
                }
            }
        }
        Ok(count)
    }
}

/// Up to which number each run goes: together they must go to `count`.
fn ends(lengths: &[i64], count: usize) -> Result<Vec<usize>, PackedError> {
    let mut end = 0_usize;
    let mut ends = Vec::with_capacity(lengths.len());
    for length in lengths {
        let length = usize::try_from(*length).unwrap_or(usize::MAX);
        end = end.saturating_add(length);
        ends.push(end);
    }
    match end == count {
        true => Ok(ends),
        false => Err(PackedError::Damaged(
            "runs are longer or shorter than their column",
        )),
    }
}
