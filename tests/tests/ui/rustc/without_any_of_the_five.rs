use aimdb_persistence::Persist;

#[derive(Persist)]
#[persist(key = "temperature")]
struct Temperature {
    celsius: f64,
}

fn main() {}
