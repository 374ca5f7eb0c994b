use aimdb_persistence::Persist;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Temperature {
    celsius: f64,
}

fn is_recorded<T: Persist>() {}

fn main() {
    is_recorded::<Temperature>();
}
