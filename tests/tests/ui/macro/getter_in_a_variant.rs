use aimdb_persistence::Persist;
use aimdb_persistence_tests::contracts;

#[derive(Persist)]
#[persist(for = "contracts::Door", key = "door")]
#[serde(tag = "type")]
#[non_exhaustive]
enum DoorHistory {
    Opened {
        #[persist(timestamp, getter = "contracts::Door::at")]
        at: u64,
    },
    Closed {
        #[persist(timestamp)]
        at: u64,
    },
}

fn main() {}
