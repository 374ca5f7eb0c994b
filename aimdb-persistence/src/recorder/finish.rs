//! What a runtime has left undone is done on a thread of our own, while whoever drops the last task waits for it.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use aimdb_persistence_backend::BoxFuture;
use futures_lite::StreamExt;
use futures_lite::future::block_on;
use futures_util::stream::FuturesUnordered;

use crate::recorder::recording::{GRACE, Recorder};

/// So long is waited for a backend that settles nothing: the thread that waits may be one of a living executor.
const PATIENCE: Duration = Duration::from_secs(2);

/// Does what is left, and tells how many values were not stored. Waits for it, because a process that ends takes the
/// thread along; but not for a backend that hangs.
pub(crate) fn finish(recorder: &Arc<Recorder>, left: Vec<BoxFuture<'static, ()>>) {
    if recorder.is_stopped() || recorder.has_nothing_to_store() {
        return;
    }
    recorder.leave_runtime();
    let (done, finished) = channel::<()>();
    let finishing = thread::Builder::new()
        .name("aimdb-persistence finish".to_owned())
        .spawn(move || {
            let _done = done;
            let mut left: FuturesUnordered<_> = left.into_iter().collect();
            block_on(async { while left.next().await.is_some() {} });
        });
    // Without a thread, what is left was dropped and counted.
    if finishing.is_ok() {
        let deadline = Instant::now() + 2 * GRACE;
        loop {
            let settled = recorder.backlog().settled();
            let waited = finished.recv_timeout(PATIENCE);
            let goes_on = recorder.backlog().settled() > settled && Instant::now() < deadline;
            if waited != Err(RecvTimeoutError::Timeout) || !goes_on {
                break;
            }
        }
    }
    recorder.tell_what_is_missing();
}
