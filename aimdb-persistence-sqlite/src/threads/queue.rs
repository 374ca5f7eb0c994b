//! A bounded queue from async callers to threads: senders await room, takers block.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use aimdb_persistence_backend::PersistenceError;
use tokio::sync::Semaphore;

pub(crate) struct Queue<T> {
    waiting: Mutex<Waiting<T>>,
    arrived: Condvar,
    /// One permit for each free slot; closed together with the queue.
    room: Semaphore,
}

struct Waiting<T> {
    items: VecDeque<Waits<T>>,
    closed: bool,
    woken: bool,
    calls: u64,
}

struct Waits<T> {
    item: T,
    /// Whether it takes one of the slots that senders wait for. What was put back takes none.
    has_slot: bool,
}

/// What a taker gets.
pub(crate) enum Taken<T> {
    Item(T),
    /// Nothing arrived in time, or the taker was woken.
    Nothing,
    /// Nothing waits, and nothing will arrive any more.
    Closed,
}

impl<T> Queue<T> {
    pub(crate) fn with_room_for(slots: usize) -> Self {
        Self {
            waiting: Mutex::new(Waiting {
                items: VecDeque::new(),
                closed: false,
                woken: false,
                calls: 0,
            }),
            arrived: Condvar::new(),
            room: Semaphore::new(slots),
        }
    }

    /// Waits for room, then appends. If the future is dropped while it waits, nothing is sent.
    pub(crate) async fn send(&self, item: T) -> Result<(), PersistenceError> {
        let slot = self
            .room
            .acquire()
            .await
            .map_err(|_| PersistenceError::BackendShutdown)?;
        let mut waiting = self.lock();
        if waiting.closed {
            return Err(PersistenceError::BackendShutdown);
        }
        slot.forget();
        waiting.items.push_back(Waits {
            item,
            has_slot: true,
        });
        // A taker that wakes up would have to wait for the lock.
        drop(waiting);
        self.arrived.notify_one();
        Ok(())
    }

    /// Gives back what was taken, to be taken again after all that waits by now. It is dropped if the queue is closed. There
    /// are never more of these than takers.
    pub(crate) fn put_back(&self, item: T) {
        let mut waiting = self.lock();
        if !waiting.closed {
            waiting.items.push_back(Waits {
                item,
                has_slot: false,
            });
            drop(waiting);
            self.arrived.notify_one();
        }
    }

    fn take(&self, waiting: &mut Waiting<T>) -> Option<T> {
        let Waits { item, has_slot } = waiting.items.pop_front()?;
        if has_slot {
            self.room.add_permits(1);
        }
        Some(item)
    }

    /// Takes the oldest item, waiting for it until `deadline`, or for as long as it takes.
    pub(crate) fn take_until(&self, deadline: Option<Instant>) -> Taken<T> {
        self.take_unless(deadline, |waiting| std::mem::take(&mut waiting.woken))
    }

    /// Takes the oldest item. Returns without one after each call, of which the taker counts those that it has heard.
    pub(crate) fn take_or_be_called(&self, heard: &mut u64) -> Taken<T> {
        self.take_unless(None, |waiting| {
            std::mem::replace(heard, waiting.calls) != waiting.calls
        })
    }

    fn take_unless(
        &self,
        deadline: Option<Instant>,
        mut is_woken: impl FnMut(&mut Waiting<T>) -> bool,
    ) -> Taken<T> {
        let mut waiting = self.lock();
        loop {
            if let Some(item) = self.take(&mut waiting) {
                return Taken::Item(item);
            }
            if waiting.closed {
                return Taken::Closed;
            }
            if is_woken(&mut waiting) {
                return Taken::Nothing;
            }
            waiting = match deadline {
                None => self
                    .arrived
                    .wait(waiting)
                    .unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return Taken::Nothing;
                    }
                    self.arrived
                        .wait_timeout(waiting, left)
                        .unwrap_or_else(PoisonError::into_inner)
                        .0
                }
            };
        }
    }

    /// Takes the oldest item if there is one.
    pub(crate) fn take_now(&self) -> Option<T> {
        self.take(&mut self.lock())
    }

    /// Has the taker return even though nothing has arrived.
    pub(crate) fn wake(&self) {
        self.lock().woken = true;
        self.arrived.notify_all();
    }

    /// Has every taker return once even though nothing has arrived.
    pub(crate) fn call(&self) {
        self.lock().calls += 1;
        self.arrived.notify_all();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.room.is_closed()
    }

    /// Nothing more is let in; what waits is still handed out.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.room.close();
        self.arrived.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Waiting<T>> {
        // No code that can panic runs under this lock.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A thread that takes holds this. However the thread ends, nobody waits for it in vain.
pub(crate) struct Taker<T>(pub(crate) std::sync::Arc<Queue<T>>);

impl<T> Drop for Taker<T> {
    fn drop(&mut self) {
        self.0.close();
        while self.0.take_now().is_some() {}
    }
}
