//! Giving a record its last stored value back: what is kept of each record that wants it.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use aimdb_persistence_backend::{DecodeError, Row};

use crate::declaration::versions::FromStored;
use crate::recorder::capture::Capture;

/// Produces a value into the record of this key of a database, whose type the AimDB module knows, at once.
pub(crate) type ProduceAtOnce<T> = fn(db: &dyn Any, key: &str, value: T) -> Result<(), String>;

/// A record that is given its last stored value back.
pub(crate) trait Restorable: Send + Sync {
    /// Whether a value has arrived in it.
    fn has_value(&self) -> bool;

    fn publish(&self, db: &dyn Any, row: Row<'_>) -> Published;
}

/// What has become of a stored value that was to be published.
#[derive(Debug)]
pub(crate) enum Published {
    Restored,
    /// A live value was faster.
    HasValue,
    Undecodable(DecodeError),
    Refused(String),
}

/// A record whose buffer feeds the recorder.
pub(crate) struct CapturedRecord<T> {
    pub(crate) capture: Arc<Capture<T>>,
    pub(crate) from_stored: FromStored<T>,
    pub(crate) produce: ProduceAtOnce<T>,
}

impl<T: Clone + Send> Restorable for CapturedRecord<T> {
    fn has_value(&self) -> bool {
        self.capture.has_value()
    }

    fn publish(&self, db: &dyn Any, row: Row<'_>) -> Published {
        // The user's code runs in here: `Deserialize`, `From` of an older version, `Clone`.
        let published = catch_unwind(AssertUnwindSafe(|| {
            let value = match (self.from_stored)(row.version, row.json) {
                Ok(value) => value,
                Err(error) => return Published::Undecodable(error),
            };
            let produce = || (self.produce)(db, row.record_name, value);
            match self.capture.restore(produce) {
                Some((_, true)) => Published::Restored,
                Some((Err(reason), false)) => Published::Refused(reason),
                Some((Ok(()), false)) | None => Published::HasValue,
            }
        }));
        published.unwrap_or_else(|_| Published::Refused("the code of its type panicked".to_owned()))
    }
}
