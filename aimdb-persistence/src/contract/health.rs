//! What a backend does of its own accord, and how a database comes to tell of it.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde::Serialize;

use crate::archive::event::PersistenceEvent;

/// What a backend has done of its own accord since it was opened, which no answer to a call tells.
///
/// It only ever grows, so that several databases may watch one backend:
/// [`PersistenceBackend::health`](crate::PersistenceBackend::health) is asked again and again.
///
/// ```
/// use aimdb_persistence::{BackendHealth, FreshStart};
///
/// let mut health = BackendHealth::default();
/// health.evicted += 500;
/// health.fresh_starts.push(FreshStart::new("history.db was damaged").set_aside("history.db.corrupt"));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct BackendHealth {
    /// Rows removed before their time, the oldest first, to stay within a size that was set.
    pub evicted: u64,
    /// When recording went on without what had been stored before, in order.
    pub fresh_starts: Vec<FreshStart>,
}

/// Recording went on in empty storage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FreshStart {
    /// What was wrong with the storage.
    pub reason: String,
    /// Where it lies now, if it was set aside.
    pub set_aside: Option<String>,
}

impl FreshStart {
    /// For this reason.
    pub fn new(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            set_aside: None,
        }
    }

    /// What had been stored lies here now.
    #[must_use]
    pub fn set_aside(mut self, location: impl Into<String>) -> Self {
        self.set_aside = Some(location.into());
        self
    }
}

/// How much of a backend's health has been told. Several tasks ask, and may come late with what they heard.
#[derive(Debug, Default)]
pub(crate) struct Told {
    eviction: AtomicBool,
    fresh_starts: AtomicUsize,
}

impl Told {
    /// What has not been told yet, as events: each fresh start, and the first rows evicted.
    pub(crate) fn news(&self, health: &BackendHealth) -> Vec<PersistenceEvent> {
        let mut news = Vec::new();
        if health.evicted > 0 && !self.eviction.swap(true, Ordering::Relaxed) {
            let rows = health.evicted;
            news.push(PersistenceEvent::Evicted { rows });
        }
        let starts = &health.fresh_starts;
        let told = self.fresh_starts.fetch_max(starts.len(), Ordering::Relaxed);
        for start in starts.iter().skip(told).cloned() {
            news.push(PersistenceEvent::StartedAfresh { start });
        }
        news
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fresh_start_is_told_once_and_evictions_once() {
        let told = Told::default();
        let mut health = BackendHealth::default();
        assert_eq!(told.news(&health), []);
        health.evicted = 7;
        let one = FreshStart::new("damaged").set_aside("aside");
        health.fresh_starts.push(one.clone());
        assert_eq!(
            told.news(&health),
            [
                PersistenceEvent::Evicted { rows: 7 },
                PersistenceEvent::StartedAfresh { start: one }
            ]
        );
        health.evicted = 9;
        let two = FreshStart::new("gone");
        health.fresh_starts.push(two.clone());
        let news = [PersistenceEvent::StartedAfresh { start: two }];
        assert_eq!(told.news(&health), news);
        assert_eq!(told.news(&health), []);
        assert_eq!(told.news(&BackendHealth::default()), [], "an older report");
        assert_eq!(told.news(&health), []);
    }
}
