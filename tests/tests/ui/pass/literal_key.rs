//! A literal key: one series, no arguments.

use aimdb_persistence::{Declared, Persist, declare::{LiteralKey, RowTime}};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "accuracy::vienna")]
struct Accuracy {
    percent: f64,
}

fn takes_one_series<T: LiteralKey>() {}

fn main() {
    takes_one_series::<Accuracy>();
    assert_eq!(Accuracy::series().key(), "accuracy::vienna");
    assert_eq!(Accuracy::try_series().unwrap().key(), "accuracy::vienna");

    let declaration = Accuracy::DECLARATION;
    assert_eq!(declaration.type_name(), "Accuracy");
    assert_eq!(declaration.template(), "accuracy::vienna");
    assert_eq!(declaration.retention(), None);
    assert_eq!(declaration.buffer(), None);
    assert_eq!(Accuracy { percent: 99.0 }.event_time(), RowTime::Received);
}
