use aimdb_persistence::Fields;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Fields)]
struct Wind {
    gust: f64,
    #[persist(timestamp)]
    at: u64,
}

fn main() {}
