//! x
mod bytes;
mod error;
mod ints;
mod numbers;
mod texts;
