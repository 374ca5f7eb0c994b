//! Values to JSON text and back, without the one change that serde_json makes in silence: an infinite or undefined float
//! becomes `null`, which then does not decode, or decodes as something else.

use serde::de::DeserializeOwned;
use serde::ser::{self, Error as _, Serialize};

use crate::contract::error::DecodeError;

/// Appends the value's JSON to `text`.
///
/// # Errors
/// If the value refuses, has map keys that are no strings, or contains a float that JSON cannot express.
pub fn write<T: Serialize + ?Sized>(
    value: &T,
    text: &mut Vec<u8>,
) -> Result<(), serde_json::Error> {
    serde_json::to_writer(&mut *text, value)?;
    // Only a text with a `null` in it can have swallowed a float; the second look at the value is rare.
    if text.windows(4).any(|word| word == b"null") {
        value.serialize(FiniteFloats)?;
    }
    Ok(())
}

/// A value from JSON.
///
/// # Errors
/// If the JSON is no such value.
pub fn decode<T: DeserializeOwned>(json: &str) -> Result<T, DecodeError> {
    Ok(serde_json::from_str(json)?)
}

/// A serializer that writes nothing and fails on a float that is not finite.
#[derive(Clone, Copy)]
struct FiniteFloats;

type Outcome = Result<(), serde_json::Error>;

fn finite(value: f64) -> Outcome {
    if value.is_finite() {
        Ok(())
    } else {
        Err(serde_json::Error::custom(format!(
            "{value} has no JSON form"
        )))
    }
}

macro_rules! accept {
    ($($method:ident: $ty:ty),* $(,)?) => {
        $(fn $method(self, _: $ty) -> Outcome { Ok(()) })*
    };
}

impl ser::Serializer for FiniteFloats {
    type Ok = ();
    type Error = serde_json::Error;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    accept! {
        serialize_bool: bool, serialize_char: char, serialize_str: &str, serialize_bytes: &[u8],
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64, serialize_i128: i128,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64, serialize_u128: u128,
        serialize_unit_struct: &'static str,
    }

    fn serialize_f32(self, value: f32) -> Outcome {
        finite(f64::from(value))
    }

    fn serialize_f64(self, value: f64) -> Outcome {
        finite(value)
    }

    fn serialize_unit(self) -> Outcome {
        Ok(())
    }

    fn serialize_none(self) -> Outcome {
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Outcome {
        value.serialize(self)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, _: &'static str) -> Outcome {
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Outcome {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        value: &T,
    ) -> Outcome {
        value.serialize(self)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self, Self::Error> {
        Ok(self)
    }

    fn serialize_tuple(self, _: usize) -> Result<Self, Self::Error> {
        Ok(self)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self, Self::Error> {
        Ok(self)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self, Self::Error> {
        Ok(self)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self, Self::Error> {
        Ok(self)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, Self::Error> {
        Ok(self)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self, Self::Error> {
        Ok(self)
    }
}

macro_rules! descend {
    ($($compound:ident: $method:ident),* $(,)?) => {
        $(impl ser::$compound for FiniteFloats {
            type Ok = ();
            type Error = serde_json::Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Outcome {
                value.serialize(*self)
            }

            fn end(self) -> Outcome {
                Ok(())
            }
        })*
    };
}

descend! {
    SerializeSeq: serialize_element,
    SerializeTuple: serialize_element,
    SerializeTupleStruct: serialize_field,
    SerializeTupleVariant: serialize_field,
}

macro_rules! descend_named {
    ($($compound:ident),* $(,)?) => {
        $(impl ser::$compound for FiniteFloats {
            type Ok = ();
            type Error = serde_json::Error;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, _: &'static str, value: &T) -> Outcome {
                value.serialize(*self)
            }

            fn end(self) -> Outcome {
                Ok(())
            }
        })*
    };
}

descend_named!(SerializeStruct, SerializeStructVariant);

impl ser::SerializeMap for FiniteFloats {
    type Ok = ();
    type Error = serde_json::Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, _: &T) -> Outcome {
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Outcome {
        value.serialize(*self)
    }

    fn end(self) -> Outcome {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Serialize;
    use std::collections::BTreeMap;

    #[derive(Serialize)]
    enum Reading {
        Missing,
        Scalar(f64),
        Vector { axes: Vec<Option<f32>> },
    }

    fn text(value: &impl Serialize) -> Result<String, serde_json::Error> {
        let mut text = Vec::new();
        write(value, &mut text).map(|()| String::from_utf8(text).expect("JSON is UTF-8"))
    }

    #[test]
    fn a_float_that_json_cannot_express_is_an_error_wherever_it_hides() {
        assert!(text(&f64::NAN).is_err());
        assert!(text(&Reading::Scalar(f64::INFINITY)).is_err());
        assert!(
            text(&Reading::Vector {
                axes: vec![None, Some(f32::NEG_INFINITY)]
            })
            .is_err()
        );
        assert!(text(&BTreeMap::from([("a", (1, f64::NAN))])).is_err());
        assert!(text(&("null", f64::NAN)).is_err());
    }

    #[test]
    fn an_honest_null_is_kept() {
        assert_eq!(
            text(&Reading::Vector {
                axes: vec![None, Some(1.5)]
            })
            .unwrap(),
            r#"{"Vector":{"axes":[null,1.5]}}"#
        );
        assert_eq!(
            text(&(Reading::Missing, ())).unwrap(),
            r#"["Missing",null]"#
        );
        assert_eq!(text(&"null").unwrap(), "\"null\"");
    }
}
