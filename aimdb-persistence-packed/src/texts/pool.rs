//! Texts one behind the other, compressed where that makes them shorter.

use std::ops::Range;

use miniz_oxide::deflate::compress_to_vec;
use miniz_oxide::inflate::decompress_to_vec_with_limit;

use crate::bytes::{Input, put_part, put_unsigned};
use crate::error::PackedError;
use crate::ints::{self, Ints};

/// No chunk holds more text, and no column of one.
pub(crate) const MOST_TEXT: usize = 1 << 20;

/// Below that nothing is gained.
const LEAST_TO_COMPRESS: usize = 32;

/// The level that ends where more effort gains hardly anything.
const LEVEL: u8 = 6;

pub(crate) fn put_pool<'a>(out: &mut Vec<u8>, texts: impl Iterator<Item = &'a str> + Clone) {
    let lengths: Vec<_> = texts.clone().map(|text| text.len() as i64).collect();
    ints::encode(out, &lengths, None);
    let joined: String = texts.collect();
    put_compressed(out, joined.as_bytes());
}

/// How long it is, and then what it becomes.
pub(crate) fn put_compressed(out: &mut Vec<u8>, bytes: &[u8]) {
    put_unsigned(out, bytes.len() as u64);
    let compressed = match bytes.len() < LEAST_TO_COMPRESS {
        true => None,
        false => Some(compress_to_vec(bytes, LEVEL)),
    };
    let shorter = compressed.filter(|compressed| compressed.len() < bytes.len());
    out.push(u8::from(shorter.is_some()));
    put_part(out, |out| {
        out.extend_from_slice(shorter.as_deref().unwrap_or(bytes))
    });
}

/// Where compressed bytes lie.
#[derive(Debug, Clone)]
pub(crate) struct Compressed {
    length: usize,
    is_compressed: bool,
    range: Range<usize>,
}

impl Compressed {
    pub(crate) fn read(input: &mut Input<'_>) -> Result<Self, PackedError> {
        let length = input.count(MOST_TEXT)?;
        let is_compressed = match input.byte()? {
            0 => false,
            1 => true,
            _ => return Err(PackedError::Damaged("there is no such compression")),
        };
        let mut part = input.part()?;
        let range = part.range(part.left())?;
        Ok(Self {
            length,
            is_compressed,
            range,
        })
    }

    pub(crate) fn bytes(&self, chunk: &[u8]) -> Result<Vec<u8>, PackedError> {
        let bytes = chunk.get(self.range.clone()).ok_or(PackedError::Cut)?;
        let bytes = match self.is_compressed {
            true => decompress_to_vec_with_limit(bytes, self.length)
                .map_err(|_| PackedError::Damaged("compressed texts cannot be read"))?,
            false => bytes.to_vec(),
        };
        match bytes.len() == self.length {
            true => Ok(bytes),
            false => Err(PackedError::Damaged(
                "texts are longer or shorter than they say",
            )),
        }
    }
}

/// Where a pool lies.
#[derive(Debug, Clone)]
pub(crate) struct Pool {
    lengths: Ints,
    texts: Compressed,
}

impl Pool {
    pub(crate) fn read(
        input: &mut Input<'_>,
        chunk: &[u8],
        count: usize,
    ) -> Result<Self, PackedError> {
        Ok(Self {
            lengths: Ints::read(input, chunk, count)?,
            texts: Compressed::read(input)?,
        })
    }

    pub(crate) fn open(&self, chunk: &[u8]) -> Result<OpenPool, PackedError> {
        let text = String::from_utf8(self.texts.bytes(chunk)?);
        let text = text.map_err(|_| PackedError::Damaged("a text is not UTF-8"))?;
        let mut end = 0_usize;
        let mut ends = Vec::new();
        for length in self.lengths.all(chunk, None)? {
            end = usize::try_from(length)
                .unwrap_or(usize::MAX)
                .saturating_add(end);
            if !text.is_char_boundary(end) {
                return Err(PackedError::Damaged(
                    "a text ends within a character, or beyond all texts",
                ));
            }
            ends.push(end);
        }
        match end == text.len() {
            true => Ok(OpenPool { text, ends }),
            false => Err(PackedError::Damaged("texts are left over")),
        }
    }
}

/// A pool whose texts can be taken.
#[derive(Debug, Clone)]
pub(crate) struct OpenPool {
    text: String,
    ends: Vec<usize>,
}

impl OpenPool {
    pub(crate) fn get(&self, index: usize) -> Option<&str> {
        let end = *self.ends.get(index)?;
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.text.get(start..end)
    }
}
