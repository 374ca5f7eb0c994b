//! Types that are stored as numbers.

use std::num::{Saturating, Wrapping};
use std::sync::Arc;

use crate::declaration::field::Field;
use crate::declaration::field_path::FieldPath;

/// A type whose values serde writes as numbers: what a `#[persist(deadband = …)]` can watch. An `Option` of one is, too:
/// where there is no number, there is nothing to compare.
///
/// A type of your own that is a number in JSON may say so:
///
/// ```
/// use aimdb_persistence::{Persist, declare::Numeric};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Clone, Copy, Debug, Serialize, Deserialize)]
/// struct Celsius(f64); // a newtype: written as its number
///
/// impl Numeric for Celsius {}
///
/// #[derive(Clone, Debug, Serialize, Deserialize, Persist)]
/// #[persist(key = "temperature")]
/// struct Temperature {
///     #[persist(deadband = 0.5)]
///     value: Celsius,
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not known to be a number",
    label = "this is to be a number: a deadband watches one, an aggregate adds them up",
    note = "for a type of your own that serde writes as a number, add `impl aimdb_persistence::declare::Numeric for {Self} {{}}`"
)]
pub trait Numeric {}

macro_rules! numeric {
    ($($number:ty),*) => {$(impl Numeric for $number {})*};
}

numeric!(
    i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, u128, usize, f32, f64
);

impl<N: Numeric> Numeric for Option<N> {}
impl<N: Numeric> Numeric for Box<N> {}
impl<N: Numeric> Numeric for Arc<N> {}
impl<N: Numeric> Numeric for Wrapping<N> {}
impl<N: Numeric> Numeric for Saturating<N> {}

/// A field that holds a number; a bound for the derive to check. It is given the type of one, so that a field that holds none is
/// one error and not two.
#[doc(hidden)]
pub const fn number_field<N: Numeric>(field: FieldPath) -> Field<(), f64> {
    Field::with_path(field)
}
