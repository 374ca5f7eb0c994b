//! A field of a record's type: where it lies in the stored JSON, and of which type it is.

use std::fmt::{self, Debug, Display};
use std::marker::PhantomData;

/// How deeply fields of fields may be nested.
const MOST_JOINTS: usize = 8;

/// A field of `T` that holds a `V`, addressed by where it lies in the stored JSON.
///
/// `#[derive(Persist)]` makes one of each field: `Temperature::fields().celsius` is a
/// `Field<Temperature, f64>`. By hand, and for queries without a type, [`Field::at`] takes the path.
///
/// ```
/// use aimdb_persistence::Field;
///
/// struct Weather { celsius: f64, wind: Wind }
/// struct Wind { gust: Option<f32> }
///
/// const CELSIUS: Field<Weather, f64> = Field::at(&["celsius"]);
/// const WIND: Field<Weather, Wind> = Field::at(&["wind"]);
/// const GUST: Field<Wind, Option<f32>> = Field::at(&["gust"]);
///
/// assert_eq!(CELSIUS.to_string(), "celsius");
/// // A field of a field, and the value of an `Option` where there is one.
/// let gust: Field<Weather, f32> = WIND.then(GUST).some();
/// assert_eq!(gust.to_string(), "wind.gust");
/// ```
pub struct Field<T, V> {
    path: FieldPath,
    of: PhantomData<fn() -> (T, V)>,
}

/// A struct whose fields are addressable: `#[derive(Persist)]` implements it for records, `#[derive(Fields)]` for their
/// parts.
#[diagnostic::on_unimplemented(
    message = "the fields of `{Self}` have no addresses",
    label = "`HasFields` is not implemented for `{Self}`",
    note = "for a struct that is part of a record, add `#[derive(Fields)]`",
    note = "of an enum, or of a type that serde writes as another one, say where a field lies in the stored JSON: \
            `Field::at(&[\"name\"])`"
)]
pub trait HasFields {
    /// A struct like this one, with a [`Field`] in the place of each field.
    type Fields;
    /// The fields.
    const FIELDS: Self::Fields;
}

/// Names from the outside in; in an array, a name is an index.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct FieldPath {
    /// Each joint is what one `Field` was made of.
    joints: [&'static [&'static str]; MOST_JOINTS],
    len: usize,
}

impl<T, V> Field<T, V> {
    /// The field that is reached by these names, as they are stored: what serde's `rename` makes of them. A name of
    /// digits is an index where an array lies in the way, as it does for tuples.
    ///
    /// That it holds a `V` is for the caller to say: rows where it does not are rows without this field.
    pub const fn at(path: &'static [&'static str]) -> Self {
        let mut joints: [&'static [&'static str]; MOST_JOINTS] = [&[]; MOST_JOINTS];
        joints[0] = path;
        Self {
            path: FieldPath { joints, len: 1 },
            of: PhantomData,
        }
    }

    /// A field of this field.
    ///
    /// # Panics
    /// If more than eight fields are joined.
    #[must_use]
    pub const fn then<W>(self, inner: Field<V, W>) -> Field<T, W> {
        Field {
            path: self.path.join(inner.path),
            of: PhantomData,
        }
    }

    pub(crate) fn path(self) -> FieldPath {
        self.path
    }
}

impl<T> Field<T, T> {
    /// The value itself: of a record that is a number, a text or an enum rather than a struct.
    pub const fn whole() -> Self {
        Self::at(&[])
    }
}

impl<T, V> Field<T, Option<V>> {
    /// The same field, of the rows that have it.
    #[must_use]
    pub const fn some(self) -> Field<T, V> {
        Field {
            path: self.path,
            of: PhantomData,
        }
    }
}

impl FieldPath {
    const fn join(mut self, inner: Self) -> Self {
        let mut index = 0;
        while index < inner.len {
            assert!(self.len < MOST_JOINTS, "more than eight fields are joined");
            self.joints[self.len] = inner.joints[index];
            self.len += 1;
            index += 1;
        }
        self
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> + '_ {
        let joints = self.joints[..self.len].iter();
        joints.flat_map(|joint| joint.iter().copied())
    }
}

impl<T, V> Clone for Field<T, V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T, V> Copy for Field<T, V> {}

/// The names with dots between them.
impl<T, V> Display for Field<T, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Display::fmt(&self.path, f)
    }
}

impl<T, V> Debug for Field<T, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Field({})", self.path)
    }
}

impl Debug for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Display::fmt(self, f)
    }
}

impl Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, name) in self.names().enumerate() {
            let dot = if index == 0 { "" } else { "." };
            write!(f, "{dot}{name}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joined_fields_are_reached_by_their_names_in_order() {
        let outer: Field<(), u8> = Field::at(&["a", "b"]);
        let flattened: Field<u8, u16> = Field::at(&[]);
        let inner: Field<u16, u32> = Field::at(&["c"]);
        let joined = outer.then(flattened).then(inner);
        assert_eq!(joined.to_string(), "a.b.c");
        assert_eq!(Field::<u8, u8>::whole().to_string(), "");
    }

    #[test]
    #[should_panic(expected = "more than eight")]
    fn a_chain_of_fields_has_an_end() {
        let field: Field<(), ()> = Field::at(&["again"]);
        let _ = (0..MOST_JOINTS).fold(field, |outer, _| outer.then(field));
    }
}
