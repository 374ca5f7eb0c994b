//! Values to JSON text that decodes again, and a few places of a text without decoding all of it.

mod projection;
mod readable;
mod scalar;
mod text;

pub use aimdb_persistence_packed::{Decimal, Number};

pub use self::projection::{Projection, emptied};
pub use self::readable::check;
pub use self::scalar::Scalar;
pub use self::text::{decode, write};
