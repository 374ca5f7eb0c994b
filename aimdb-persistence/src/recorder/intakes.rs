//! Every stream of values into the records of one database.

use std::any::TypeId;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

#[cfg(feature = "aimdb-2")]
use crate::recorder::places::BegunTap;
use crate::recorder::restoring::Restorable;
use crate::recorder::subscription::Subscription;

/// Who takes in values, and from where. It exists before the backend is known.
#[derive(Default)]
pub(crate) struct Intakes {
    state: Mutex<State>,
    active_subscriptions: AtomicUsize,
}

#[derive(Default)]
struct State {
    subscriptions: Vec<Arc<Subscription>>,
    /// Which AimDB record is recorded under which name: the same pair twice is one too many.
    taps: HashSet<(Arc<str>, String)>,
    /// Records whose buffer a declaration has set, and the type that declared it.
    registered: HashMap<String, TypeId>,
    /// Records that are given their last stored value back, and how.
    publishers: HashMap<Arc<str>, Arc<dyn Restorable>>,
    /// The taps of declared series, in the order in which they began, until they were looked at.
    #[cfg(feature = "aimdb-2")]
    taps_in_order: Vec<BegunTap>,
}

impl Intakes {
    /// Whether the AimDB record `key` is not yet recorded under `name`; from now on it is.
    pub(crate) fn claim(&self, name: &Arc<str>, key: &str) -> bool {
        self.lock().taps.insert((Arc::clone(name), key.to_owned()))
    }

    /// Whether the record is not registered as this type yet. As another type it goes to AimDB a second time, which
    /// refuses it in its own words.
    pub(crate) fn register_once(&self, key: &str, type_id: TypeId) -> bool {
        self.lock().registered.insert(key.to_owned(), type_id) != Some(type_id)
    }

    pub(crate) fn add_subscription(&self, subscription: Arc<Subscription>) {
        self.active_subscriptions.fetch_add(1, Ordering::AcqRel);
        self.lock().subscriptions.push(subscription);
    }

    pub(crate) fn end_subscription(&self, subscription: &Subscription) {
        subscription.end();
        self.active_subscriptions.fetch_sub(1, Ordering::AcqRel);
    }

    pub(crate) fn subscriptions(&self) -> Vec<Arc<Subscription>> {
        self.lock().subscriptions.clone()
    }

    pub(crate) fn all_subscriptions_ended(&self) -> bool {
        self.active_subscriptions.load(Ordering::Acquire) == 0
    }

    pub(crate) fn add_publisher(&self, name: &Arc<str>, publisher: Arc<dyn Restorable>) {
        self.lock().publishers.insert(Arc::clone(name), publisher);
    }

    pub(crate) fn publisher(&self, name: &str) -> Option<Arc<dyn Restorable>> {
        self.lock().publishers.get(name).cloned()
    }

    #[cfg(feature = "aimdb-2")]
    pub(crate) fn note_tap(&self, tap: BegunTap) {
        self.lock().taps_in_order.push(tap);
    }

    #[cfg(feature = "aimdb-2")]
    pub(crate) fn take_taps(&self) -> Vec<BegunTap> {
        std::mem::take(&mut self.lock().taps_in_order)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
