use aimdb_persistence::Persist;
use aimdb_persistence_tests::contracts;

#[derive(Persist)]
#[persist(for = "contracts::Temperature", key = "temperature")]
struct TemperatureHistory {
    #[persist(deadband = 0.5)]
    celsius: f64,
}

fn main() {}
