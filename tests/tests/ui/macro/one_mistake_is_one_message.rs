use aimdb_persistence::{Declared, Persist, declare::RowTime};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "temperature.{station}", retention = "7")]
struct Temperature {
    celsius: f64,
    #[persist(timestamp)]
    at: u64,
}

/// Uses all that the derive makes: none of it may be reported as missing.
fn main() {
    let temperature = Temperature { celsius: 13.2, at: 7 };
    let _: RowTime = temperature.event_time();
    let _ = Temperature::series("sf").key();
    let _ = Temperature::try_series("sf").is_ok();
    let _ = Temperature::DECLARATION.retention();
}
