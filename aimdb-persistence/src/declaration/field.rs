//! A field of a record's type: where it lies in the stored JSON, and of which type it is.

use std::fmt::{self, Debug, Display};
use std::marker::PhantomData;

use crate::declaration::field_path::{FieldPath, Tagging};

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

impl<T, V> Field<T, V> {
    /// The field that is reached by these names, as they are stored: what serde's `rename` makes of them. A name of
    /// digits is an index where an array lies in the way, as it does for tuples.
    ///
    /// That it holds a `V` is for the caller to say: rows where it does not are rows without this field.
    pub const fn at(path: &'static [&'static str]) -> Self {
        Self {
            path: FieldPath::at(path),
            of: PhantomData,
        }
    }

    /// The same field, of values of this variant of an enum alone: in others it is missing, also where they have a field of
    /// the same name. The variant's name is as it is stored.
    ///
    /// That is serde's own representation, `{"Opened": {"by": "Ada"}}`. Of an enum with a tag, go on with
    /// [`tagged`](Self::tagged) or [`tagged_beside`](Self::tagged_beside), of one without any with [`untagged`](Self::untagged).
    ///
    /// ```
    /// use aimdb_persistence::Field;
    ///
    /// enum Door { Opened { by: String }, Closed }
    /// enum Reading { Measured { value: f64 }, Failed { value: i64 } } // #[serde(tag = "type")]
    ///
    /// const BY: Field<Door, String> = Field::at(&["by"]).of_variant("Opened");
    /// assert_eq!(BY.to_string(), "Opened.by");
    /// const VALUE: Field<Reading, f64> = Field::at(&["value"]).of_variant("Measured").tagged("type");
    /// assert_eq!(VALUE.to_string(), "value (of Measured)");
    /// ```
    ///
    /// # Panics
    /// If the field is of a variant already.
    #[must_use]
    pub const fn of_variant(self, name: &'static str) -> Self {
        Self {
            path: self.path.of_variant(name),
            of: PhantomData,
        }
    }

    /// The variant's name is stored beside its fields, as `#[serde(tag = "type")]` does: `{"type": "Measured", "value": 1.0}`.
    ///
    /// # Panics
    /// Unless the field is [of a variant](Self::of_variant).
    #[must_use]
    pub const fn tagged(self, tag: &'static str) -> Self {
        self.with_tagging(Tagging::Internal { tag })
    }

    /// The variant's name is stored beside its content, as `#[serde(tag = "t", content = "c")]` does:
    /// `{"t": "Measured", "c": {"value": 1.0}}`.
    ///
    /// # Panics
    /// Unless the field is [of a variant](Self::of_variant).
    #[must_use]
    pub const fn tagged_beside(self, tag: &'static str, content: &'static str) -> Self {
        self.with_tagging(Tagging::Adjacent { tag, content })
    }

    /// The variant's name is not stored, as with `#[serde(untagged)]`: whatever has the field is of the variant.
    ///
    /// # Panics
    /// Unless the field is [of a variant](Self::of_variant).
    #[must_use]
    pub const fn untagged(self) -> Self {
        self.with_tagging(Tagging::Untagged)
    }

    const fn with_tagging(self, tagging: Tagging) -> Self {
        Self {
            path: self.path.with_tagging(tagging),
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

    pub(crate) const fn with_path(path: FieldPath) -> Self {
        Self {
            path,
            of: PhantomData,
        }
    }

    /// Where the field lies, without its types.
    pub const fn path(self) -> FieldPath {
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

impl<T, V> Clone for Field<T, V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T, V> Copy for Field<T, V> {}

/// The names with dots between them, and the variant where it is not one of them.
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
        let _ = (0..8).fold(field, |outer, _| outer.then(field));
    }
}
