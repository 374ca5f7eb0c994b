//! How a file is lost to those who work on it.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use aimdb_persistence::StorageErrorKind;

use crate::error::Failure;
use crate::file::identity::Place;

/// Why a writer has to let go of its file.
pub(crate) enum Loss {
    /// It is damaged.
    Damaged(Place, Failure),
    /// It was moved, removed or replaced by somebody else.
    Gone,
    /// It has been set aside.
    SetAside,
}

/// What to tell those whose rows went into a file that is not at its path any more.
pub(crate) fn gone(path: &Path) -> Failure {
    Failure::new(
        StorageErrorKind::Io,
        path,
        "the file was moved, removed or replaced while it was being recorded into; what was stored until then is \
         not in the file that lies there now, in which recording goes on",
    )
}

/// Damage that a reading thread has met, for the writing thread to hear of.
pub(crate) struct Alarm {
    met: Mutex<Option<(Place, Failure)>>,
    wake: Box<dyn Fn() + Send + Sync>,
}

impl Alarm {
    pub(crate) fn new(wake: impl Fn() + Send + Sync + 'static) -> Self {
        Self {
            met: Mutex::new(None),
            wake: Box::new(wake),
        }
    }

    pub(crate) fn raise(&self, place: &Place, damage: Failure) {
        let met = Some((place.clone(), damage));
        *self.met.lock().unwrap_or_else(PoisonError::into_inner) = met;
        (self.wake)();
    }

    /// Damage to the file at `place`, and not to one that has been set aside since.
    pub(crate) fn heard_of(&self, place: &Place) -> Option<Failure> {
        let met = self
            .met
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        met.filter(|(other, _)| other == place)
            .map(|(_, damage)| damage)
    }
}
