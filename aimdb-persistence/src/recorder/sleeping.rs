//! Sleeping on the clock of the database's runtime, and on real time when the runtime is gone.

use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aimdb_persistence_backend::BoxFuture;
use futures_lite::FutureExt;
use futures_timer::Delay;

/// Sleeps on the clock of the database's runtime.
pub(crate) type Sleep = Arc<dyn Fn(Duration) -> BoxFuture<'static, ()> + Send + Sync>;

/// The clock by which the tasks of one recorder sleep. Clones are the same one.
#[derive(Clone, Default)]
pub(crate) struct RuntimeClock {
    runtime: Arc<OnceLock<Sleep>>,
    is_gone: Arc<AtomicBool>,
}

impl RuntimeClock {
    /// The runtime has begun to drive the tasks.
    pub(crate) fn begin(&self, runtime: Sleep) {
        // The builder starts the tasks once.
        let _ = self.runtime.set(runtime);
    }

    /// The runtime has dropped the tasks. Its timers must not be asked any more: Tokio's panic.
    pub(crate) fn leave(&self) {
        self.is_gone.store(true, Ordering::Release);
    }

    pub(crate) fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let is_gone = Arc::clone(&self.is_gone);
        let runtime = self.runtime.get();
        let runtime = runtime.filter(|_| !is_gone.load(Ordering::Acquire));
        let mut on_runtime = runtime.map(|sleep| sleep(duration));
        let mut on_real_time = None;
        Box::pin(poll_fn(move |context| match &mut on_runtime {
            Some(slept) if !is_gone.load(Ordering::Acquire) => slept.poll(context),
            _ => on_real_time
                .get_or_insert_with(|| Delay::new(duration))
                .poll(context),
        }))
    }
}
