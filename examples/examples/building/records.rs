//! What the building records, and how long it matters. Each attribute is there for the reason beside it.

use aimdb_persistence::Persist;
use serde::{Deserialize, Serialize};

/// The air of a room. Sensors repeat themselves every minute: only what can be felt is stored, but at least a row an
/// hour, so that a gap means a sensor that is gone.
#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "building.{room}.climate", retention = "1y", max_silence = "1h")]
pub(crate) struct Climate {
    #[persist(deadband = 0.3, unit = "°C")]
    pub(crate) celsius: f64,
    #[persist(deadband = "4%", unit = "%")]
    pub(crate) humidity: f64,
    /// The sensors' clocks count seconds.
    #[persist(timestamp = "s")]
    pub(crate) at: u32,
}

/// Breathed air. Ventilation is controlled by it; a month is enough to find a window that is never opened.
#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "building.{room}.co2", retention = "30d", max_silence = "6h")]
pub(crate) struct CarbonDioxide(
    #[persist(deadband = 50, unit = "ppm")] pub(crate) u16,
    #[persist(timestamp)] pub(crate) u64,
);

/// Somebody is there, or nobody. The newest row is the state, and stays however long nothing changes.
#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(
    key = "building.{room}.motion",
    retention = "7d",
    on_change,
    keep_last = 2
)]
pub(crate) struct Motion {
    pub(crate) occupied: bool,
    #[persist(timestamp)]
    pub(crate) at: u64,
}

/// What a room is to be heated to. Whoever set it does not want to do so again after a power cut.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Persist)]
#[persist(key = "building.{room}.set_point", on_change, restore)]
pub(crate) struct SetPoint {
    #[persist(unit = "°C")]
    pub(crate) celsius: f64,
    #[persist(timestamp)]
    pub(crate) at: u64,
}

/// Each opening and closing counts. The controller repeats an event that was not acknowledged: once is enough.
#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(
    key = "building.{door}.door",
    retention = "1y",
    on_duplicate = "ignore"
)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum Door {
    Opened {
        badge: u32,
        #[persist(timestamp)]
        at: u64,
    },
    Closed {
        #[persist(timestamp)]
        at: u64,
    },
}

/// The counter of the electricity meter, by which the tenants pay: the last of every quarter of an hour, for ever.
#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(
    key = "building.{meter}.energy",
    retention = "forever",
    min_interval = "15m",
    keep = "last"
)]
pub(crate) struct Energy {
    #[persist(unit = "kWh")]
    pub(crate) counter: f64,
    #[persist(timestamp)]
    pub(crate) at: u64,
}

/// The mains. A deadband of one part in a hundred keeps the dips and drops the noise.
#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "building.{meter}.mains", retention = "90d", max_silence = "1d")]
#[serde(rename_all = "camelCase")]
pub(crate) struct Mains {
    #[persist(deadband = "1%", unit = "V")]
    pub(crate) line_voltage: f64,
    #[persist(timestamp)]
    pub(crate) measured_at: u64,
}

/// Where the lift is. It reports ten times a minute in bursts, so its ring is large; one row a minute shows how it is
/// used, and no more than so many rows are ever needed.
#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(
    key = "building.lift",
    buffer = "ring(65536)",
    min_interval = "1m",
    max_rows = 5_000
)]
pub(crate) struct Lift {
    pub(crate) floor: i8,
    #[persist(timestamp)]
    pub(crate) at: u64,
}

/// Few, and never to be lost for their age alone.
#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "building.alarm", retention = "2y", keep_last = 100)]
pub(crate) struct Alarm {
    pub(crate) message: String,
    #[persist(timestamp)]
    pub(crate) at: u64,
}

/// Which software a device runs. It reports every minute how long it has been up, which is no news.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Persist)]
#[persist(
    key = "building.{device}.firmware",
    on_change,
    restore,
    version = 2,
    migrate(FirmwareV1)
)]
pub(crate) struct Firmware {
    pub(crate) release: (u16, u16),
    #[persist(ignore, unit = "s")]
    pub(crate) uptime_s: u64,
}

/// As the first program wrote it: the release was a text.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct FirmwareV1 {
    pub(crate) release: String,
}

impl From<FirmwareV1> for Firmware {
    fn from(FirmwareV1 { release }: FirmwareV1) -> Self {
        let number = |text: &str| text.parse().unwrap_or_default();
        let (major, minor) = release.split_once('.').unwrap_or((&release, "0"));
        Self {
            release: (number(major), number(minor)),
            uptime_s: 0,
        }
    }
}

/// Tomorrow's weather, for the heating. A new forecast of an hour takes the place of the one before.
#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "building.forecast", retention = "30d", on_duplicate = "replace")]
pub(crate) struct Forecast {
    #[persist(unit = "°C")]
    pub(crate) celsius: f64,
    /// The hour that it is about.
    #[persist(timestamp = "s")]
    pub(crate) valid_for: u64,
}

/// How the gateway itself is. Only the newest is of interest, and after a restart only if it is recent.
#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(
    key = "building.gateway",
    buffer = "latest",
    max_rows = 1_000,
    restore = "1h"
)]
pub(crate) struct Gateway {
    #[persist(unit = "%")]
    pub(crate) disk_used: f64,
    pub(crate) uptime_s: u64,
}
