//! Whether the handover's task is alive. The runtime drives it, or with AimDB 2 the runner.

use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use event_listener::Event;
use futures_lite::future::or;
use futures_timer::Delay;

/// How long a task may wait for its first poll. After that, nobody seems to drive it.
const TIME_TO_START: Duration = Duration::from_secs(2);

/// The states only go up from 0, which stands for "not begun yet".
const RUNNING: u8 = 1;
const GONE: u8 = 2;

#[derive(Debug, Default)]
pub(crate) struct Running {
    state: AtomicU8,
    changed: Event,
}

/// Held by the task for as long as it runs.
pub(crate) struct RunningGuard<'a>(&'a Running);

impl Running {
    pub(crate) fn begin(&self) -> RunningGuard<'_> {
        self.set(RUNNING);
        RunningGuard(self)
    }

    /// Resolves when the task has ended, or has not begun in good time.
    pub(crate) async fn wait_for_its_absence(&self) {
        let begun = async {
            self.wait_until_at_least(RUNNING).await;
            true
        };
        let late = async {
            Delay::new(TIME_TO_START).await;
            false
        };
        if or(begun, late).await {
            self.wait_until_at_least(GONE).await;
        }
    }

    async fn wait_until_at_least(&self, state: u8) {
        loop {
            let changed = self.changed.listen();
            if self.state.load(Ordering::Acquire) >= state {
                return;
            }
            changed.await;
        }
    }

    fn set(&self, state: u8) {
        self.state.store(state, Ordering::Release);
        self.changed.notify(usize::MAX);
    }
}

impl Drop for RunningGuard<'_> {
    fn drop(&mut self) {
        self.0.set(GONE);
    }
}
