use aimdb_persistence::Persist;
use aimdb_persistence_tests::contracts;

#[derive(Persist)]
#[persist(for = "contracts::Temprature", key = "temperature")]
struct TemperatureHistory;

fn main() {}
