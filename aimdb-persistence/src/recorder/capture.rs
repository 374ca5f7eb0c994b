//! The recorder's own queue of a declared record's values, filled as they are pushed into the record's buffer.
//!
//! The buffer that `register` installs hands every value to the adapter's buffer, for the application's readers. It
//! hands a copy to this queue. So the recorder is subscribed before anything can be produced, its losses are counted
//! exactly, and it depends on no adapter's reader.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

use crate::archive::record::RecordState;
use crate::archive::stats::Outcome;
use crate::declaration::declared::BufferKind;
use crate::recorder::subscription::Subscription;
use crate::time::now_ms;

/// A bounded queue of values between their producers and the recorder.
#[derive(Debug)]
pub(crate) struct Capture<T> {
    queue: Mutex<Queue<T>>,
    capacity: usize,
    /// How a value ends that a newer one pushes out.
    overflow: Outcome,
    /// A restored value is about to be pushed, so the pushing thread is looked at.
    is_restoring: AtomicBool,
    record: Arc<RecordState>,
    subscription: Arc<Subscription>,
}

#[derive(Debug)]
struct Queue<T> {
    values: VecDeque<Received<T>>,
    open: bool,
    has_value: bool,
    restored_by: Option<ThreadId>,
}

/// A value, and when it was produced in Unix milliseconds. It may wait before the recorder takes it.
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
            has_value: false,
            restored_by: None,
        });
        record.capture_opened();
        Self {
            queue,
            capacity,
            overflow,
            is_restoring: AtomicBool::new(false),
            record,
            subscription,
        }
    }

    /// Takes a value in, and lets `pass_on` give it to the application's readers.
    pub(crate) fn push(&self, value: T, pass_on: impl FnOnce(T))
    where
        T: Clone,
    {
        if self.is_restoring.load(Ordering::Acquire) {
            let mut queue = self.lock();
            if queue
                .restored_by
                .take_if(|by| *by == thread::current().id())
                .is_some()
            {
                return self.push_restored(&mut queue, value, pass_on);
            }
        }
        self.take_in(value.clone());
        pass_on(value);
    }

    /// The lock is held to the end, so that no live value overtakes it. The readers see this value first, or not at
    /// all.
    fn push_restored(&self, queue: &mut Queue<T>, value: T, pass_on: impl FnOnce(T)) {
        if !std::mem::replace(&mut queue.has_value, true) {
            pass_on(value);
            self.record.counters.produced(1);
            self.record.counters.settle(Outcome::Restored, 1);
        }
    }

    /// Whether a value has arrived.
    pub(crate) fn has_value(&self) -> bool {
        self.lock().has_value
    }

    /// Without room, the oldest value is pushed out.
    fn take_in(&self, value: T) {
        self.record.counters.produced(1);
        let received = Received::now(value);
        let mut queue = self.lock();
        queue.has_value = true;
        // Under the lock, so that the flush of a close finds every value that was let in before.
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

    /// Runs `produce`, which pushes a restored value on this thread before it returns. Answers what `produce`
    /// answered, and whether the value went to the readers. `None` if a value has arrived already.
    pub(crate) fn restore<X>(&self, produce: impl FnOnce() -> X) -> Option<(X, bool)> {
        let mut queue = self.lock();
        if queue.has_value || queue.restored_by.is_some() {
            return None;
        }
        queue.restored_by = Some(thread::current().id());
        drop(queue);
        self.is_restoring.store(true, Ordering::Release);
        let end = EndOfRestoring(self);
        let produced = produce();
        drop(end);
        Some((produced, self.record.counters.count(Outcome::Restored) > 0))
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

    /// No more values will be produced. What is queued is still recorded.
    pub(crate) fn close(&self) {
        drop(self.shut());
        self.subscription.wake();
    }

    /// Nobody records any more. What is queued is dropped, and so is what still comes.
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

/// Even if producing panicked, the next value of this thread is a live one again.
struct EndOfRestoring<'a, T>(&'a Capture<T>);

impl<T> Drop for EndOfRestoring<'_, T> {
    fn drop(&mut self) {
        self.0.lock().restored_by = None;
        self.0.is_restoring.store(false, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A queue, what its readers have seen, and how many values were restored.
    struct Tried {
        capture: Capture<u8>,
        seen: Mutex<Vec<u8>>,
    }

    impl Tried {
        fn new() -> Self {
            let record = Arc::new(RecordState::new("level", Arc::default()));
            Self {
                capture: Capture::new(BufferKind::default(), record, Arc::default()),
                seen: Mutex::default(),
            }
        }

        fn push(&self, value: u8) {
            let seen = |value| self.seen.lock().unwrap().push(value);
            self.capture.push(value, seen);
        }

        fn push_from_elsewhere(&self, value: u8) {
            thread::scope(|scope| {
                scope.spawn(|| self.push(value));
            });
        }

        /// What the readers have seen, and what is going to be recorded.
        fn outcome(self) -> (Vec<u8>, Vec<u8>) {
            let mut taken = VecDeque::new();
            self.capture.take(&mut taken);
            let recorded = taken.iter().map(|received| received.value).collect();
            (self.seen.into_inner().unwrap(), recorded)
        }
    }

    #[test]
    fn a_restored_value_is_seen_and_not_recorded_and_the_next_of_its_thread_is() {
        let tried = Tried::new();
        let restored = tried.capture.restore(|| tried.push(1));
        assert_eq!(restored, Some(((), true)));
        tried.push(2);
        assert!(tried.capture.restore(|| tried.push(3)).is_none());
        assert_eq!(tried.outcome(), (vec![1, 2], vec![2]));
    }

    #[test]
    fn a_live_value_that_is_faster_stands_alone() {
        let tried = Tried::new();
        let restored = tried.capture.restore(|| {
            tried.push_from_elsewhere(2);
            tried.push(1);
        });
        assert_eq!(restored, Some(((), false)));
        assert_eq!(tried.outcome(), (vec![2], vec![2]));
    }

    #[test]
    fn of_two_that_restore_at_once_one_does() {
        let tried = Tried::new();
        tried.capture.restore(|| {
            thread::scope(|scope| {
                let other = scope.spawn(|| tried.capture.restore(|| tried.push(3)));
                assert!(other.join().unwrap().is_none());
            });
            tried.push(1);
        });
        assert_eq!(tried.outcome(), (vec![1], vec![]));
    }

    #[test]
    fn after_a_restoring_that_came_to_nothing_another_may_succeed() {
        let tried = Tried::new();
        assert_eq!(
            tried.capture.restore(|| "refused"),
            Some(("refused", false))
        );
        assert_eq!(tried.capture.restore(|| tried.push(1)), Some(((), true)));
        assert_eq!(tried.outcome(), (vec![1], vec![]));
    }

    #[test]
    fn after_a_panic_in_the_producing_the_thread_pushes_live_values() {
        let tried = Tried::new();
        let restoring = std::panic::AssertUnwindSafe(|| {
            tried.capture.restore(|| panic!("as this test wants it"))
        });
        std::panic::catch_unwind(restoring).unwrap_err();
        tried.push(2);
        assert_eq!(tried.outcome(), (vec![2], vec![2]));
    }
}
