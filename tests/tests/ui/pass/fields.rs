//! The fields of a type are addressed by where serde puts them, and are as visible as they are.

use aimdb_persistence::{Field, Fields, Persist, declare::HasFields};
use serde::{Deserialize, Serialize};

mod weather {
    use super::*;

    #[derive(Clone, Debug, Serialize, Deserialize, Persist)]
    #[persist(key = "weather.{station}")]
    #[serde(rename_all = "camelCase")]
    pub struct Weather {
        pub air_pressure: f64,
        #[serde(rename = "t.e.m.p")]
        pub r#type: Option<u8>,
        pub(crate) wind: Wind,
        #[serde(flatten)]
        pub(super) rain: Rain,
        #[serde(skip)]
        pub cache: Vec<u8>,
        private: u8,
    }

    impl Weather {
        pub fn private() -> Field<Self, u8> {
            Self::fields().private
        }
    }

    #[derive(Clone, Debug, Serialize, Deserialize, Fields)]
    pub struct Wind {
        #[serde(rename = "gust_kmh")]
        pub gust: f64,
    }

    #[derive(Clone, Debug, Serialize, Deserialize, Fields)]
    pub(crate) struct Rain {
        pub mm: f64,
        private: u8,
    }
}

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "pair")]
struct Pair(f64, #[serde(skip)] u8, u16);

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "newtype")]
struct Celsius(f64);

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "generic")]
struct Generic<T: Copy, const N: usize = 1>
where
    T: PartialEq,
{
    value: T,
    channel: Channel<N>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Channel<const N: usize>;

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "tree")]
struct Tree<T> {
    value: T,
    parent: Option<Box<Self>>,
}

/// Nothing to address, and nothing in the way.
#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "unit")]
struct Unit;

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "unknown")]
#[serde(into = "f64", from = "f64")]
struct Unknown<T: Clone + From<f64> + Into<f64>> {
    value: T,
}

impl<T: Clone + From<f64> + Into<f64>> From<f64> for Unknown<T> {
    fn from(value: f64) -> Self {
        Self { value: value.into() }
    }
}

impl<T: Clone + From<f64> + Into<f64>> From<Unknown<T>> for f64 {
    fn from(unknown: Unknown<T>) -> Self {
        unknown.value.into()
    }
}

/// A type's own function comes first.
#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "own")]
struct Own {
    value: f64,
}

impl Own {
    fn fields() -> &'static str {
        "my fields"
    }
}

fn names_of<T: HasFields>() {}

fn main() {
    use weather::{Rain, Weather, Wind};

    let fields = Weather::fields();
    let pressure: Field<Weather, f64> = fields.air_pressure;
    assert_eq!(pressure.to_string(), "airPressure");
    let kind: Field<Weather, u8> = fields.r#type.some();
    assert_eq!(kind.to_string(), "t.e.m.p");
    let gust: Field<Weather, f64> = fields.wind.then(Wind::fields().gust);
    assert_eq!(gust.to_string(), "wind.gust_kmh");
    assert_eq!(fields.rain.then(Rain::fields().mm).to_string(), "mm");
    assert_eq!(Weather::private().to_string(), "private");
    const GUST: Field<Wind, f64> = Wind::fields().gust;
    assert_eq!(GUST.to_string(), "gust_kmh");

    let pair = Pair::fields();
    let (first, (), third): (Field<Pair, f64>, (), Field<Pair, u16>) = (pair.0, pair.1, pair.2);
    assert_eq!((first.to_string(), third.to_string()), ("0".into(), "1".into()));
    let whole: Field<Celsius, f64> = Celsius::fields().0;
    assert_eq!(whole.to_string(), "");

    let _: Field<Generic<u8, 2>, Channel<2>> = Generic::<u8, 2>::fields().channel;
    let _: Field<Tree<u8>, Option<Box<Tree<u8>>>> = Tree::<u8>::fields().parent;
    names_of::<Tree<f64>>();
    assert_eq!(Unit::series().key(), "unit");
    assert_eq!(Unknown::<f64>::series().key(), "unknown");
    assert_eq!(Own::fields(), "my fields");
}
