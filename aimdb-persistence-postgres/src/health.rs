//! What the backend tells of itself, shared by the task that writes and the callers that ask.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aimdb_persistence_backend::{BackendHealth, NewHistory};

use crate::error::Failure;

#[derive(Clone, Default)]
pub(crate) struct Health(Arc<Mutex<BackendHealth>>);

impl Health {
    pub(crate) fn report(&self) -> BackendHealth {
        self.lock().clone()
    }

    pub(crate) fn note_new_history(&self, location: String) {
        self.lock().new_history = Some(NewHistory::new(location));
    }

    pub(crate) fn note_upkeep_failure(&self, failure: &Failure) {
        let mut health = self.lock();
        health.upkeep_failures += 1;
        health.upkeep_failure = Some(failure.to_string());
    }

    fn lock(&self) -> MutexGuard<'_, BackendHealth> {
        // Each change is a single step.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
