//! What is said about a type is what serde_json does with its values.

#![allow(dead_code)]

mod names;
mod shapes;
mod types;

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::check;
use crate::errors::Errors;
use crate::serde_model::item::Item;

/// What becomes of a value in JSON: nothing, or what is wrong.
fn fate<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: T) -> Result<(), String> {
    let json = serde_json::to_string(&value).map_err(|error| error.to_string())?;
    let read = serde_json::from_str::<T>(&json).map_err(|error| format!("{json}: {error}"))?;
    match read == value {
        true => Ok(()),
        false => Err(format!(
            "{value:?} is written as {json} and read as {read:?}"
        )),
    }
}

/// Whether a type is refused exactly if one of its values does not come back.
fn assert_same(item: &str, fates: &[Result<(), String>]) {
    let lost = fates.iter().find_map(|fate| fate.as_ref().err());
    match (lost, messages(item)) {
        (Some(reason), messages) if messages.is_empty() => {
            panic!("accepted, and a value is lost: {item}\n{reason}")
        }
        (None, messages) if !messages.is_empty() => {
            panic!("refused, and all values come back: {item}\n{messages}")
        }
        _ => {}
    }
}

/// What is said about a type.
fn messages(item: &str) -> String {
    let input = syn::parse_str(item).expect("the item parses");
    let mut errors = Errors::default();
    check(&Item::read(&input), &mut errors);
    errors.into_compile_errors().to_string()
}

/// Declares types, and compares what is said about each with what becomes of these values.
macro_rules! compare {
    ($($(#[$attribute:meta])* $kind:ident $name:ident [$($rest:tt)*] => $($value:expr),+;)+) => {$({
        #[derive(Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
        $(#[$attribute])*
        $kind $name $($rest)*
        crate::round_trip::tests::assert_same(
            stringify!($(#[$attribute])* $kind $name $($rest)*),
            &[$(crate::round_trip::tests::fate($value)),+],
        );
    })+};
}
use compare;
