//! A task that outlives its runtime.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use aimdb_persistence_backend::BoxFuture;

use crate::recorder::finish::finish;
use crate::recorder::recording::Recorder;

/// Work of a recorder that a runtime drives. If the runtime drops it before it is done, it is kept, and the last task
/// to be dropped has all of them finished.
pub(crate) struct Task {
    recorder: Arc<Recorder>,
    work: Option<BoxFuture<'static, ()>>,
    /// A panic within the work ends it.
    is_being_polled: bool,
}

impl Task {
    pub(crate) fn new(recorder: Arc<Recorder>, work: BoxFuture<'static, ()>) -> Self {
        recorder.tasks().begin_one();
        Self {
            recorder,
            work: Some(work),
            is_being_polled: false,
        }
    }
}

impl Future for Task {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.is_being_polled = true;
        let polled = match &mut self.work {
            Some(work) => work.as_mut().poll(context),
            None => Poll::Ready(()),
        };
        self.is_being_polled = false;
        if polled.is_ready() {
            self.work = None;
        }
        polled
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        let work = self.work.take().filter(|_| !self.is_being_polled);
        if let Some(left) = self.recorder.tasks().end_one(work) {
            finish(&self.recorder, left);
        }
    }
}
