//! Each attribute is one term of the declaration, by the names that serde stores.

use aimdb_persistence::{
    Deadband, Declared, Field, Keep, OnDuplicate, Persist, Policy, Restore, Retention,
    declare::{BufferKind, Declaration, FieldInfo, FieldKind, FieldPath, Numeric},
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

const fn at(path: &'static [&'static str]) -> Field<(), f64> {
    Field::at(path)
}

const fn of_kind(path: &'static str, kind: FieldKind) -> FieldInfo {
    FieldInfo::new(path).with_kind(kind)
}

#[test]
fn every_attribute_is_a_term_of_the_declaration() {
    let fields = Climate::fields();
    let policy = Policy::new()
        .deadband(fields.air_temperature, Deadband::Absolute(0.2))
        .deadband(fields.humidity, Deadband::Relative(0.02))
        .deadband(fields.co2_ppm, Deadband::Absolute(50.0))
        .deadband(fields.level, Deadband::Absolute(1.0))
        .min_interval_ms(500, Keep::Last)
        .max_silence_ms(3_600_000)
        .keep_last(10)
        .max_rows(1_000_000)
        .on_duplicate(OnDuplicate::Replace);
    const FIELDS: [FieldInfo; 5] = [
        of_kind("airTemperature", FieldKind::Float).with_unit("°C"),
        of_kind("rh", FieldKind::Float).with_unit("%"),
        of_kind("co2Ppm", FieldKind::Integer),
        of_kind("level", FieldKind::Other),
        of_kind("measuredAt", FieldKind::Integer),
    ];
    const TIMES: [FieldPath; 1] = [at(&["measuredAt"]).path()];
    let declaration = Declaration::new("Climate", "climate.{room}")
        .with_retention(Retention::Milliseconds(30 * 86_400_000))
        .with_buffer(BufferKind::Latest)
        .with_policy(policy)
        .with_restore(Restore::NoOlderThan(7_200_000))
        .with_version(1)
        .with_fields(&FIELDS)
        .with_event_time_fields(&TIMES);
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
    const FIELDS: [FieldInfo; 2] = [
        of_kind("version", FieldKind::Text),
        of_kind("uptime_s", FieldKind::Integer),
    ];
    let uptime = Firmware::fields().uptime_s;
    let declaration = Declaration::new("Firmware", "firmware")
        .with_fields(&FIELDS)
        .with_policy(Policy::new().on_change().ignore(uptime))
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
    const FIELDS: [FieldInfo; 1] = [of_kind("celsius", FieldKind::Float)];
    let declaration = Declaration::new("Plain", "plain").with_fields(&FIELDS);
    assert_eq!(Plain::DECLARATION, declaration);
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
        .deadband(
            at(&["OPENED_TO"]).of_variant("Opened"),
            Deadband::Absolute(5.0),
        )
        .deadband(at(&["0"]).of_variant("stuck"), Deadband::Absolute(1.0));
    const FIELDS: [FieldInfo; 5] = [
        of_kind("Opened.OPENED_TO", FieldKind::Integer).with_unit("%"),
        of_kind("Opened.AT", FieldKind::Integer),
        of_kind("stuck.0", FieldKind::Float),
        of_kind("stuck.1", FieldKind::Integer),
        of_kind("Closed", FieldKind::Integer),
    ];
    const TIMES: [FieldPath; 3] = [
        at(&["AT"]).of_variant("Opened").path(),
        at(&["1"]).of_variant("stuck").path(),
        at(&[]).of_variant("Closed").path(),
    ];
    let declaration = Declaration::new("Valve", "valve.{id}")
        .with_policy(policy)
        .with_fields(&FIELDS)
        .with_event_time_fields(&TIMES);
    assert_eq!(Valve::DECLARATION, declaration);
}

/// Serde tags the variants of these in other ways.
#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "internal")]
#[serde(tag = "type")]
enum Internal {
    Measured {
        #[persist(deadband = 1)]
        value: f64,
    },
    Failed {
        value: i64,
    },
}

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "adjacent", on_change)]
#[serde(tag = "t", content = "c", rename_all = "lowercase")]
enum Adjacent {
    Measured {
        #[persist(ignore)]
        value: f64,
    },
    Failed(i64),
}

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "untagged")]
#[serde(untagged)]
enum Untagged {
    Measured {
        #[persist(deadband = 1)]
        celsius: f64,
    },
    Failed {
        code: i64,
    },
}

#[test]
fn a_field_of_a_variant_is_found_by_the_tag_of_its_type() {
    let one = Deadband::Absolute(1.0);
    let value = at(&["value"]).of_variant("Measured").tagged("type");
    assert_eq!(
        Internal::DECLARATION.policy(),
        Policy::new().deadband(value, one)
    );
    let value = at(&["value"])
        .of_variant("measured")
        .tagged_beside("t", "c");
    assert_eq!(
        Adjacent::DECLARATION.policy(),
        Policy::new().on_change().ignore(value)
    );
    let celsius = at(&["celsius"]).of_variant("Measured").untagged();
    assert_eq!(
        Untagged::DECLARATION.policy(),
        Policy::new().deadband(celsius, one)
    );
}

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "celsius")]
struct Celsius(#[persist(deadband = 0.5, unit = "°C")] f64);

#[test]
fn the_number_of_a_newtype_is_the_whole_value() {
    let policy = Policy::new().deadband(at(&[]), Deadband::Absolute(0.5));
    assert_eq!(Celsius::DECLARATION.policy(), policy);
    assert_eq!(
        Celsius::DECLARATION.fields(),
        [of_kind("", FieldKind::Float).with_unit("°C")]
    );
}
