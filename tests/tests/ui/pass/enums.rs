//! Enums, with a timestamp in every variant or in none.

use aimdb_persistence::{Declared, Persist, declare::RowTime};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "door.{id}")]
enum Door {
    Opened {
        by: String,
        #[persist(timestamp)]
        at: u64,
    },
    Closed(#[persist(timestamp)] u64),
    Jammed(String, #[persist(timestamp)] i64, u8),
}

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "light.{id}")]
enum Light {
    On,
    Dimmed(u8),
    Off {},
}

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "never")]
enum Never {}

fn main() {
    let opened = Door::Opened { by: "anna".into(), at: 1 };
    assert_eq!(opened.event_time(), RowTime::At(1));
    assert_eq!(Door::Closed(2).event_time(), RowTime::At(2));
    assert_eq!(Door::Jammed("ice".into(), 3, 9).event_time(), RowTime::At(3));
    assert_eq!(Door::Jammed("ice".into(), -3, 9).event_time(), RowTime::Unrepresentable);
    assert_eq!(Door::series("front").key(), "door.front");

    for light in [Light::On, Light::Dimmed(3), Light::Off {}] {
        assert_eq!(light.event_time(), RowTime::Received);
    }
    assert_eq!(Never::series().key(), "never");
}
