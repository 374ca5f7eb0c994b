//! A column of texts as it is read.

use crate::bytes::Input;
use crate::error::PackedError;
use crate::ints::{Cursor, Ints};
use crate::texts::encode::form;
use crate::texts::hex::Hex;
use crate::texts::instant::{Instant, MOST_DIGITS, SUFFIXES, put_instant};
use crate::texts::pool::{OpenPool, Pool};

/// A column: where its texts lie, and how they are read.
#[derive(Debug, Clone)]
pub(crate) enum Texts {
    Empty,
    Plain(Pool),
    Dictionary {
        pool: Pool,
        codes: Ints,
    },
    Instants {
        suffix: &'static str,
        most: u32,
        digits: Ints,
        units: Ints,
    },
    Hex {
        count: usize,
        hex: Hex,
    },
}

impl Texts {
    /// Reads the headers of a column of `count` texts.
    pub(crate) fn read(
        input: &mut Input<'_>,
        chunk: &[u8],
        count: usize,
    ) -> Result<Self, PackedError> {
        if count == 0 {
            return Ok(Self::Empty);
        }
        match input.byte()? {
            form::PLAIN => Pool::read(input, chunk, count).map(Self::Plain),
            form::DICTIONARY => {
                let distinct = input.count(count)?;
                Ok(Self::Dictionary {
                    pool: Pool::read(input, chunk, distinct)?,
                    codes: Ints::read(input, chunk, count)?,
                })
            }
            form::INSTANTS => {
                let suffix = SUFFIXES.get(usize::from(input.byte()?));
                let suffix = suffix.ok_or(PackedError::Damaged("there is no such time zone"))?;
                let most = u32::from(input.byte()?);
                if most > MOST_DIGITS {
                    return Err(PackedError::Damaged("a time has too many digits"));
                }
                Ok(Self::Instants {
                    suffix,
                    most,
                    digits: Ints::read(input, chunk, count)?,
                    units: Ints::read(input, chunk, count)?,
                })
            }
            form::HEX => {
                let hex = Hex::read(input, count)?;
                Ok(Self::Hex { count, hex })
            }
            _ => Err(PackedError::Damaged("there is no such form of texts")),
        }
    }
}

/// Takes texts out of a column.
#[derive(Debug, Clone)]
pub(crate) struct TextReader {
    pool: Option<OpenPool>,
    numbers: Cursor,
    digits: Cursor,
}

impl TextReader {
    pub(crate) fn new() -> Self {
        Self {
            pool: None,
            numbers: Cursor::new(),
            digits: Cursor::new(),
        }
    }

    /// Appends text `index`.
    pub(crate) fn put(
        &mut self,
        texts: &Texts,
        chunk: &[u8],
        times: Option<&Ints>,
        index: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), PackedError> {
        let too_early = PackedError::Damaged("a column of texts ends too early");
        match texts {
            Texts::Empty => return Err(too_early),
            Texts::Plain(pool) => {
                let text = self.open(pool, chunk)?.get(index);
                out.extend_from_slice(text.ok_or(too_early)?.as_bytes());
            }
            Texts::Dictionary { pool, codes } => {
                let code = self.numbers.get(codes, chunk, None, index)?;
                let text = usize::try_from(code).ok();
                let pool = self.open(pool, chunk)?;
                let text = text.and_then(|code| pool.get(code)).ok_or(too_early)?;
                out.extend_from_slice(text.as_bytes());
            }
            Texts::Instants {
                suffix,
                most,
                digits,
                units,
            } => {
                let units = self.numbers.get(units, chunk, times, index)?;
                let digits = self.digits.get(digits, chunk, None, index)?;
                let digits = u32::try_from(digits).ok().filter(|digits| digits <= most);
                let digits = digits.ok_or(PackedError::Damaged("a time has too many digits"))?;
                let units = units.div_euclid(10_i64.pow(most - digits));
                put_instant(out, Instant { units, digits }, suffix);
            }
            Texts::Hex { count, hex } => match index < *count {
                true => hex.put(chunk, index, out)?,
                false => return Err(too_early),
            },
        }
        Ok(())
    }

    fn open(&mut self, pool: &Pool, chunk: &[u8]) -> Result<&OpenPool, PackedError> {
        if self.pool.is_none() {
            self.pool = Some(pool.open(chunk)?);
        }
        self.pool.as_ref().ok_or(PackedError::Cut)
    }
}
