//! Bytes in and out: numbers of any length, and parts that say how long they are.

mod checksum;
mod input;
mod output;

pub(crate) use self::checksum::{begin, open, seal};
pub(crate) use self::input::Input;
pub(crate) use self::output::{put_part, put_signed, put_unsigned, put_wide};
