//! A history's handle, for programs that never see their database.

use std::any::Any;
use std::fmt;

use aimdb_persistence_backend::PersistenceError;

use crate::aimdb::database::AimDbQueryExt;
use crate::archive::Archive;
use crate::query::ask::Ask;
use crate::recorder::intake::Persistence;

/// The history of a database, without the database: from [`persistence`](crate::AimDbBuilderPersistExt::persistence) on the
/// builder.
///
/// It is for programs whose database is built and kept by something else, such as `aimdb-sync`. It is asked like a database
/// ([`Ask`]), and flushes, closes and counts like one ([`AimDbQueryExt`]). Clones are the same handle.
///
/// | when | a question | a flush or a close |
/// |---|---|---|
/// | `with_persistence` was not called | [`NotConfigured`](PersistenceError::NotConfigured) | the same |
/// | before `build()` | answered, from earlier runs | has nothing to wait for; after a close nothing is recorded |
/// | while the database runs | answered | as the database's own |
/// | after the database has gone | answered | waits for what is still on its way |
///
/// A handle keeps the backend open, and its file. It does not keep the database.
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
/// use aimdb_persistence::prelude::*;
/// use aimdb_persistence::{MemoryBackend, PersistenceHandle};
///
/// /// The builder goes to whoever runs the database, and the handle stays here.
/// fn with_history<B: AimDbBuilderPersistExt>(builder: B) -> (B, PersistenceHandle) {
///     let builder = builder.with_persistence(Arc::new(MemoryBackend::new()), Duration::MAX);
///     let history = builder.persistence();
///     (builder, history)
/// }
///
/// async fn end(history: PersistenceHandle) -> Result<(), aimdb_persistence::PersistenceError> {
///     let closed = history.close_persistence(Duration::from_secs(10)).await?;
///     println!("{}", closed.stats);
///     Ok(())
/// }
/// ```
#[derive(Clone)]
pub struct PersistenceHandle {
    pub(crate) persistence: Option<Persistence>,
}

impl Ask for PersistenceHandle {
    fn archive(&self) -> Result<&Archive, PersistenceError> {
        let persistence = self.persistence.as_ref();
        let recorder = persistence.ok_or(PersistenceError::NotConfigured)?;
        Ok(recorder.recorder()?.archive())
    }
}

/// A handle cannot publish: [`restore_persistence`](AimDbQueryExt::restore_persistence) needs the database itself, and
/// answers [`Refused`](crate::report::RestoreOutcome::Refused) for each series.
impl AimDbQueryExt for PersistenceHandle {
    fn persistence(&self) -> Option<&Persistence> {
        self.persistence.as_ref()
    }

    fn as_any(&self) -> &(dyn Any + Sync) {
        self
    }
}

impl fmt::Debug for PersistenceHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PersistenceHandle")
            .field("archive", &self.archive().ok())
            .finish_non_exhaustive()
    }
}
