//! Attributes may be split, in any order, with trailing commas and raw strings; an empty list beside them is harmless.

use aimdb_persistence::{Declared, Persist, Retention, declare::BufferKind};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist()]
#[persist(buffer = "ring(1)")]
#[persist(retention = r"forever",)]
#[persist(key = r#"temperature.{station}"#)]
struct Temperature;

fn main() {
    let declaration = Temperature::DECLARATION;
    assert_eq!(declaration.template(), "temperature.{station}");
    assert_eq!(declaration.retention(), Some(Retention::Forever));
    assert_eq!(declaration.buffer(), Some(BufferKind::Ring(1)));
}
