use aimdb_persistence::Persist;

#[derive(Clone, Copy, Persist)]
#[persist(key = "temperature.{station}")]
union Temperature {
    celsius: f64,
    raw: u64,
}

fn main() {}
