//! What the recorder knows of one record, and of one stream of values into it.

use std::any::TypeId;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, Weak};

use event_listener::{Event, EventListener};

use super::Recorder;
use crate::stats::{Counters, Outcome, RecordStats};
use crate::time::Retention;

/// One persisted record.
#[derive(Debug)]
pub(crate) struct RecordState {
    pub(crate) name: Arc<str>,
    pub(crate) counters: Counters,
    pub(crate) declared: OnceLock<DeclaredAs>,
    /// Why nothing of it is being recorded, once that is known.
    pub(crate) problem: OnceLock<String>,
    pub(crate) lag_reported: AtomicBool,
    /// Who spreads the news of losses. Weak, since producers hold on to the record for as long as they like.
    pub(crate) recorder: OnceLock<Weak<Recorder>>,
    open_captures: AtomicUsize,
}

/// What the record's type declares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DeclaredAs {
    pub(crate) type_id: TypeId,
    pub(crate) template: &'static str,
    pub(crate) retention: Option<Retention>,
}

impl RecordState {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.into(),
            counters: Counters::default(),
            declared: OnceLock::new(),
            problem: OnceLock::new(),
            lag_reported: AtomicBool::new(false),
            recorder: OnceLock::new(),
            open_captures: AtomicUsize::new(0),
        }
    }

    /// Counts values as dropped, and spreads the news of the first.
    pub(crate) fn drop_values(&self, values: u64, reason: &str) {
        match self.recorder.get().and_then(Weak::upgrade) {
            Some(recorder) => recorder.lose(self, Outcome::Dropped, values, reason),
            None => {
                self.counters.settle(Outcome::Dropped, values);
            }
        }
    }

    pub(crate) fn capture_opened(&self) {
        self.open_captures.fetch_add(1, Ordering::AcqRel);
    }

    pub(crate) fn capture_closed(&self) {
        self.open_captures.fetch_sub(1, Ordering::AcqRel);
    }

    /// Whether a buffer of the record feeds the recorder, so that no reader of a buffer needs to.
    pub(crate) fn is_captured(&self) -> bool {
        self.open_captures.load(Ordering::Acquire) > 0
    }

    pub(crate) fn stats(&self) -> RecordStats {
        RecordStats {
            record_name: self.name.to_string(),
            counts: self.counters.snapshot(),
            problem: self.problem.get().cloned(),
        }
    }
}

/// One subscriber's progress. A flush asks it to drain what its source holds, and waits for the answer.
#[derive(Debug, Default)]
pub(crate) struct Subscription {
    wake: Event,
    drain_asked: AtomicU64,
    drain_done: AtomicU64,
    shut: AtomicBool,
    ended: AtomicBool,
    progress: Event,
}

impl Subscription {
    /// There are new values, or a drain is asked for.
    pub(crate) fn wake(&self) {
        self.wake.notify(1);
    }

    pub(crate) fn woken(&self) -> EventListener {
        self.wake.listen()
    }

    /// The latest drain asked for. Read it before draining, report it after.
    pub(crate) fn drain_asked(&self) -> u64 {
        self.drain_asked.load(Ordering::Acquire)
    }

    pub(crate) fn drain_outstanding(&self) -> bool {
        self.drain_asked() != self.drain_done.load(Ordering::Acquire)
    }

    pub(crate) fn drained(&self, drain: u64) {
        if self.drain_done.fetch_max(drain, Ordering::AcqRel) < drain {
            self.progress.notify(usize::MAX);
        }
    }

    /// What is produced from now on is not to be recorded.
    pub(crate) fn shut(&self) {
        self.shut.store(true, Ordering::Release);
    }

    pub(crate) fn is_shut(&self) -> bool {
        self.shut.load(Ordering::Acquire)
    }

    pub(crate) fn end(&self) {
        self.ended.store(true, Ordering::Release);
        self.progress.notify(usize::MAX);
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    /// Asks for a drain and returns its number.
    pub(crate) fn ask_to_drain(&self) -> u64 {
        let drain = self.drain_asked.fetch_add(1, Ordering::AcqRel) + 1;
        self.wake();
        drain
    }

    /// Resolves when the subscriber has drained all that was there when it was asked, or has ended.
    pub(crate) async fn wait_for_drain(&self, drain: u64) {
        loop {
            let progress = self.progress.listen();
            if self.has_ended() || self.drain_done.load(Ordering::Acquire) >= drain {
                return;
            }
            progress.await;
        }
    }
}
