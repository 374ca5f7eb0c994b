//! One block: what is left of up to 128 numbers once their pattern is taken out, in as few bits as hold them.

use std::ops::Range;

use crate::bytes::{Input, put_signed};
use crate::error::PackedError;
use crate::ints::bits::{BLOCK, pack, packed_length, unpack, width_of};

/// How the numbers of a block follow from bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Each exceeds the base by so much.
    Above,
    /// The same, where some need more bits than most.
    AbovePatched,
    /// Each lies around the base, on either side; some need more bits than most.
    AroundPatched,
}

const FORMS: [Form; 3] = [Form::Above, Form::AbovePatched, Form::AroundPatched];

/// How a block is written: the cheapest of its forms.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    form: Form,
    base: i64,
    width: u32,
    exceptions: usize,
    exception_width: u32,
    /// What it takes, header included.
    pub(crate) bits: usize,
}

fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

/// The number in the middle, which outliers do not move.
fn median(values: &[i64]) -> i64 {
    let mut room = [0; BLOCK];
    let count = values.len().min(BLOCK);
    room[..count].copy_from_slice(&values[..count]);
    *room[..count].select_nth_unstable(count / 2).1
}

impl Plan {
    /// Finds the cheapest form. `values` are at most a block.
    pub(crate) fn of(values: &[i64]) -> Self {
        let (mut least, mut greatest) = (i64::MAX, i64::MIN);
        for value in values {
            least = least.min(*value);
            greatest = greatest.max(*value);
        }
        if values.is_empty() {
            (least, greatest) = (0, 0);
        }
        let width = width_of(greatest.wrapping_sub(least) as u64);
        let mut best = Self {
            form: Form::Above,
            base: least,
            width,
            exceptions: 0,
            exception_width: 0,
            bits: 16 + values.len() * width as usize,
        };
        if width > 2 {
            let above = values.iter().map(|value| value.wrapping_sub(least) as u64);
            best.patched(Form::AbovePatched, least, values.len(), above);
            let middle = median(values);
            let around = values
                .iter()
                .map(|value| zigzag(value.wrapping_sub(middle)));
            best.patched(Form::AroundPatched, middle, values.len(), around);
        }
        best
    }

    /// Takes a form with exceptions instead, if it is cheaper.
    fn patched(&mut self, form: Form, base: i64, count: usize, values: impl Iterator<Item = u64>) {
        let mut of_width = [0_usize; 65];
        for value in values {
            of_width[width_of(value) as usize] += 1;
        }
        let widest = of_width.iter().rposition(|count| *count > 0).unwrap_or(0);
        let mut exceptions = 0;
        for width in (0..widest).rev() {
            exceptions += of_width[width + 1];
            let more = widest - width;
            let bits = 32 + count * width + exceptions * (8 + more);
            if bits < self.bits {
                *self = Self {
                    form,
                    base,
                    width: width as u32,
                    exceptions,
                    exception_width: more as u32,
                    bits,
                };
            }
        }
    }

    /// Writes what is needed to read the block; bases are written as what they exceed the one before by.
    pub(crate) fn put_header(&self, out: &mut Vec<u8>, base_before: i64) -> i64 {
        out.push(self.width as u8 * 3 + self.form as u8);
        put_signed(out, self.base.wrapping_sub(base_before));
        if self.form != Form::Above {
            out.extend([self.exceptions as u8, self.exception_width as u8]);
        }
        self.base
    }

    pub(crate) fn put_values(&self, out: &mut Vec<u8>, values: &[i64]) {
        let bits = |value: &i64| match self.form {
            Form::AroundPatched => zigzag(value.wrapping_sub(self.base)),
            Form::Above | Form::AbovePatched => value.wrapping_sub(self.base) as u64,
        };
        pack(out, values.iter().map(bits), self.width);
        if self.form == Form::Above {
            return;
        }
        let is_exception = |value: &&i64| width_of(bits(value)) > self.width;
        let places = (0_u8..).zip(values.iter());
        out.extend(
            places
                .filter(|(_, value)| is_exception(value))
                .map(|(place, _)| place),
        );
        let exceptions = values.iter().filter(is_exception);
        pack(
            out,
            exceptions.map(|value| bits(value) >> self.width),
            self.exception_width,
        );
    }
}

/// A block's header, as it is read.
#[derive(Debug, Clone)]
pub(crate) struct Block {
    form: Form,
    base: i64,
    width: u32,
    exceptions: usize,
    exception_width: u32,
    bytes: Range<usize>,
}

impl Block {
    pub(crate) fn read_header(
        input: &mut Input<'_>,
        base_before: i64,
    ) -> Result<Self, PackedError> {
        let first = input.byte()?;
        let (width, form) = (u32::from(first / 3), FORMS[usize::from(first % 3)]);
        let base = base_before.wrapping_add(input.signed()?);
        let (exceptions, exception_width) = match form {
            Form::Above => (0, 0),
            _ => (usize::from(input.byte()?), u32::from(input.byte()?)),
        };
        if width + exception_width > 64 || exceptions > BLOCK {
            return Err(PackedError::Damaged("a block's numbers have too many bits"));
        }
        Ok(Self {
            form,
            base,
            width,
            exceptions,
            exception_width,
            bytes: 0..0,
        })
    }

    pub(crate) fn base(&self) -> i64 {
        self.base
    }

    /// Takes note of where the bits of its `count` numbers lie.
    pub(crate) fn read_place(
        &mut self,
        input: &mut Input<'_>,
        count: usize,
    ) -> Result<(), PackedError> {
        let exceptions = self.exceptions + packed_length(self.exceptions, self.exception_width);
        self.bytes = input.range(packed_length(count, self.width) + exceptions)?;
        Ok(())
    }

    /// Fills `out` with the block's numbers.
    pub(crate) fn read(&self, chunk: &[u8], out: &mut [i64]) -> Result<(), PackedError> {
        let mut bits = [0; BLOCK];
        let bits = &mut bits[..out.len().min(BLOCK)];
        let mut input = Input::new(
            chunk.get(..self.bytes.end).ok_or(PackedError::Cut)?,
            self.bytes.start,
        );
        unpack(
            input.take(packed_length(bits.len(), self.width))?,
            self.width,
            bits,
        );
        if self.exceptions > 0 {
            let places = input.take(self.exceptions)?;
            let mut high = [0; BLOCK];
            let high = &mut high[..self.exceptions];
            let length = packed_length(self.exceptions, self.exception_width);
            unpack(input.take(length)?, self.exception_width, high);
            for (place, high) in places.iter().zip(high) {
                let place = bits.get_mut(usize::from(*place));
                *place.ok_or(PackedError::Damaged("an exception lies beyond its block"))? |=
                    high.checked_shl(self.width).unwrap_or(0);
            }
        }
        let base = self.base;
        match self.form {
            Form::AroundPatched => {
                for (out, bits) in out.iter_mut().zip(bits) {
                    *out = base.wrapping_add(unzigzag(*bits));
                }
            }
            Form::Above | Form::AbovePatched => {
                for (out, bits) in out.iter_mut().zip(bits) {
                    *out = base.wrapping_add(*bits as i64);
                }
            }
        }
        Ok(())
    }
}
