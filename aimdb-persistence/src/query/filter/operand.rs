//! What a field may be compared with.

use std::borrow::Cow;
use std::sync::Arc;

use aimdb_persistence_backend::json::{Projection, Scalar, write};
use serde::Serialize;

/// A value that a field of type `V` can be compared with: a `V`, for an `Option<V>` also a `V`, and for a `String` also a
/// `&str`. Implemented for all that can be; there is nothing to write.
#[diagnostic::on_unimplemented(
    message = "a field of type `{V}` cannot be compared with `{Self}`",
    label = "this is compared with a field of type `{V}`",
    note = "a field is compared with a value of its own type: write `30.0` for a field of `f64`"
)]
pub trait Operand<V> {
    /// As JSON has it, or why it cannot be compared with.
    #[doc(hidden)]
    fn into_scalar(self) -> ScalarOperand;
}

/// Opaque.
#[doc(hidden)]
pub struct ScalarOperand(pub(crate) Result<Scalar<'static>, String>);

impl<V: Serialize> Operand<V> for V {
    fn into_scalar(self) -> ScalarOperand {
        scalar_of(&self)
    }
}

impl<V: Serialize> Operand<Option<V>> for V {
    fn into_scalar(self) -> ScalarOperand {
        scalar_of(&self)
    }
}

impl Operand<String> for &str {
    fn into_scalar(self) -> ScalarOperand {
        scalar_of(self)
    }
}

impl Operand<Option<String>> for &str {
    fn into_scalar(self) -> ScalarOperand {
        scalar_of(self)
    }
}

/// By way of its text, so that it is what a stored value would be read as.
pub(crate) fn scalar_of<V: Serialize + ?Sized>(value: &V) -> ScalarOperand {
    let mut text = Vec::new();
    let scalar = write(value, &mut text).map_err(|error| error.to_string());
    ScalarOperand(scalar.and_then(|()| {
        let text = String::from_utf8_lossy(&text);
        let mut projection = Projection::default();
        let whole = projection.slot([]);
        let mut scalars = Vec::new();
        projection.read(&text, &mut scalars);
        match scalars.swap_remove(whole) {
            Scalar::Other(_) => Err("it is an object or an array; compare its fields".to_owned()),
            Scalar::Number(_) if is_whole_beyond_128_bits(&text) => {
                Err("it is a whole number beyond 128 bits".to_owned())
            }
            scalar => Ok(scalar.into_owned()),
        }
    }))
}

/// Such a number cannot be told from its neighbours.
fn is_whole_beyond_128_bits(json: &str) -> bool {
    json.bytes().all(|b| b.is_ascii_digit() || b == b'-')
        && json.parse::<i128>().is_err()
        && json.parse::<u128>().is_err()
}

/// A field that holds text: `String`, other owners of a `str`, and an `Option` of them.
#[diagnostic::on_unimplemented(
    message = "a field of type `{Self}` is not a text",
    label = "only a field of text begins, ends or contains",
    note = "a number is compared by `gt`, `lt`, `within` and the like; a `bool` or an enum by `eq`"
)]
pub trait TextField {}

impl TextField for String {}
impl TextField for Box<str> {}
impl TextField for Arc<str> {}
impl TextField for Cow<'static, str> {}
impl<V: TextField> TextField for Option<V> {}
