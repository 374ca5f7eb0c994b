//! Backends that are slow, fail, panic or hang: what is lost is counted, and nothing waits for ever.

use std::sync::Arc;

use aimdb_persistence::{
    AimDbBuilderPersistExt, PersistenceError, PersistenceEvent, PersistenceOptions,
    declare::BufferKind,
};
use aimdb_persistence_tests::backends::Interposed;
use aimdb_persistence_tests::records::{FOREVER, Temperature};

use crate::aimdb;

mod failing;
mod hanging;
mod overload;
mod readiness;

/// A database with one record, `temperature.sf`, on this backend.
async fn database(
    backend: &Arc<Interposed>,
    buffer: BufferKind,
    options: impl FnOnce(PersistenceOptions) -> PersistenceOptions,
) -> aimdb::Db {
    let plain = PersistenceOptions::new(backend.clone(), FOREVER);
    let mut builder = aimdb::builder().with_persistence_options(options(plain));
    Temperature::series("sf")
        .with_buffer(buffer)
        .register(&mut builder);
    aimdb::build(builder).await
}

async fn produce(db: &aimdb::Db, times: impl IntoIterator<Item = u64>) {
    for at in times {
        aimdb::produce(db, "temperature.sf", Temperature::at(at)).await;
    }
}

/// Gives the recorder its turns, more than it needs to take what was produced; on this runtime nobody else has any.
async fn until_taken() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

/// The times of the stored rows, oldest first.
fn stored(backend: &Interposed) -> Vec<u64> {
    let mut times: Vec<u64> = backend.rows().rows().iter().map(|r| r.stored_at).collect();
    times.reverse();
    times
}

fn is_failing(event: &PersistenceEvent) -> bool {
    matches!(event, PersistenceEvent::BackendFailing { .. })
}

fn is_recovered(event: &PersistenceEvent) -> bool {
    matches!(event, PersistenceEvent::BackendRecovered)
}

fn down() -> PersistenceError {
    PersistenceError::Backend("the server does not answer".to_owned())
}
