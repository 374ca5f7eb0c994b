//! The buffer that a declared record has: a ring, or the latest value. It is for AimDB's readers; the recorder has a queue
//! of its own.
//!
//! An adapter's buffer would do as well, but its crate decides for which targets a program can be built. This one stands on
//! the standard library alone, and behaves as that of the Tokio adapter does.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use aimdb_core_2::DbError;
#[cfg(feature = "metrics")]
use aimdb_core_2::buffer::BufferMetricsSnapshot;
use aimdb_core_2::buffer::BufferReader;

use crate::declaration::declared::BufferKind;

/// The end that values are pushed into. When it is dropped, readers get what is left, and then its end.
pub(super) struct ReaderBuffer<T> {
    shared: Arc<Mutex<Shared<T>>>,
}

/// What AimDB's metrics count: until they are reset.
#[cfg(feature = "metrics")]
#[derive(Default)]
struct Counted {
    produced: u64,
    consumed: u64,
    dropped: u64,
}

struct Shared<T> {
    /// The newest values, as many as are kept.
    values: VecDeque<T>,
    /// How many were pushed.
    pushed: u64,
    kind: BufferKind,
    closed: bool,
    readers: usize,
    /// Readers that wait, by their number.
    waiting: Vec<(u64, Waker)>,
    next_reader: u64,
    #[cfg(feature = "metrics")]
    counted: Counted,
}

impl<T> ReaderBuffer<T> {
    pub(super) fn new(kind: BufferKind) -> Self {
        let shared = Shared {
            values: VecDeque::new(),
            pushed: 0,
            kind,
            closed: false,
            readers: 0,
            waiting: Vec::new(),
            next_reader: 0,
            #[cfg(feature = "metrics")]
            counted: Counted::default(),
        };
        Self {
            shared: Arc::new(Mutex::new(shared)),
        }
    }

    pub(super) fn push(&self, value: T) {
        let mut shared = lock(&self.shared);
        shared.pushed += 1;
        #[cfg(feature = "metrics")]
        {
            shared.counted.produced += 1;
        }
        let capacity = match shared.kind {
            BufferKind::Latest => 1,
            // Whoever subscribes to a ring begins with the value after that.
            BufferKind::Ring(_) if shared.readers == 0 => 0,
            BufferKind::Ring(capacity) => capacity.max(1),
        };
        // What is pushed out is dropped, and who waits is woken, without the lock: both may run code of the program.
        let pushed_out = if capacity == 0 {
            Some(value)
        } else {
            let is_full = shared.values.len() >= capacity;
            let oldest = is_full.then(|| shared.values.pop_front()).flatten();
            shared.values.push_back(value);
            oldest
        };
        let waiting = std::mem::take(&mut shared.waiting);
        drop(shared);
        drop(pushed_out);
        for (_, waker) in waiting {
            waker.wake();
        }
    }

    /// A reader of what comes. It begins with the latest value where that is what is kept.
    pub(super) fn subscribe(&self) -> BufferCursor<T> {
        let mut shared = lock(&self.shared);
        shared.readers += 1;
        shared.next_reader += 1;
        let next = match shared.kind {
            BufferKind::Latest => shared.pushed - shared.values.len() as u64,
            BufferKind::Ring(_) => shared.pushed,
        };
        BufferCursor {
            shared: Arc::clone(&self.shared),
            number: shared.next_reader,
            next,
        }
    }

    /// What was produced, read and missed, and how full the buffer is.
    #[cfg(feature = "metrics")]
    pub(super) fn metrics(&self) -> BufferMetricsSnapshot {
        let shared = lock(&self.shared);
        let capacity = match shared.kind {
            BufferKind::Latest => 1,
            BufferKind::Ring(capacity) => capacity.max(1),
        };
        BufferMetricsSnapshot {
            produced_count: shared.counted.produced,
            consumed_count: shared.counted.consumed,
            dropped_count: shared.counted.dropped,
            occupancy: (shared.values.len(), capacity),
        }
    }

    #[cfg(feature = "metrics")]
    pub(super) fn reset_metrics(&self) {
        lock(&self.shared).counted = Counted::default();
    }

    /// The latest value; a ring has none.
    pub(super) fn peek(&self) -> Option<T>
    where
        T: Clone,
    {
        let shared = lock(&self.shared);
        match shared.kind {
            BufferKind::Latest => shared.values.back().cloned(),
            BufferKind::Ring(_) => None,
        }
    }
}

impl<T> Drop for ReaderBuffer<T> {
    fn drop(&mut self) {
        let mut shared = lock(&self.shared);
        shared.closed = true;
        let waiting = std::mem::take(&mut shared.waiting);
        drop(shared);
        for (_, waker) in waiting {
            waker.wake();
        }
    }
}

/// The place of one reader.
pub(super) struct BufferCursor<T> {
    shared: Arc<Mutex<Shared<T>>>,
    number: u64,
    /// The number of the value that it reads next.
    next: u64,
}

impl<T: Clone> BufferCursor<T> {
    fn read(next: &mut u64, shared: &mut Shared<T>) -> Result<T, DbError> {
        let oldest = shared.pushed - shared.values.len() as u64;
        let missed = oldest.saturating_sub(*next);
        *next = oldest.max(*next);
        let of_value = usize::try_from(*next - oldest).unwrap_or(usize::MAX);
        if missed > 0 && shared.kind != BufferKind::Latest {
            #[cfg(feature = "metrics")]
            {
                shared.counted.dropped += missed;
            }
            return Err(DbError::BufferLagged {
                lag_count: missed,
                buffer_name: NAME.to_owned(),
            });
        }
        match shared.values.get(of_value).cloned() {
            Some(value) => {
                *next += 1;
                #[cfg(feature = "metrics")]
                {
                    shared.counted.consumed += 1;
                }
                Ok(value)
            }
            None if shared.closed => Err(DbError::BufferClosed {
                buffer_name: NAME.to_owned(),
            }),
            None => Err(DbError::BufferEmpty),
        }
    }
}

impl<T: Clone + Send> BufferReader<T> for BufferCursor<T> {
    fn poll_recv(&mut self, context: &mut Context<'_>) -> Poll<Result<T, DbError>> {
        let mut shared = lock(&self.shared);
        let read = Self::read(&mut self.next, &mut shared);
        if !matches!(read, Err(DbError::BufferEmpty)) {
            return Poll::Ready(read);
        }
        let waker = context.waker();
        let own = shared
            .waiting
            .iter_mut()
            .find(|(number, _)| *number == self.number);
        match own {
            Some((_, waiting)) => waiting.clone_from(waker),
            None => shared.waiting.push((self.number, waker.clone())),
        }
        Poll::Pending
    }

    fn try_recv(&mut self) -> Result<T, DbError> {
        let mut shared = lock(&self.shared);
        Self::read(&mut self.next, &mut shared)
    }
}

impl<T> Drop for BufferCursor<T> {
    fn drop(&mut self) {
        let mut shared = lock(&self.shared);
        shared.readers -= 1;
        shared.waiting.retain(|(number, _)| *number != self.number);
        let is_unread = shared.readers == 0 && shared.kind != BufferKind::Latest;
        let unread = is_unread.then(|| std::mem::take(&mut shared.values));
        drop(shared);
        drop(unread);
    }
}

const NAME: &str = "a declared record's buffer";

/// The program's `Clone` may panic under the lock. It has changed nothing then.
fn lock<T>(shared: &Mutex<Shared<T>>) -> MutexGuard<'_, Shared<T>> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::thread;

    use futures_lite::future::block_on;

    use super::*;

    fn next(reader: &mut BufferCursor<u64>) -> Result<u64, String> {
        reader.try_recv().map_err(|error| error.to_string())
    }

    const EMPTY: &str = "Buffer empty: no pending values";
    const LAGGED: &str = "Consumer lagged by 2 messages";

    #[test]
    fn a_reader_of_a_ring_gets_what_comes_after_it_and_learns_what_it_has_missed() {
        let buffer = ReaderBuffer::new(BufferKind::Ring(3));
        buffer.push(1);
        let mut reader = buffer.subscribe();
        assert_eq!(next(&mut reader), Err(EMPTY.to_owned()));
        for value in 2..=6 {
            buffer.push(value);
        }
        assert_eq!(next(&mut reader), Err(LAGGED.to_owned()));
        assert_eq!([4, 5].map(|_| next(&mut reader)), [Ok(4), Ok(5)]);
        drop(buffer);
        assert_eq!(next(&mut reader), Ok(6));
        assert!(next(&mut reader).unwrap_err().contains("closed"));
    }

    #[test]
    fn a_reader_of_the_latest_value_begins_with_it_and_never_learns_of_others() {
        let buffer = ReaderBuffer::new(BufferKind::Latest);
        let mut early = buffer.subscribe();
        buffer.push(1);
        buffer.push(2);
        let mut late = buffer.subscribe();
        assert_eq!(buffer.peek(), Some(2));
        for reader in [&mut early, &mut late] {
            assert_eq!(next(reader), Ok(2));
            assert_eq!(next(reader), Err(EMPTY.to_owned()));
        }
    }

    #[test]
    fn a_ring_that_nobody_reads_keeps_nothing() {
        let (buffer, value) = (ReaderBuffer::new(BufferKind::Ring(8)), Arc::new(()));
        buffer.push(Arc::clone(&value));
        assert_eq!(Arc::strong_count(&value), 1);
        let reader = buffer.subscribe();
        buffer.push(Arc::clone(&value));
        assert_eq!(Arc::strong_count(&value), 2);
        drop(reader);
        assert_eq!(Arc::strong_count(&value), 1);
    }

    #[test]
    fn readers_that_wait_get_every_value_and_the_end() {
        let buffer = ReaderBuffer::new(BufferKind::Ring(1_000));
        let readers = [(); 3].map(|()| buffer.subscribe());
        let readers = readers.map(|mut reader| {
            thread::spawn(move || {
                let mut read = Vec::new();
                while let Ok(value) = block_on(poll_fn(|context| reader.poll_recv(context))) {
                    read.push(value);
                }
                read
            })
        });
        for value in 0..500_u64 {
            buffer.push(value);
        }
        drop(buffer);
        for reader in readers {
            assert_eq!(reader.join().unwrap(), (0..500).collect::<Vec<_>>());
        }
    }
}
