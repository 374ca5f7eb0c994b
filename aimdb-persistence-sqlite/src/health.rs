//! What the backend tells of itself, shared by the thread that writes and the callers that ask.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aimdb_persistence_backend::{BackendHealth, FreshStart, LostCommits, NewHistory};

use crate::error::Failure;

/// Another program may remove the file again and again: the list of new files does not grow without end.
const MOST_LISTED: usize = 100;

#[derive(Clone, Default)]
pub(crate) struct Health(Arc<Mutex<BackendHealth>>);

impl Health {
    pub(crate) fn report(&self) -> BackendHealth {
        self.lock().clone()
    }

    pub(crate) fn note_evicted(&self, rows: u64) {
        self.lock().evicted += rows;
    }

    pub(crate) fn note_lost_commits(&self, lost: LostCommits) {
        self.lock().lost_commits = Some(lost);
    }

    /// So many rows were left out of an answer; what was found.
    pub(crate) fn note_damage(&self, rows: u64, failure: &Failure) {
        let mut health = self.lock();
        health.damaged_rows += rows;
        health.damage = Some(failure.to_string());
    }

    pub(crate) fn note_upkeep_failure(&self, failure: &Failure) {
        let mut health = self.lock();
        health.upkeep_failures += 1;
        health.upkeep_failure = Some(failure.to_string());
    }

    pub(crate) fn note_fresh_start(&self, start: FreshStart) {
        let mut health = self.lock();
        if health.fresh_starts.len() < MOST_LISTED {
            health.fresh_starts.push(start);
        }
    }

    pub(crate) fn note_new_history(&self, begun: NewHistory) {
        self.lock().new_history = Some(begun);
    }

    fn lock(&self) -> MutexGuard<'_, BackendHealth> {
        // Each change is a single step.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
