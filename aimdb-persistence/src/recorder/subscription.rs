//! How far one stream of values into a record has come.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use event_listener::{Event, EventListener};

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
