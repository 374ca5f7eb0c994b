//! Columns of texts.

mod column;
mod encode;
mod hex;
mod instant;
mod pool;

pub(crate) use self::column::{TextReader, Texts};
pub(crate) use self::encode::{TextList, encode};
pub(crate) use self::pool::MOST_TEXT;

#[cfg(test)]
mod tests;
