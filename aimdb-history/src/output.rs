//! What is printed: tables, JSON, CSV and progress.

pub(crate) mod cell;
pub(crate) mod printer;
pub(crate) mod progress;

pub use self::cell::Cell;
pub use self::printer::{Column, Format, Printer};
pub use self::progress::Progress;
