use aimdb_persistence::Persist;

#[derive(Persist)]
#[persist(for = "contracts::Power<T>", key = "power")]
struct PowerHistory<T>(T, u64);

fn main() {}
