//! Numbers as JSON writes them, in forms that come back digit by digit.

mod decimal;
mod float;
mod number;
mod written;

pub(crate) use self::decimal::{MOST_PLACES, put_decimal, put_integer, put_unsigned_integer};
pub(crate) use self::float::{from_sortable, put_float, to_sortable};
pub use self::number::{Decimal, Number};
pub(crate) use self::written::{Written, as_float, read_number, with_places};
