use aimdb_persistence::Persist;
use aimdb_persistence_tests::contracts;

#[derive(Persist)]
#[persist(for = "contracts::Power<f64>", key = "power")]
struct PowerHistory(#[persist(deadband = 0.5)] f64);

fn main() {}
