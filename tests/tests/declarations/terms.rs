//! Each attribute is one term of the declaration, by the names that serde stores.

use aimdb_persistence::{
    BufferKind, Deadband, Declaration, Declared, FieldInfo, Keep, Numeric, OnDuplicate, Persist,
    Policy, Restore, Retention,
};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(
    key = "climate.{room}",
    retention = "30d",
    keep_last = 10,
    max_rows = 1_000_000,
    min_interval = "500ms",
    keep = "last",
    max_silence = "1h",
    on_duplicate = "replace",
    restore = "2h",
    version = 1,
    buffer = "latest"
)]
#[serde(rename_all = "camelCase")]
struct Climate {
    #[persist(deadband = 0.2, unit = "°C")]
    air_temperature: f64,
    #[serde(rename = "rh")]
    #[persist(deadband = "2%", unit = "%")]
    humidity: Option<f32>,
    #[persist(deadband = 50)]
    co2_ppm: u16,
    #[persist(deadband = 1)]
    level: Level,
    #[persist(timestamp = "s")]
    measured_at: u32,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Level(u8);

impl Numeric for Level {}

#[test]
fn every_attribute_is_a_term_of_the_declaration() {
    let policy = Policy::new()
        .deadband("airTemperature", Deadband::Absolute(0.2))
        .deadband("rh", Deadband::Relative(0.02))
        .deadband("co2Ppm", Deadband::Absolute(50.0))
        .deadband("level", Deadband::Absolute(1.0))
        .min_interval_ms(500, Keep::Last)
        .max_silence_ms(3_600_000)
        .keep_last(10)
        .max_rows(1_000_000)
        .on_duplicate(OnDuplicate::Replace);
    const FIELDS: [FieldInfo; 2] = [
        FieldInfo::new("airTemperature").with_unit("°C"),
        FieldInfo::new("rh").with_unit("%"),
    ];
    let declaration = Declaration::new("Climate", "climate.{room}")
        .with_retention(Retention::Milliseconds(30 * 86_400_000))
        .with_buffer(BufferKind::Latest)
        .with_policy(policy)
        .with_restore(Restore::NoOlderThan(7_200_000))
        .with_version(1)
        .with_fields(&FIELDS)
        .with_event_time_fields(&["measuredAt"]);
    assert_eq!(Climate::DECLARATION, declaration);
}

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "firmware", on_change, restore)]
struct Firmware {
    version: String,
    #[persist(ignore)]
    uptime_s: u64,
}

#[test]
fn flags_stand_alone() {
    let declaration = Declaration::new("Firmware", "firmware")
        .with_policy(Policy::new().on_change().ignore("uptime_s"))
        .with_restore(Restore::Always);
    assert_eq!(Firmware::DECLARATION, declaration);
}

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "meter", min_interval = "1m")]
struct Meter {
    kwh: f64,
}

#[test]
fn an_interval_keeps_its_first_value_unless_told_otherwise() {
    let policy = Policy::new().min_interval_ms(60_000, Keep::First);
    assert_eq!(Meter::DECLARATION.policy(), policy);
}

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "plain")]
struct Plain {
    celsius: f64,
}

#[test]
fn without_attributes_every_value_is_stored() {
    assert_eq!(Plain::DECLARATION, Declaration::new("Plain", "plain"));
    assert_eq!(Plain::DECLARATION.policy(), Policy::default());
}

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "valve.{id}")]
#[serde(rename_all_fields = "SCREAMING_SNAKE_CASE")]
enum Valve {
    Opened {
        #[persist(deadband = 5, unit = "%")]
        opened_to: u8,
        #[persist(timestamp)]
        at: u64,
    },
    #[serde(rename = "stuck")]
    Stuck(#[persist(deadband = 1)] f32, #[persist(timestamp)] u64),
    Closed(#[persist(timestamp)] u64),
}

#[test]
fn a_field_of_a_variant_is_named_by_its_path() {
    let policy = Policy::new()
        .deadband("Opened.OPENED_TO", Deadband::Absolute(5.0))
        .deadband("stuck.0", Deadband::Absolute(1.0));
    const FIELDS: [FieldInfo; 1] = [FieldInfo::new("Opened.OPENED_TO").with_unit("%")];
    let declaration = Declaration::new("Valve", "valve.{id}")
        .with_policy(policy)
        .with_fields(&FIELDS)
        .with_event_time_fields(&["Opened.AT", "stuck.1", "Closed"]);
    assert_eq!(Valve::DECLARATION, declaration);
}

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "celsius")]
struct Celsius(#[persist(deadband = 0.5, unit = "°C")] f64);

#[test]
fn the_number_of_a_newtype_is_the_whole_value() {
    let policy = Policy::new().deadband("", Deadband::Absolute(0.5));
    assert_eq!(Celsius::DECLARATION.policy(), policy);
    assert_eq!(
        Celsius::DECLARATION.fields(),
        [FieldInfo::new("").with_unit("°C")]
    );
}
