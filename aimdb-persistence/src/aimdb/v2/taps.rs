//! Which records the recorder's taps stand on: looked at while the database is built.

use std::any::Any;
use std::fmt::Debug;
use std::future::ready;
use std::marker::PhantomData;
use std::pin::Pin;

use aimdb_core_2::connector::ConnectorBuilder;
use aimdb_core_2::{AimDb, DbResult, RecordKey};

use crate::recorder::intake::Persistence;
use crate::recorder::places::{Place, Tapped};

/// AimDB hands the database that it builds to its connectors. This one connects to nothing.
pub(super) struct LookAtTaps(pub(super) Persistence);

type Futures = Vec<Pin<Box<dyn Future<Output = ()> + Send>>>;

impl ConnectorBuilder for LookAtTaps {
    fn build<'a>(
        &'a self,
        db: &'a AimDb,
    ) -> Pin<Box<dyn Future<Output = DbResult<Futures>> + Send + 'a>> {
        let graph = db.inner().dependency_graph();
        let places: Vec<_> = graph
            .topo_order()
            .iter()
            .map(|key| Place {
                key,
                taps: graph.node(key).map_or(0, |node| node.tap_count),
            })
            .collect();
        self.0.report_misplaced(db, &places);
        Box::pin(ready(Ok(Vec::new())))
    }

    fn scheme(&self) -> &str {
        "aimdb-persistence"
    }
}

/// Says whether a buffer is the one that a tap reads.
pub(super) type IsItsBuffer = Box<dyn Fn(&dyn Any) -> bool + Send>;

/// A tap on a record with values of this type.
pub(super) struct TapOn<T> {
    /// Whether this is the buffer that the tap's record was given.
    is_its_buffer: Option<IsItsBuffer>,
    of: PhantomData<fn() -> T>,
}

impl<T> TapOn<T> {
    pub(super) fn new(is_its_buffer: Option<IsItsBuffer>) -> Self {
        Self {
            is_its_buffer,
            of: PhantomData,
        }
    }
}

impl<T: Send + Sync + Clone + Debug + 'static> Tapped for TapOn<T> {
    fn may_be_on(&self, db: &dyn Any, key: &str) -> bool {
        let db = db.downcast_ref::<AimDb>();
        let record = db.and_then(|db| db.inner().get_typed_record_by_key::<T>(key).ok());
        let Some(record) = record else {
            return false;
        };
        match (&self.is_its_buffer, record.buffer()) {
            (Some(is_its_buffer), Some(buffer)) => is_its_buffer(buffer.as_any()),
            (Some(_), None) => false,
            (None, _) => true,
        }
    }

    fn keys_of_its_type(&self, db: &dyn Any) -> Vec<String> {
        let Some(db) = db.downcast_ref::<AimDb>() else {
            return Vec::new();
        };
        let records = db.inner().records_of_type::<T>().into_iter();
        let keys = records.filter_map(|record| db.inner().key_for(record));
        keys.map(|key| key.as_str().to_owned()).collect()
    }
}
