use aimdb_core::AimDbBuilder;
use aimdb_persistence::Persist;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "temperature")]
struct Temperature {
    celsius: f64,
}

fn main() {
    let mut builder = AimDbBuilder::new();
    Temperature::register(&mut builder);
}
