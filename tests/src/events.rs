//! A listener that remembers what it was told.

use std::sync::{Arc, Mutex};

use aimdb_persistence::{PersistenceEvent, report::LossKind};

/// Every event so far; clones share them.
#[derive(Clone, Default)]
pub struct Events(Arc<Mutex<Vec<PersistenceEvent>>>);

impl Events {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// What `PersistenceOptions::on_event` takes.
    pub fn listener(&self) -> impl Fn(&PersistenceEvent) + Send + Sync + use<> {
        let events = self.clone();
        move |event| {
            events
                .0
                .lock()
                .expect("no listener panics")
                .push(event.clone());
        }
    }

    /// Every event, in order.
    pub fn all(&self) -> Vec<PersistenceEvent> {
        self.0.lock().expect("no listener panics").clone()
    }

    /// How many events satisfy the condition.
    pub fn count(&self, condition: impl Fn(&PersistenceEvent) -> bool) -> usize {
        self.all().iter().filter(|event| condition(event)).count()
    }

    /// How many losses of this kind were reported of the record.
    pub fn losses(&self, of: &str, in_this_way: LossKind) -> usize {
        self.count(|event| {
            matches!(event, PersistenceEvent::Loss { record_name, kind, .. }
                if record_name == of && *kind == in_this_way)
        })
    }
}
