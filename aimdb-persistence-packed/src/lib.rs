#![doc = include_str!("../README.md")]

mod bytes;
mod chunk;
mod error;
mod ints;
mod numbers;
mod read;
mod shred;
pub mod statistics;
mod texts;
mod tree;

pub use crate::chunk::{Chunk, Filled, Filling, MOST_ROWS, Packed, RowIn, pack};
pub use crate::error::{PackError, PackedError};
pub use crate::numbers::{Decimal, Number};
pub use crate::read::{Column, Reader, Value};
