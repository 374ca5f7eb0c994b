//! Which part of a backend's health has been reported.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::archive::event::PersistenceEvent;
use aimdb_persistence_backend::BackendHealth;

/// How much of a backend's health has been reported. Several tasks read it, and may report late.
#[derive(Debug, Default)]
pub(crate) struct Told {
    eviction: AtomicBool,
    upkeep: AtomicBool,
    fresh_starts: AtomicUsize,
    new_history: AtomicBool,
    damage: AtomicBool,
    lost_commits: AtomicBool,
}

impl Told {
    /// What has not been reported yet, as events: that a history was begun, each fresh start, the first damage, and the first
    /// rows evicted.
    pub(crate) fn not_yet_told(&self, health: &BackendHealth) -> Vec<PersistenceEvent> {
        let mut events = Vec::new();
        if let Some(history) = &health.new_history
            && !self.new_history.swap(true, Ordering::Relaxed)
        {
            let history = history.clone();
            events.push(PersistenceEvent::HistoryBegun { history });
        }
        if health.evicted > 0 && !self.eviction.swap(true, Ordering::Relaxed) {
            let rows = health.evicted;
            events.push(PersistenceEvent::Evicted { rows });
        }
        if let Some(lost) = &health.lost_commits
            && !self.lost_commits.swap(true, Ordering::Relaxed)
        {
            let lost = lost.clone();
            events.push(PersistenceEvent::CommitsLost { lost });
        }
        if let Some(what) = &health.damage
            && !self.damage.swap(true, Ordering::Relaxed)
        {
            let (rows, what) = (health.damaged_rows, what.clone());
            events.push(PersistenceEvent::Damaged { rows, what });
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
    use aimdb_persistence_backend::{FreshStart, LostCommits, NewHistory};

    #[test]
    fn a_new_history_is_told_of_once() {
        let told = Told::default();
        let mut health = BackendHealth::default();
        let history = NewHistory::new("/data/history.db").made_folder("/data");
        health.new_history = Some(history.clone());
        let event = PersistenceEvent::HistoryBegun { history };
        assert_eq!(
            event.to_string(),
            "a new history was begun at /data/history.db; the folder /data was missing, and was made"
        );
        assert_eq!(told.not_yet_told(&health), [event]);
        assert_eq!(told.not_yet_told(&health), []);
    }

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
        let lost = LostCommits::new(3, 40)
            .since_ms(Some(5))
            .kept("history.db-wal.damaged");
        health.lost_commits = Some(lost.clone());
        let event = PersistenceEvent::CommitsLost { lost };
        assert_eq!(
            event.to_string(),
            "3 commits that were written are missing, with 40 rows or more, from 5 ms on; what is left of them is kept at \
             history.db-wal.damaged: salvage saves it"
        );
        assert_eq!(told.not_yet_told(&health), [event]);
        assert_eq!(told.not_yet_told(&health), []);
        health.damaged_rows = 2;
        health.damage = Some("a checksum does not fit".to_owned());
        let what = "a checksum does not fit".to_owned();
        let events = [PersistenceEvent::Damaged { rows: 2, what }];
        assert_eq!(told.not_yet_told(&health), events);
        health.damaged_rows = 3;
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
