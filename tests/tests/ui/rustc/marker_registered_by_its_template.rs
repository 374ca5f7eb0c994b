use aimdb_persistence::Persist;

mod contracts {
    #[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
    pub struct Temperature;
}

#[derive(Persist)]
#[persist(for = "contracts::Temperature", key = "temperature.{station}")]
struct TemperatureHistory;

fn register(builder: &mut impl aimdb_persistence::AimDbBuilderPersistExt) {
    TemperatureHistory::register(builder);
}

fn main() {}
