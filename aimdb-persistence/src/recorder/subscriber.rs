//! One record's subscriber: drains its source, serialises each value once, and hands rows to the backlog.

use std::collections::VecDeque;
use std::future::{Future, pending};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use aimdb_persistence_backend::json::write;
use futures_lite::future::{or, poll_once, yield_now};
use serde::Serialize;

use crate::archive::record::RecordState;
use crate::archive::stats::Outcome;
use crate::declaration::event_time::RowTime;
use crate::recorder::capture::{Capture, Received};
use crate::recorder::read_back::ReadBack;
use crate::recorder::recording::Recorder;
use crate::recorder::subscription::Subscription;

/// SQLite, and most other storage, keeps times as signed 64-bit integers.
const LATEST_TIME_MS: u64 = i64::MAX as u64;

/// After so many values or bytes of JSON, other tasks of the executor get a turn.
const TURN_VALUES: usize = 128;
const TURN_BYTES: usize = 128 * 1024;

/// No ring of an application's holds more values than this.
const LARGEST_RING: usize = 1 << 20;

/// What a source has to offer at this moment.
pub(crate) enum Next<T> {
    Value(Received<T>),
    /// So many values were overwritten before they could be taken.
    Missed(u64),
    Empty,
    Closed,
}

/// Where a subscriber's values come from.
pub(crate) trait ValueSource<T>: Send {
    /// Whether its values were counted as produced when they were. Those of other sources are when they are taken.
    const COUNTED: bool;

    /// Begins to drain. Returns how many values can be there at most.
    fn look(&mut self) -> usize {
        LARGEST_RING
    }

    fn try_next(&mut self) -> Next<T>;

    /// Resolves when [`try_next`](Self::try_next) may have something. Never resolves if the subscription is woken
    /// instead.
    fn wait(&mut self) -> impl Future<Output = ()> + Send;
}

/// A declared record's own queue. Nobody records any more once it is dropped.
pub(crate) struct CaptureSource<T> {
    capture: Arc<Capture<T>>,
    taken: VecDeque<Received<T>>,
    open: bool,
}

impl<T> CaptureSource<T> {
    pub(crate) fn new(capture: Arc<Capture<T>>) -> Self {
        Self {
            capture,
            taken: VecDeque::new(),
            open: true,
        }
    }
}

impl<T: Send> ValueSource<T> for CaptureSource<T> {
    const COUNTED: bool = true;

    fn look(&mut self) -> usize {
        if self.taken.is_empty() {
            self.open = self.capture.take(&mut self.taken);
        }
        self.taken.len()
    }

    fn try_next(&mut self) -> Next<T> {
        match self.taken.pop_front() {
            Some(value) => Next::Value(value),
            None if self.open => Next::Empty,
            None => Next::Closed,
        }
    }

    async fn wait(&mut self) {
        if !self.capture.has_news() {
            pending().await
        }
    }
}

impl<T> Drop for CaptureSource<T> {
    fn drop(&mut self) {
        self.capture.abandon();
        self.capture.drop_taken(self.taken.len() as u64);
    }
}

/// Records one stream of values.
pub(crate) struct Subscriber<T> {
    pub(crate) recorder: Arc<Recorder>,
    pub(crate) record: Arc<RecordState>,
    pub(crate) subscription: Arc<Subscription>,
    pub(crate) event_time: fn(&T) -> RowTime,
    /// Of a declared type.
    pub(crate) read_back: Option<ReadBack<T>>,
}

impl<T: Serialize> Subscriber<T> {
    /// Runs until the source closes or recording is stopped.
    pub(crate) async fn run<S: ValueSource<T>>(mut self, source: S) {
        // Also where the task is dropped half-way: a flush must not wait for it.
        let end = EndOnDrop {
            recorder: Arc::clone(&self.recorder),
            subscription: Arc::clone(&self.subscription),
        };
        // Dropped before `end`. So what it still holds is counted before a flush learns that the subscriber has
        // ended.
        let mut source = source;
        self.recorder.learn_last(&self.record).await;
        let (mut scratch, mut turn) = (Vec::new(), Turn::default());
        let mut was_last = false;
        while !self.recorder.is_stopped() {
            let woken = self.subscription.woken();
            let drain = self.subscription.drain_asked();
            if self.drain(&mut source, &mut scratch, &mut turn).await == Drained::Closed {
                break;
            }
            self.subscription.drained(drain);
            if self.subscription.drain_outstanding() || self.recorder.is_stopped() {
                continue;
            }
            if self.recorder.has_left_runtime() {
                // Some sources offer their last value only to those who wait.
                if !was_last && poll_once(source.wait()).await.is_some() {
                    was_last = true;
                    continue;
                }
                break;
            }
            or(source.wait(), woken).await;
        }
        if !S::COUNTED && self.recorder.is_stopped() {
            drop(end);
            self.count_as_dropped(source).await;
        }
    }

    /// Counts the values of a source that does not count by itself, after recording was closed.
    async fn count_as_dropped(&self, mut source: impl ValueSource<T>) {
        loop {
            let values = match source.try_next() {
                Next::Value(_) => 1,
                Next::Missed(missed) => missed,
                Next::Empty => {
                    source.wait().await;
                    continue;
                }
                Next::Closed => return,
            };
            self.record.counters.produced(values);
            self.record.drop_values(values, "recording had ended");
            yield_now().await;
        }
    }

    /// Takes everything that is there when the call begins, and no more. Producers may outrun this loop for ever, and
    /// a flush must not wait for what comes after it.
    async fn drain<S: ValueSource<T>>(
        &mut self,
        source: &mut S,
        scratch: &mut Vec<u8>,
        turn: &mut Turn,
    ) -> Drained {
        let (mut left, mut misses) = (source.look(), 0);
        let drained = loop {
            match source.try_next() {
                Next::Value(received) => {
                    if !S::COUNTED {
                        self.record.counters.produced(1);
                    }
                    self.record_value(&received, scratch);
                    left = left.saturating_sub(1);
                    turn.took(scratch.len());
                }
                Next::Missed(missed) => {
                    self.record.counters.produced(missed);
                    self.record.counters.settle(Outcome::Lagged, missed);
                    misses += 1;
                }
                Next::Empty => break Drained::Empty,
                Next::Closed => break Drained::Closed,
            }
            // Between two misses the whole ring was overwritten.
            if left == 0 || misses == 2 {
                break Drained::Empty;
            }
            if turn.is_over() {
                *turn = Turn::default();
                yield_now().await;
            }
        };
        // Values are counted as lagged when they are pushed out. They are reported here.
        self.recorder.report_lag(&self.record);
        drained
    }

    /// From here on the value is in the backlog, or in one of the other counters.
    fn record_value(&mut self, received: &Received<T>, scratch: &mut Vec<u8>) {
        match describe(&received.value, received.at, self.event_time, scratch) {
            Ok(described) => {
                if let Some(read_back) = &mut self.read_back {
                    read_back.try_first(
                        &self.recorder,
                        &self.record,
                        &received.value,
                        described.json,
                    );
                }
                self.recorder.take_in(&self.record, &described);
            }
            Err((outcome, reason)) => self.lose(outcome, &reason),
        }
    }

    fn lose(&self, outcome: Outcome, reason: &str) {
        self.recorder.lose(&self.record, outcome, 1, reason);
    }
}

/// A value as a row.
pub(crate) struct Described<'s> {
    pub(crate) stored_at: u64,
    /// What the value's own time has below the millisecond.
    pub(crate) nanoseconds: u32,
    pub(crate) json: &'s str,
}

/// A value as a row; or else how it is to be counted, and why.
pub(crate) fn describe<'s, T: Serialize>(
    value: &T,
    received_at: u64,
    event_time: fn(&T) -> RowTime,
    scratch: &'s mut Vec<u8>,
) -> Result<Described<'s>, (Outcome, String)> {
    let unserializable = |reason: String| (Outcome::Unserializable, reason);
    scratch.clear();
    // The user's code runs in here: a `Serialize` that panics loses its value and nothing else.
    let described = catch_unwind(AssertUnwindSafe(|| {
        write(value, scratch)?;
        Ok::<_, serde_json::Error>(event_time(value))
    }));
    let time = described
        .map_err(|_| unserializable("its `Serialize` implementation panicked".to_owned()))?
        .map_err(|error| unserializable(error.to_string()))?;
    let (stored_at, nanoseconds) = match time {
        RowTime::Received => (received_at, 0),
        RowTime::At(ms) => (ms, 0),
        RowTime::Within { ms, nanoseconds } => (ms, nanoseconds),
        RowTime::Unrepresentable => (u64::MAX, 0),
    };
    if stored_at > LATEST_TIME_MS {
        let reason = "its event time lies before 1970 or beyond what can be stored";
        return Err((Outcome::Failed, reason.to_owned()));
    }
    let json = std::str::from_utf8(scratch);
    let json = json.map_err(|_| unserializable("its JSON is not UTF-8".to_owned()))?;
    Ok(Described {
        stored_at,
        nanoseconds,
        json,
    })
}

/// What a subscriber has done since other tasks of the executor last had their turn.
#[derive(Default)]
struct Turn {
    values: usize,
    bytes: usize,
}

impl Turn {
    fn took(&mut self, bytes: usize) {
        self.values += 1;
        self.bytes += bytes;
    }

    fn is_over(&self) -> bool {
        self.values >= TURN_VALUES || self.bytes >= TURN_BYTES
    }
}

#[derive(PartialEq, Eq)]
enum Drained {
    Empty,
    Closed,
}

struct EndOnDrop {
    recorder: Arc<Recorder>,
    subscription: Arc<Subscription>,
}

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        self.recorder.end_subscription(&self.subscription);
    }
}
