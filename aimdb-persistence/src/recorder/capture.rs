//! The recorder's own queue of a declared record's values, filled as they are pushed into the record's buffer.
//!
//! The buffer that `register` installs hands every value to the adapter's buffer, for the application's readers, and
//! a copy to this queue. So the recorder is subscribed before anything can be produced, its losses are counted
//! exactly, and it depends on no adapter's reader.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::record::{RecordState, Subscription};
use crate::declaration::BufferKind;
use crate::stats::Outcome;
use crate::time::now_ms;

/// A bounded queue of values between their producers and the recorder.
#[derive(Debug)]
pub(crate) struct Capture<T> {
    queue: Mutex<Queue<T>>,
    capacity: usize,
    /// How a value ends that a newer one pushes out.
    overflow: Outcome,
    record: Arc<RecordState>,
    subscription: Arc<Subscription>,
}

#[derive(Debug)]
struct Queue<T> {
    values: VecDeque<Received<T>>,
    open: bool,
}

/// A value and when it was produced, in Unix milliseconds: it may wait before the recorder comes to it.
#[derive(Debug)]
pub(crate) struct Received<T> {
    pub(crate) value: T,
    pub(crate) at: u64,
}

impl<T> Received<T> {
    pub(crate) fn now(value: T) -> Self {
        Self {
            value,
            at: now_ms(),
        }
    }
}

impl<T> Capture<T> {
    pub(crate) fn new(
        buffer: BufferKind,
        record: Arc<RecordState>,
        subscription: Arc<Subscription>,
    ) -> Self {
        let (capacity, overflow) = match buffer {
            BufferKind::Ring(capacity) => (capacity.max(1), Outcome::Lagged),
            BufferKind::Latest => (1, Outcome::Overwritten),
        };
        let queue = Mutex::new(Queue {
            values: VecDeque::new(),
            open: true,
        });
        record.capture_opened();
        Self {
            queue,
            capacity,
            overflow,
            record,
            subscription,
        }
    }

    /// Takes a value in; the oldest leaves if there is no room.
    pub(crate) fn push(&self, value: T) {
        self.record.counters.produced(1);
        let received = Received::now(value);
        let mut queue = self.lock();
        // Under the lock: whatever is let in before a close is there for its flush to take.
        if !queue.open || self.subscription.is_shut() {
            drop(queue);
            return self.record.drop_values(1, "recording had ended");
        }
        let pushed_out = if queue.values.len() == self.capacity {
            queue.values.pop_front()
        } else {
            None
        };
        queue.values.push_back(received);
        drop(queue);
        if pushed_out.is_some() {
            self.record.counters.settle(self.overflow, 1);
        }
        self.subscription.wake();
    }

    /// Exchanges everything queued for the empty `into`; false once nothing more can come.
    pub(crate) fn take(&self, into: &mut VecDeque<Received<T>>) -> bool {
        let mut queue = self.lock();
        std::mem::swap(&mut queue.values, into);
        queue.open || !into.is_empty()
    }

    pub(crate) fn has_news(&self) -> bool {
        let queue = self.lock();
        !queue.values.is_empty() || !queue.open
    }

    /// No value will be produced any more: what is queued is still recorded.
    pub(crate) fn close(&self) {
        drop(self.shut());
        self.subscription.wake();
    }

    /// Nobody records any more: what is queued, and what still comes, is dropped.
    pub(crate) fn abandon(&self) {
        let values = std::mem::take(&mut self.shut().values);
        self.drop_taken(values.len() as u64);
    }

    fn shut(&self) -> MutexGuard<'_, Queue<T>> {
        let mut queue = self.lock();
        if std::mem::replace(&mut queue.open, false) {
            self.record.capture_closed();
        }
        queue
    }

    /// Values that were taken out and are not going to be recorded.
    pub(crate) fn drop_taken(&self, values: u64) {
        if values > 0 {
            let reason = "recording ended before they were handed to the backend";
            self.record.drop_values(values, reason);
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        self.lock().open
    }

    /// Every change under the lock is a single step, so a panic elsewhere leaves nothing half done.
    fn lock(&self) -> MutexGuard<'_, Queue<T>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
