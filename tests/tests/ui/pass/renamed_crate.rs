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
    pub enum Retention {
        Milliseconds(u64),
    }
    pub enum BufferKind {
        Ring(usize),
    }
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
    pub trait LiteralKey: Persist {}
    pub trait Persist: Record {
        const DECLARATION: Declaration;
        fn event_time(&self) -> RowTime;
    }

    pub struct Field<T, V>(pub &'static [&'static str], std::marker::PhantomData<(T, V)>);
    pub trait HasFields {
        type Fields;
        const FIELDS: Self::Fields;
    }

    impl<T, V> Field<T, V> {
        pub const fn at(path: &'static [&'static str]) -> Self {
            Self(path, std::marker::PhantomData)
        }
    }

    impl RowTime {
        pub fn of(field: &u64) -> Self {
            Self(*field)
        }
    }

    impl Declaration {
        pub const fn new(_: &'static str, _: &'static str) -> Self {
            Self(Retention::Milliseconds(0), BufferKind::Ring(0))
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

fn main() {
    use renamed::{Persist, RowTime};

    assert_eq!(Temperature::series("sf").key(), "temperature.sf");
    assert_eq!(Temperature { at: 7 }.event_time(), RowTime::At(7));
    assert_eq!(Door::series().key(), "door");
    assert_eq!(Door::Opened(8).event_time(), RowTime::At(8));

    let lookalike::Declaration(retention, buffer) =
        <Literal<u8> as lookalike::Persist>::DECLARATION;
    assert!(matches!(retention, lookalike::Retention::Milliseconds(1_000)));
    assert!(matches!(buffer, lookalike::BufferKind::Ring(3)));
    assert_eq!(Literal::<u8>::series().0, 0);
    let literal = Literal { value: 1_u8, at: 7 };
    assert_eq!(lookalike::Persist::event_time(&literal).0, 7);
    assert_eq!(literal.value, 1);
    let fields = <Literal<u8> as lookalike::HasFields>::FIELDS;
    assert_eq!([fields.value.0, fields.at.0], [["value"], ["at"]]);
}
