use aimdb_persistence::Persist;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "power")]
struct Power<T> {
    watts: T,
}

#[derive(Clone, Debug)]
struct Unit;

fn main() {
    let _ = Power::<Unit>::series();
}
