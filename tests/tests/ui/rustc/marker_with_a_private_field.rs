use aimdb_persistence::Persist;
use aimdb_persistence_tests::contracts;

#[derive(Persist)]
#[persist(for = "contracts::Pressure", key = "pressure")]
struct PressureHistory {
    #[persist(timestamp)]
    at: u64,
}

fn main() {}
