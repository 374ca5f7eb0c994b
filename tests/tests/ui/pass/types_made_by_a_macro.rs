//! Types made by a `macro_rules!`, with parts of them from its caller.

use aimdb_persistence::{Declared, Persist, declare::RowTime};
use serde::{Deserialize, Serialize};

macro_rules! record {
    ($name:ident, $key:literal, $field:ident: $at:ty) => {
        #[derive(Clone, Debug, Serialize, Deserialize, Persist)]
        #[persist(key = $key, retention = "7d")]
        struct $name {
            #[persist(timestamp)]
            $field: $at,
        }
    };
}

macro_rules! event {
    ($name:ident, $key:expr, $at:ty) => {
        #[derive(Clone, Debug, Serialize, Deserialize, Persist)]
        #[persist(key = $key)]
        enum $name {
            Happened {
                #[persist(timestamp)]
                at: $at,
            },
        }
    };
}

record!(Temperature, "temperature.{station}", at: u64);
record!(Humidity, "humidity", measured: i64);
event!(Alarm, "alarm.{id}", u64);

fn main() {
    assert_eq!(Temperature::series("sf").key(), "temperature.sf");
    assert_eq!(Temperature { at: 7 }.event_time(), RowTime::At(7));
    assert_eq!(Humidity::series().key(), "humidity");
    assert_eq!(Humidity { measured: 8 }.event_time(), RowTime::At(8));
    assert_eq!(Alarm::series(1).key(), "alarm.1");
    assert_eq!(Alarm::Happened { at: 9 }.event_time(), RowTime::At(9));
}
