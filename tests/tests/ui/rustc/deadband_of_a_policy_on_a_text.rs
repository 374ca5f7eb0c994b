use aimdb_persistence::{Deadband, Field, Policy};

struct Climate;

const LABEL: Field<Climate, String> = Field::at(&["label"]);

fn main() {
    let _ = Policy::new().deadband(LABEL, Deadband::Absolute(0.5));
}
