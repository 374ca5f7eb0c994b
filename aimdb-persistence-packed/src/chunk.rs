//! A chunk: rows in, bytes out, and the other way around.

mod fill;
mod open;
mod pack;

pub use self::fill::{Filled, Filling};
pub use self::open::Chunk;
pub(crate) use self::open::version;
pub use self::pack::{MOST_ROWS, Packed, RowIn, pack};
