//! Patterns that a column of blocks can follow, and what each of them costs.

use crate::bytes::{Input, put_signed};
use crate::error::PackedError;
use crate::ints::bits::BLOCK;
use crate::ints::block::{Block, Plan};

/// What is taken out of the numbers before they are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pattern {
    /// A straight line of this slope: nothing, where it is 0.
    Line(i64),
    /// Each number holds what the one before does.
    Delta,
    /// Each grows as the one before did.
    DeltaOfDelta,
}

impl Pattern {
    /// So many numbers of a block are written in its header.
    pub(crate) fn anchors(self) -> usize {
        match self {
            Self::Line(_) => 0,
            Self::Delta => 1,
            Self::DeltaOfDelta => 2,
        }
    }

    /// What is left of a block that begins with number `first`. Its anchors are left out.
    fn take_out(self, first: usize, values: &[i64], left: &mut Vec<i64>) {
        left.clear();
        match self {
            Self::Line(slope) => {
                let mut line = slope.wrapping_mul(first as i64);
                left.extend(values.iter().map(|value| {
                    let above = value.wrapping_sub(line);
                    line = line.wrapping_add(slope);
                    above
                }));
            }
            Self::Delta => left.extend(values.windows(2).map(|pair| pair[1].wrapping_sub(pair[0]))),
            Self::DeltaOfDelta => left.extend(values.windows(3).map(|three| {
                let (one, other) = (
                    three[1].wrapping_sub(three[0]),
                    three[2].wrapping_sub(three[1]),
                );
                other.wrapping_sub(one)
            })),
        }
    }

    /// The reverse: `out` holds what is left, behind room for the anchors.
    pub(crate) fn put_back(self, first: usize, anchors: [i64; 2], out: &mut [i64]) {
        match self {
            Self::Line(0) => {}
            Self::Line(slope) => {
                let mut line = slope.wrapping_mul(first as i64);
                for value in out {
                    *value = value.wrapping_add(line);
                    line = line.wrapping_add(slope);
                }
            }
            Self::Delta => {
                let mut value = anchors[0];
                for (index, out) in out.iter_mut().enumerate() {
                    if index > 0 {
                        value = value.wrapping_add(*out);
                    }
                    *out = value;
                }
            }
            Self::DeltaOfDelta => {
                let (mut value, mut delta) = (anchors[0], anchors[1]);
                for (index, out) in out.iter_mut().enumerate() {
                    if index > 1 {
                        delta = delta.wrapping_add(*out);
                    }
                    if index > 0 {
                        value = value.wrapping_add(delta);
                    }
                    *out = value;
                }
            }
        }
    }

    /// What a column takes by this pattern, in bits.
    pub(crate) fn cost(self, values: &[i64]) -> usize {
        let mut left = Vec::with_capacity(BLOCK);
        let mut bits = 8;
        for (index, block) in values.chunks(BLOCK).enumerate() {
            self.take_out(index * BLOCK, block, &mut left);
            bits += Plan::of(&left).bits + self.anchors() * 16;
        }
        bits
    }

    /// Writes the headers of all blocks, and then their numbers.
    pub(crate) fn put_blocks(self, out: &mut Vec<u8>, values: &[i64]) {
        let mut left = Vec::with_capacity(BLOCK);
        let mut numbers = Vec::new();
        let mut before = Before::default();
        for (index, block) in values.chunks(BLOCK).enumerate() {
            if self.anchors() > 0 {
                put_signed(out, block[0].wrapping_sub(before.anchors[0]));
                before.anchors[0] = block[0];
            }
            if self.anchors() > 1 {
                let delta = block
                    .get(1)
                    .map_or(0, |second| second.wrapping_sub(block[0]));
                put_signed(out, delta.wrapping_sub(before.anchors[1]));
                before.anchors[1] = delta;
            }
            self.take_out(index * BLOCK, block, &mut left);
            let plan = Plan::of(&left);
            before.base = plan.put_header(out, before.base);
            plan.put_values(&mut numbers, &left);
        }
        out.extend(numbers);
    }
}

/// What the headers of the next block are told from.
#[derive(Default)]
struct Before {
    anchors: [i64; 2],
    base: i64,
}

/// A block and the numbers in its header.
#[derive(Debug, Clone)]
pub(crate) struct Anchored {
    anchors: [i64; 2],
    block: Block,
}

impl Anchored {
    /// The headers of a column of `count` numbers.
    pub(crate) fn read_all(
        input: &mut Input<'_>,
        pattern: Pattern,
        count: usize,
    ) -> Result<Vec<Self>, PackedError> {
        let mut before = Before::default();
        let mut blocks = Vec::new();
        for _ in 0..count.div_ceil(BLOCK) {
            for anchor in &mut before.anchors[..pattern.anchors()] {
                *anchor = anchor.wrapping_add(input.signed()?);
            }
            let block = Block::read_header(input, before.base)?;
            before.base = block.base();
            blocks.push(Self {
                anchors: before.anchors,
                block,
            });
        }
        for (index, anchored) in blocks.iter_mut().enumerate() {
            let length = (count - index * BLOCK).min(BLOCK);
            let written = length.saturating_sub(pattern.anchors());
            anchored.block.read_place(input, written)?;
        }
        Ok(blocks)
    }

    /// Fills `out` with the numbers of the block that begins with number `first`.
    pub(crate) fn read(
        &self,
        chunk: &[u8],
        pattern: Pattern,
        first: usize,
        out: &mut [i64],
    ) -> Result<(), PackedError> {
        let behind = pattern.anchors().min(out.len());
        self.block.read(chunk, &mut out[behind..])?;
        pattern.put_back(first, self.anchors, out);
        Ok(())
    }
}
