//! The ways in which a file is lost while it is being recorded into.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aimdb_persistence_backend::StorageErrorKind;

use crate::error::Failure;
use crate::file::identity::FileIdentity;

/// Why a writer has to let go of its file.
pub(crate) enum Loss {
    /// It is damaged.
    Damaged(FileIdentity, Failure),
    /// Another program moved, removed or replaced it.
    Gone,
    /// It has been set aside.
    SetAside,
}

/// For callers whose rows went into a file that is no longer at its path.
pub(crate) fn gone(path: &Path) -> Failure {
    Failure::new(
        StorageErrorKind::Io,
        path,
        "the file was moved, removed or replaced while it was being recorded into; recording goes on in the file that \
         lies there now, which does not hold what was stored until then",
    )
}

/// What the next flush is to say: that what was stored, or was to be stored, is not in the file.
#[derive(Clone, Default)]
pub(crate) struct Owed(Arc<Mutex<Option<Failure>>>);

impl Owed {
    pub(crate) fn owe(&self, failure: &Failure) {
        *self.lock() = Some(failure.clone());
    }

    pub(crate) fn take(&self) -> Option<Failure> {
        self.lock().take()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Failure>> {
        // Each change is a single step.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells the writing thread what a reading thread has found: damage, or another file at the path.
pub(crate) struct Alarm {
    met: Mutex<Option<(FileIdentity, Failure)>>,
    wake: Box<dyn Fn() + Send + Sync>,
}

impl Alarm {
    pub(crate) fn new(wake: impl Fn() + Send + Sync + 'static) -> Self {
        Self {
            met: Mutex::new(None),
            wake: Box::new(wake),
        }
    }

    pub(crate) fn raise(&self, file: &FileIdentity, damage: Failure) {
        let met = Some((file.clone(), damage));
        *self.met.lock().unwrap_or_else(PoisonError::into_inner) = met;
        (self.wake)();
    }

    /// Has the writing thread look whether its file is still there.
    pub(crate) fn wake(&self) {
        (self.wake)();
    }

    /// The damage, if it is to this file and not to one that has been set aside since.
    pub(crate) fn take_damage_of(&self, file: &FileIdentity) -> Option<Failure> {
        let met = self
            .met
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        met.filter(|(other, _)| other == file)
            .map(|(_, damage)| damage)
    }
}
