//! Rows and columns of an open chunk.

mod column;
mod place;
mod reader;
mod value;

pub use self::column::Column;
pub use self::reader::Reader;
pub use self::value::Value;
