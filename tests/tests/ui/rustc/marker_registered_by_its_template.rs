use aimdb_persistence::Persist;
use aimdb_persistence_tests::contracts;

#[derive(Persist)]
#[persist(for = "contracts::Temperature", key = "temperature.{station}")]
struct TemperatureHistory;

fn register(builder: &mut impl aimdb_persistence::AimDbBuilderPersistExt) {
    TemperatureHistory::register(builder);
}

fn main() {}
