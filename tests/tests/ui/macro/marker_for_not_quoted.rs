use aimdb_persistence::Persist;

#[derive(Persist)]
#[persist(for = contracts::Temperature, key = "temperature")]
struct TemperatureHistory;

fn main() {}
