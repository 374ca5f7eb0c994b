use aimdb_persistence::Persist;
use aimdb_persistence_tests::contracts;

#[derive(Persist)]
#[persist(for = "contracts::Pressure", key = "pressure")]
struct PressureHistory {
    #[persist(timestamp, getter = "self.at()")]
    at: u64,
}

fn main() {}
