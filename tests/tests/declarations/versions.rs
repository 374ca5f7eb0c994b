//! Rows of older versions of a type are decoded as what they were written as, and lifted step by step.

use aimdb_persistence::{Declared, Persist, error::DecodeError};
use serde::{Deserialize, Serialize};

type Outcome = Result<(), DecodeError>;

/// Tenths of a degree.
#[derive(Deserialize)]
struct TemperatureV1 {
    tenths: i64,
}

#[derive(Deserialize)]
struct TemperatureV2 {
    celsius: f64,
}

impl From<TemperatureV1> for TemperatureV2 {
    fn from(TemperatureV1 { tenths }: TemperatureV1) -> Self {
        Self {
            celsius: tenths as f64 / 10.0,
        }
    }
}

impl From<TemperatureV2> for Temperature {
    fn from(TemperatureV2 { celsius }: TemperatureV2) -> Self {
        Self {
            kelvin: celsius + 273.15,
            lifted: true,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Persist)]
#[persist(
    key = "temperature",
    version = 3,
    migrate(TemperatureV1, TemperatureV2)
)]
struct Temperature {
    kelvin: f64,
    #[serde(skip)]
    lifted: bool,
}

#[test]
fn a_row_is_lifted_from_its_version_to_the_newest() -> Outcome {
    for (version, json, lifted) in [
        (1, r#"{"tenths":-2731}"#, true),
        (2, r#"{"celsius":-273.1}"#, true),
        (3, r#"{"kelvin":0.05}"#, false),
    ] {
        let temperature = Temperature::from_stored(version, json)?;
        assert!((temperature.kelvin - 0.05).abs() < 1e-9, "{temperature:?}");
        assert_eq!(temperature.lifted, lifted);
    }
    Ok(())
}

#[test]
fn a_row_from_before_any_version_was_declared_is_of_the_first() -> Outcome {
    assert!(Temperature::from_stored(0, r#"{"tenths":1}"#)?.lifted);
    Ok(())
}

#[test]
fn a_row_does_not_decode_as_a_version_that_it_was_not_written_as() {
    let error = Temperature::from_stored(2, r#"{"tenths":1}"#).unwrap_err();
    assert!(matches!(error, DecodeError::Json(_)), "{error}");
}

#[test]
fn a_row_of_a_newer_program_says_so() {
    let error = Temperature::from_stored(4, r#"{"kelvin":0.05}"#).unwrap_err();
    assert!(
        matches!(
            error,
            DecodeError::TooNew {
                stored: 4,
                known: 3
            }
        ),
        "{error}"
    );
}

/// No row of versions 1 and 2 is left.
#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "pressure", version = 4, migrate(.., PressureV3))]
struct Pressure {
    hpa: f64,
}

#[derive(Deserialize)]
struct PressureV3(f64);

impl From<PressureV3> for Pressure {
    fn from(PressureV3(hpa): PressureV3) -> Self {
        Self { hpa }
    }
}

#[test]
fn a_row_of_a_version_that_is_given_up_says_so() -> Outcome {
    assert_eq!(Pressure::from_stored(3, "7.5")?.hpa, 7.5);
    assert_eq!(Pressure::from_stored(4, r#"{"hpa":7.5}"#)?.hpa, 7.5);
    for version in 0..=2 {
        let error = Pressure::from_stored(version, "7.5").unwrap_err();
        assert!(
            matches!(error, DecodeError::TooOld { oldest: 3, .. }),
            "{error}"
        );
    }
    Ok(())
}

/// A generic type is lifted for each of its parameters.
#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "power", version = 2, migrate(PowerV1<T>))]
struct Power<T> {
    watts: T,
}

#[derive(Deserialize)]
struct PowerV1<T> {
    w: T,
}

impl<T> From<PowerV1<T>> for Power<T> {
    fn from(PowerV1 { w }: PowerV1<T>) -> Self {
        Self { watts: w }
    }
}

#[test]
fn a_generic_type_is_lifted_from_a_generic_type() -> Outcome {
    assert_eq!(Power::<u8>::from_stored(1, r#"{"w":7}"#)?.watts, 7);
    Ok(())
}
