//! When a value happened, by the field that is marked `timestamp`.

use std::time::{Duration, UNIX_EPOCH};

use aimdb_persistence::{
    Declared, Persist,
    declare::{EventTime, RowTime},
};
use serde::{Deserialize, Serialize};

/// 2010-06-01T12:00:00.789Z, with something left beyond the millisecond where a type can hold it.
const NOON_MS: u64 = 1_275_393_600_789;
const NOON_NS: i64 = 1_275_393_600_789_654_321;

/// A type with one field, its event time.
macro_rules! event {
    ($name:ident, $(#[$attribute:meta])* $field:ty) => {
        #[derive(Clone, Debug, Serialize, Deserialize, Persist)]
        #[persist(key = "event")]
        struct $name {
            $(#[$attribute])*
            at: $field,
        }
    };
}

event!(
    Milliseconds,
    #[persist(timestamp)]
    u64
);
event!(
    MillisecondsByName,
    #[persist(timestamp = "ms")]
    i64
);
event!(
    Seconds,
    #[persist(timestamp = "s")]
    u32
);
event!(
    SignedSeconds,
    #[persist(timestamp = "s")]
    i32
);
event!(
    Microseconds,
    #[persist(timestamp = "us")]
    u64
);
event!(
    Nanoseconds,
    #[persist(timestamp = "ns")]
    i128
);
event!(
    System,
    #[persist(timestamp)]
    std::time::SystemTime
);
event!(
    JiffTimestamp,
    #[persist(timestamp)]
    jiff::Timestamp
);
event!(
    JiffZoned,
    #[persist(timestamp)]
    jiff::ZonedDateTime
);
event!(ChronoUtc, #[persist(timestamp)] chrono::DateTime<chrono::Utc>);
event!(ChronoFixed, #[persist(timestamp)] chrono::DateTime<chrono::FixedOffset>);
event!(
    TimeOffset,
    #[persist(timestamp)]
    time::OffsetDateTime
);
event!(
    TimeUtc,
    #[persist(timestamp)]
    time::UtcDateTime
);

#[test]
fn an_integer_counts_milliseconds_or_the_unit_that_is_declared() {
    let seconds = NOON_MS / 1_000;
    for (time, expected) in [
        (Milliseconds { at: NOON_MS }.event_time(), NOON_MS),
        (MillisecondsByName { at: 7 }.event_time(), 7),
        (Seconds { at: u32::MAX }.event_time(), 4_294_967_295_000),
        (
            SignedSeconds { at: seconds as i32 }.event_time(),
            seconds * 1_000,
        ),
        (
            Microseconds {
                at: NOON_NS as u64 / 1_000,
            }
            .event_time(),
            NOON_MS,
        ),
        (Nanoseconds { at: NOON_NS.into() }.event_time(), NOON_MS),
    ] {
        assert_eq!(time, RowTime::At(expected));
    }
    assert_eq!(
        SignedSeconds { at: -1 }.event_time(),
        RowTime::Unrepresentable
    );
    assert_eq!(
        Nanoseconds { at: -1 }.event_time(),
        RowTime::Unrepresentable
    );
}

#[test]
fn every_kind_of_time_says_the_same_millisecond() -> Result<(), Box<dyn std::error::Error>> {
    let jiff = jiff::Timestamp::from_nanosecond(NOON_NS.into())?;
    let chrono = chrono::DateTime::from_timestamp_nanos(NOON_NS);
    let time = time::OffsetDateTime::from_unix_timestamp_nanos(NOON_NS.into())?;
    let east = chrono::FixedOffset::east_opt(19_800).ok_or("an offset")?;
    let times = [
        System {
            at: UNIX_EPOCH + Duration::from_nanos(NOON_NS as u64),
        }
        .event_time(),
        JiffTimestamp { at: jiff }.event_time(),
        JiffZoned {
            at: jiff.to_zoned_datetime(jiff::tz::TimeZone::fixed(jiff::tz::offset(5))),
        }
        .event_time(),
        ChronoUtc { at: chrono }.event_time(),
        ChronoFixed {
            at: chrono.with_timezone(&east),
        }
        .event_time(),
        TimeOffset {
            at: time.to_offset(time::UtcOffset::from_hms(-7, 30, 0)?),
        }
        .event_time(),
        TimeUtc { at: time.to_utc() }.event_time(),
    ];
    let nanoseconds = (NOON_NS % 1_000_000) as u32;
    let within = RowTime::Within {
        ms: NOON_MS,
        nanoseconds,
    };
    assert_eq!(times, [within; 7]);
    Ok(())
}

#[test]
fn a_nanosecond_before_1970_is_before_1970() -> Result<(), Box<dyn std::error::Error>> {
    let times = [
        (UNIX_EPOCH - Duration::from_nanos(1)).unix_ms(),
        jiff::Timestamp::from_nanosecond(-1)?.unix_ms(),
        chrono::DateTime::from_timestamp_nanos(-1).unix_ms(),
        time::OffsetDateTime::from_unix_timestamp_nanos(-1)?.unix_ms(),
    ];
    assert_eq!(times, [None; 4]);
    Ok(())
}

#[test]
fn a_value_decodes_with_the_time_that_it_was_stored_with() -> Result<(), Box<dyn std::error::Error>>
{
    let event = JiffTimestamp {
        at: jiff::Timestamp::from_nanosecond(NOON_NS.into())?,
    };
    let stored = serde_json::to_string(&event)?;
    assert_eq!(stored, r#"{"at":"2010-06-01T12:00:00.789654321Z"}"#);
    let decoded: JiffTimestamp = serde_json::from_str(&stored)?;
    assert_eq!(decoded.event_time(), event.event_time());
    Ok(())
}
