//! Columns of whole numbers, in blocks of 128 of which each is read alone.
//!
//! Everything wraps at 64 bits, so that every column comes back whatever way it is written.

mod bits;
mod block;
mod choice;
mod column;
mod cursor;
mod encode;

pub(crate) use self::column::Ints;
pub(crate) use self::cursor::Cursor;
pub(crate) use self::encode::encode;

#[cfg(test)]
mod tests;
