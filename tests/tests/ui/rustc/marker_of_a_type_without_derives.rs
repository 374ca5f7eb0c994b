use aimdb_persistence::Persist;

mod contracts {
    #[derive(Clone, Debug)]
    pub struct Temperature;
}

#[derive(Persist)]
#[persist(for = "contracts::Temperature", key = "temperature")]
struct TemperatureHistory;

fn main() {}
