//! What the project promises across its crates. `crate::aimdb` is the AimDB version under test.

mod recording;
