use aimdb_persistence::{LiteralKey, Persist};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "temperature.{station}")]
struct Temperature {
    celsius: f64,
}

fn register<T: LiteralKey>() {}

fn main() {
    register::<Temperature>();
}
