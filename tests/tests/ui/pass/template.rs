//! A template: one argument per placeholder, in order, of any type that can be displayed.

use aimdb_persistence::{Declared, Persist, Retention, declare::BufferKind};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "{site}.temperature::{floor}.{room}", retention = "7d", buffer = "ring(4096)")]
struct Temperature {
    celsius: f64,
}

fn main() {
    assert_eq!(Temperature::series("north", 3, 'b').key(), "north.temperature::3.b");
    assert_eq!(
        Temperature::try_series(String::from("south"), &4_u8, "c").unwrap().key(),
        "south.temperature::4.c"
    );

    let declaration = Temperature::DECLARATION;
    assert_eq!(declaration.template(), "{site}.temperature::{floor}.{room}");
    assert_eq!(declaration.retention(), Some(Retention::Milliseconds(604_800_000)));
    assert_eq!(declaration.buffer(), Some(BufferKind::Ring(4096)));
}
