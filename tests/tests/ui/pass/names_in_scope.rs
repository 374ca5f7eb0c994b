//! A placeholder may have the name of anything that is in scope.

#![allow(dead_code, unused_imports, non_upper_case_globals, non_camel_case_types)]

use aimdb_persistence::Persist;
use serde::{Deserialize, Serialize};

const ID: u8 = 7;
static ROOM: u8 = 9;

struct Site;

const station: u8 = 7;
static room: u8 = 9;
const r#type: u8 = 1;

struct site;

struct number(u8);

enum Lower {
    floor,
}

use Lower::*;

#[derive(Clone, Copy)]
struct Unit;

enum Kind {
    Other,
}

use Kind::*;

fn function() {}

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "constants.{ID}.{Site}")]
struct OfConstants {
    value: u8,
}

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "others.{ROOM}.{Unit}.{Other}.{function}.{OfOthers}")]
struct OfOthers;

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "lower.{station}.{room}.{site}.{number}.{floor}.{type}")]
struct OfLowerCase {
    value: u8,
}

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "generic.{width}.{width_}")]
struct OfLowerParameters<const width: usize> {
    value: u8,
}

/// What the macro's own code calls something.
const version: u8 = 1;
static json: u8 = 2;
const value: u8 = 3;

#[derive(Deserialize)]
struct Older;

impl From<Older> for Lifted {
    fn from(_: Older) -> Self {
        Self { at: 0 }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "lifted", version = 2, migrate(Older))]
struct Lifted {
    #[persist(timestamp)]
    at: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "generic.{N}.{N_}.{T}")]
struct OfParameters<T, const N: usize> {
    values: Vec<T>,
}

/// Nothing in the generated code is hidden from the user by it.
fn constants_keep_their_meaning() -> u8 {
    ID + ROOM + station + room
}

fn main() {
    const LOCAL: u8 = 3;

    #[derive(Clone, Debug, Serialize, Deserialize, Persist)]
    #[persist(key = "local.{LOCAL}")]
    struct InAFunction {
        value: u8,
    }

    assert_eq!(OfConstants::series(1, "a").key(), "constants.1.a");
    assert_eq!(OfOthers::series(1, 2, 3, 4, 5).key(), "others.1.2.3.4.5");
    assert_eq!(OfParameters::<u8, 4>::series(1, 2, 3).key(), "generic.1.2.3");
    assert_eq!(OfLowerCase::series(1, 2, 3, 4, 5, 6).key(), "lower.1.2.3.4.5.6");
    assert_eq!(OfLowerParameters::<4>::series(1, 2).key(), "generic.1.2");
    assert_eq!(Lifted::series().key(), "lifted");
    assert_eq!(InAFunction::series(LOCAL).key(), "local.3");
    assert_eq!(constants_keep_their_meaning(), 32);
}
