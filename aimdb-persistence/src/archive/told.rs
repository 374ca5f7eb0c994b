//! Which part of a backend's health was reported already.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::archive::event::PersistenceEvent;
use aimdb_persistence_backend::BackendHealth;

/// How much of a backend's health has been told. Several tasks ask, and may come late with what they heard.
#[derive(Debug, Default)]
pub(crate) struct Told {
    eviction: AtomicBool,
    upkeep: AtomicBool,
    fresh_starts: AtomicUsize,
}

impl Told {
    /// What has not been told yet, as events: each fresh start, and the first rows evicted.
    pub(crate) fn not_yet_told(&self, health: &BackendHealth) -> Vec<PersistenceEvent> {
        let mut events = Vec::new();
        if health.evicted > 0 && !self.eviction.swap(true, Ordering::Relaxed) {
            let rows = health.evicted;
            events.push(PersistenceEvent::Evicted { rows });
        }
        if let Some(error) = &health.upkeep_failure
            && !self.upkeep.swap(true, Ordering::Relaxed)
        {
            let error = error.clone();
            events.push(PersistenceEvent::UpkeepFailing { error });
        }
        let starts = &health.fresh_starts;
        let told = self.fresh_starts.fetch_max(starts.len(), Ordering::Relaxed);
        for start in starts.iter().skip(told).cloned() {
            events.push(PersistenceEvent::StartedAfresh { start });
        }
        events
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aimdb_persistence_backend::FreshStart;

    #[test]
    fn each_fresh_start_is_told_once_and_evictions_once() {
        let told = Told::default();
        let mut health = BackendHealth::default();
        assert_eq!(told.not_yet_told(&health), []);
        health.evicted = 7;
        let one = FreshStart::new("damaged").set_aside("aside");
        health.fresh_starts.push(one.clone());
        assert_eq!(
            told.not_yet_told(&health),
            [
                PersistenceEvent::Evicted { rows: 7 },
                PersistenceEvent::StartedAfresh { start: one }
            ]
        );
        health.evicted = 9;
        let two = FreshStart::new("gone");
        health.fresh_starts.push(two.clone());
        let events = [PersistenceEvent::StartedAfresh { start: two }];
        assert_eq!(told.not_yet_told(&health), events);
        assert_eq!(told.not_yet_told(&health), []);
        health.upkeep_failures = 1;
        health.upkeep_failure = Some("disk I/O error".to_owned());
        let error = "disk I/O error".to_owned();
        let events = [PersistenceEvent::UpkeepFailing { error }];
        assert_eq!(told.not_yet_told(&health), events);
        assert_eq!(
            told.not_yet_told(&BackendHealth::default()),
            [],
            "an older report"
        );
        assert_eq!(told.not_yet_told(&health), []);
    }
}
