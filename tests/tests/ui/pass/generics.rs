//! Generic types: the bound is on the whole type, so their parameters stay as they are.

use std::fmt::Debug;

use aimdb_persistence::{Declared, Persist, declare::{EventTime, LiteralKey, Record, RowTime}};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "power")]
struct Power<T> {
    watts: T,
}

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "stamped.{id}")]
struct Stamped<T, At: EventTime = u64>
where
    T: Copy,
{
    value: T,
    #[persist(timestamp)]
    at: At,
}

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "labelled.{id}")]
struct Labelled<const CHANNEL: u8>(f64);

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "either.{id}")]
enum Either<L, R>
where
    L: Clone,
{
    Left(L, #[persist(timestamp)] u64),
    Right {
        value: R,
        #[persist(timestamp)]
        at: i64,
    },
}

/// A type that is no record: all of the macro's code stays out of its way.
struct Opaque;

fn key_of<T>() -> String
where
    T: Serialize + DeserializeOwned + Clone + Debug + Send + Sync + 'static,
{
    Power::<T>::series().key().to_owned()
}

fn key_of_record<T>() -> String
where
    Power<T>: Record,
{
    takes_one_series::<Power<T>>();
    Power::<T>::series().key().to_owned()
}

fn takes_one_series<T: LiteralKey>() {}

fn main() {
    let _ = Power { watts: Opaque };
    assert_eq!(key_of::<f64>(), "power");
    assert_eq!(key_of_record::<u8>(), "power");
    assert_eq!(Power::<f64>::DECLARATION.type_name(), "Power");

    let stamped = Stamped { value: 1_u8, at: 7_u64 };
    assert_eq!(stamped.event_time(), RowTime::At(7));
    assert_eq!(Stamped::<u8, i64>::series(1).key(), "stamped.1");

    assert_eq!(Labelled::<3>::series("a").key(), "labelled.a");

    assert_eq!(Either::<u8, u8>::Left(1, 8).event_time(), RowTime::At(8));
    assert_eq!(Either::<u8, u8>::Right { value: 1, at: 9 }.event_time(), RowTime::At(9));
    assert_eq!(Either::<u8, u8>::series("a").key(), "either.a");
}
