use aimdb_persistence::Persist;

#[derive(Persist)]
#[persist(for = "the temperature", key = "temperature")]
struct TemperatureHistory;

fn main() {}
