//! What must hold of any input, whoever thinks it up.
//!
//! Each property takes bytes and panics if it does not hold. Two drivers share them: the property tests in `tests/`, which
//! run on every change, and the fuzz targets in `fuzz/fuzz_targets/`, which look for inputs for as long as they are let.

pub mod opener;
pub mod operations;
pub mod packed;
pub mod pattern;
pub mod retention;

use arbitrary::{Arbitrary, Unstructured};

/// Reads an input out of bytes; too few make a short one.
fn input<'a, T: Arbitrary<'a>>(bytes: &'a [u8]) -> Option<T> {
    T::arbitrary_take_rest(Unstructured::new(bytes)).ok()
}
