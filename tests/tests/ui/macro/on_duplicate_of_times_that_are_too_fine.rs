use aimdb_persistence::Persist;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "weather", on_duplicate = "replace")]
struct Weather {
    celsius: f64,
    #[persist(timestamp = "us")]
    at: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "door", on_duplicate = "ignore")]
enum Door {
    Opened(#[persist(timestamp = "ms")] u64),
    Closed {
        #[persist(timestamp = "ns")]
        at: u64,
    },
}

fn main() {}
