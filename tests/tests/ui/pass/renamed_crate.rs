//! `crate = "…"` leads the expansion to the library, and to nothing but it.

use serde::{Deserialize, Serialize};

extern crate aimdb_persistence as renamed;

mod facade {
    pub mod history {
        pub use aimdb_persistence::*;
    }
}

#[derive(Clone, Debug, Serialize, Deserialize, renamed::Persist)]
#[persist(key = "temperature.{station}", retention = "7d", crate = "renamed")]
struct Temperature {
    #[persist(timestamp)]
    at: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize, renamed::Persist)]
#[persist(crate = "crate::facade::history", key = "door", buffer = "ring(9)")]
enum Door {
    Opened(#[persist(timestamp)] u64),
}

/// A library of the same shape: were one path to lead elsewhere, this would not compile.
mod lookalike {
    pub mod derived {
        pub use super::*;
    }

    pub enum Retention {
        Milliseconds(u64),
    }
    pub enum BufferKind {
        Ring(usize),
    }
    pub enum Restore {
        NoOlderThan(u64),
    }
    pub enum Keep {
        Last,
    }
    pub enum Deadband {
        Absolute(f64),
    }
    pub enum OnDuplicate {
        Replace,
    }
    pub enum TimeUnit {
        Seconds,
    }
    #[derive(Debug)]
    pub enum DecodeError {
        TooOld { stored: u32, oldest: u32 },
    }
    pub struct Policy;
    pub struct FieldInfo;
    pub struct RowTime(pub u64);
    pub struct Declaration(pub Retention, pub BufferKind);
    pub struct Series<T>(pub usize, std::marker::PhantomData<T>);
    #[derive(Debug)]
    pub struct KeyError;

    impl std::fmt::Display for KeyError {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("lookalike")
        }
    }

    pub trait Record {}
    impl<T> Record for T {}
    pub trait LiteralKey {}
    pub trait Persist: Declared {}
    impl<T: Declared> Persist for T {}
    pub trait Declared: Sized {
        type Value;
        const DECLARATION: Declaration;
        fn event_time_of(value: &Self::Value) -> RowTime;
        fn from_stored(version: u32, json: &str) -> Result<Self::Value, DecodeError> {
            decode_newest::<Self>(version, json)
        }
    }

    pub trait OlderVersion: From<u8> {}
    impl OlderVersion for u8 {}

    pub fn decode<T: OlderVersion>(_: &str) -> Result<T, DecodeError> {
        Ok(T::from(7))
    }

    pub fn decode_newest<T: Declared>(_: u32, _: &str) -> Result<T::Value, DecodeError> {
        Err(DecodeError::TooOld { stored: 0, oldest: 0 })
    }

    pub fn lift<Old, New: From<Old>>(old: Old) -> Result<New, DecodeError> {
        Ok(New::from(old))
    }

    pub const fn number_field<V>(_: FieldPath) -> FieldPath {
        FieldPath
    }

    impl Policy {
        pub const fn new() -> Self {
            Self
        }
        pub const fn deadband(self, _: FieldPath, _: Deadband) -> Self {
            self
        }
        pub const fn min_interval_ms(self, _: u64, _: Keep) -> Self {
            self
        }
        pub const fn on_duplicate(self, _: OnDuplicate) -> Self {
            self
        }
    }

    impl FieldInfo {
        pub const fn new(_: &'static str) -> Self {
            Self
        }
        pub const fn with_kind(self, _: FieldKind) -> Self {
            self
        }
        pub const fn with_unit(self, _: &'static str) -> Self {
            self
        }
    }

    pub enum FieldKind {
        Integer,
        Float,
        Other,
    }
    pub struct FieldPath;

    pub struct Field<T, V>(pub &'static [&'static str], std::marker::PhantomData<(T, V)>);
    pub trait HasFields {
        type Fields;
        const FIELDS: Self::Fields;
    }

    impl<T, V> Field<T, V> {
        pub const fn at(path: &'static [&'static str]) -> Self {
            Self(path, std::marker::PhantomData)
        }
        pub const fn path(self) -> FieldPath {
            FieldPath
        }
    }

    impl<T, V> Copy for Field<T, V> {}
    impl<T, V> Clone for Field<T, V> {
        fn clone(&self) -> Self {
            *self
        }
    }

    impl RowTime {
        pub fn of(field: &u64) -> Self {
            Self(*field)
        }

        pub fn since_1970(field: &u64, _: TimeUnit) -> Self {
            Self(*field)
        }
    }

    impl Declaration {
        pub const fn new(_: &'static str, _: &'static str) -> Self {
            Self(Retention::Milliseconds(0), BufferKind::Ring(0))
        }

        pub const fn with_policy(self, _: Policy) -> Self {
            self
        }

        pub const fn with_restore(self, _: Restore) -> Self {
            self
        }

        pub const fn with_version(self, _: u32) -> Self {
            self
        }

        pub const fn with_fields(self, _: &'static [FieldInfo]) -> Self {
            self
        }

        pub const fn with_event_time_fields(self, _: &'static [FieldPath]) -> Self {
            self
        }

        pub const fn with_retention(self, retention: Retention) -> Self {
            let Self(Retention::Milliseconds(_), BufferKind::Ring(capacity)) = self;
            Self(retention, BufferKind::Ring(capacity))
        }

        pub const fn with_buffer(self, buffer: BufferKind) -> Self {
            let Self(Retention::Milliseconds(length_ms), BufferKind::Ring(_)) = self;
            Self(Retention::Milliseconds(length_ms), buffer)
        }
    }

    impl<T> Series<T> {
        pub fn from_values(values: &[&dyn std::fmt::Display]) -> Result<Self, KeyError> {
            Ok(Self(values.len(), std::marker::PhantomData))
        }
    }
}

#[derive(renamed::Persist)]
#[persist(key = "a", retention = "1s", buffer = "ring(3)", crate = "lookalike")]
struct Literal<T> {
    value: T,
    #[persist(timestamp)]
    at: u64,
}

#[derive(renamed::Persist)]
#[persist(key = "b.{id}", min_interval = "1s", keep = "last", on_duplicate = "replace")]
#[persist(restore = "1h", version = 3, migrate(.., u8), crate = "lookalike")]
struct Everything {
    #[persist(deadband = 0.5, unit = "K")]
    kelvin: f64,
    #[persist(timestamp = "s")]
    at: u64,
}

impl From<u8> for Everything {
    fn from(number: u8) -> Self {
        Self { kelvin: number.into(), at: 0 }
    }
}

fn main() {
    use renamed::{Declared, declare::RowTime};

    assert_eq!(Temperature::series("sf").key(), "temperature.sf");
    assert_eq!(Temperature { at: 7 }.event_time(), RowTime::At(7));
    assert_eq!(Door::series().key(), "door");
    assert_eq!(Door::Opened(8).event_time(), RowTime::At(8));

    let lookalike::Declaration(retention, buffer) =
        <Literal<u8> as lookalike::Declared>::DECLARATION;
    assert!(matches!(retention, lookalike::Retention::Milliseconds(1_000)));
    assert!(matches!(buffer, lookalike::BufferKind::Ring(3)));
    assert_eq!(Literal::<u8>::series().0, 0);
    let literal = Literal { value: 1_u8, at: 7 };
    assert_eq!(<Literal<u8> as lookalike::Declared>::event_time_of(&literal).0, 7);
    assert_eq!(literal.value, 1);
    let everything = <Everything as lookalike::Declared>::from_stored(2, "");
    assert_eq!(everything.map(|everything| everything.kelvin).ok(), Some(7.0));
    let fields = <Literal<u8> as lookalike::HasFields>::FIELDS;
    assert_eq!([fields.value.0, fields.at.0], [["value"], ["at"]]);
}
