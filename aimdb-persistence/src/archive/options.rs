//! How a database records: backend, retention, and the bounds of what waits in memory.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aimdb_persistence_backend::{PersistenceBackend, Retention};

use crate::archive::event::PersistenceEvent;
use crate::archive::remote_access::{RemoteHistory, RemoteLimits};
use crate::archive::reporter::EventListener;
use crate::time::duration_ms;

/// How much may wait in memory for the backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BacklogLimits {
    /// Rows (default: 262,144).
    pub rows: usize,
    /// Bytes of memory (default: 64 MiB).
    pub bytes: usize,
}

impl Default for BacklogLimits {
    fn default() -> Self {
        Self {
            rows: 262_144,
            bytes: 64 * 1024 * 1024,
        }
    }
}

/// All settings of a history. `with_persistence` uses the defaults.
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
/// use aimdb_persistence::{MemoryBackend, PersistenceOptions, options::BacklogLimits};
///
/// let week = Duration::from_secs(7 * 86_400);
/// let options = PersistenceOptions::new(Arc::new(MemoryBackend::new()), week)
///     .backlog(BacklogLimits { rows: 1_000_000, bytes: 256 * 1024 * 1024 })
///     .on_event(|event| eprintln!("history: {event}"));
/// ```
#[derive(Clone)]
pub struct PersistenceOptions {
    pub(crate) backend: Arc<dyn PersistenceBackend>,
    pub(crate) retention: Retention,
    pub(crate) max_ahead_ms: u64,
    pub(crate) linger: Duration,
    pub(crate) backlog: BacklogLimits,
    pub(crate) flush_deadline: Duration,
    pub(crate) listener: Option<EventListener>,
    pub(crate) remote_history: RemoteHistory,
    pub(crate) remote_limits: Option<RemoteLimits>,
}

impl PersistenceOptions {
    /// Rows go to `backend` and are kept for `retention`, unless a record declares its own. `Duration::MAX` keeps
    /// them for ever.
    pub fn new(backend: Arc<dyn PersistenceBackend>, retention: Duration) -> Self {
        Self {
            backend,
            retention: retention.into(),
            max_ahead_ms: 3_600_000,
            linger: Duration::from_millis(250),
            backlog: BacklogLimits::default(),
            flush_deadline: Duration::from_secs(30),
            listener: None,
            remote_history: RemoteHistory::All,
            remote_limits: None,
        }
    }

    /// The least time between two batches, so that a trickle of values shares commits (default: 250 ms). The first
    /// value after a pause waits 5 ms. A flush, a full batch and the end of the database do not wait. A longer time
    /// spares flash memory. Values that linger are lost if the process is killed.
    #[must_use]
    pub fn linger(mut self, linger: Duration) -> Self {
        self.linger = linger;
        self
    }

    /// How far a row's time may lie ahead of the clock (default: an hour). A row beyond is stored and found by queries, and
    /// reported. But it is not what `restore` gives back, nor one of the newest rows that `keep_last` keeps.
    #[must_use]
    pub fn max_ahead(mut self, ahead: Duration) -> Self {
        self.max_ahead_ms = duration_ms(ahead);
        self
    }

    /// How much may wait for the backend. Values beyond that are counted as dropped.
    #[must_use]
    pub fn backlog(mut self, limits: BacklogLimits) -> Self {
        self.backlog = limits;
        self
    }

    /// How long `flush_persistence` waits before it answers with an error (default: 30 s).
    #[must_use]
    pub fn flush_deadline(mut self, deadline: Duration) -> Self {
        self.flush_deadline = deadline;
        self
    }

    /// Calls `listener` with every event. It runs in the task in which the event happens, so it must not block.
    #[must_use]
    pub fn on_event(
        mut self,
        listener: impl Fn(&PersistenceEvent) + Send + Sync + 'static,
    ) -> Self {
        self.listener = Some(Arc::new(listener));
        self
    }

    /// Which records' history remote clients may ask for (default: [`RemoteHistory::All`]).
    #[must_use]
    pub fn remote_history(mut self, history: RemoteHistory) -> Self {
        self.remote_history = history;
        self
    }

    /// How much a remote client gets in one answer, and how long that may take (default: [`RemoteLimits::AIMDB_1`] on AimDB 1,
    /// [`RemoteLimits::AIMDB_2`] on AimDB 2). An answer that is cut contains `"truncated": true` and a `cursor`. If nothing was
    /// found in that time, the answer is an error.
    #[must_use]
    pub fn remote_limits(mut self, limits: RemoteLimits) -> Self {
        self.remote_limits = Some(limits);
        self
    }
}

impl PersistenceOptions {
    /// # Errors
    /// If nothing can be recorded so. `with_persistence` cannot fail, so it is a problem of every record.
    pub(crate) fn check(&self) -> Result<(), String> {
        match self.retention {
            Retention::Milliseconds(0) => Err(
                "`with_persistence` was given a retention of zero: every row would expire at once; `Duration::MAX` \
                 keeps rows for ever"
                    .to_owned(),
            ),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for PersistenceOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PersistenceOptions")
            .field("retention", &self.retention)
            .field("max_ahead_ms", &self.max_ahead_ms)
            .field("linger", &self.linger)
            .field("backlog", &self.backlog)
            .field("flush_deadline", &self.flush_deadline)
            .field("remote_history", &self.remote_history)
            .field("remote_limits", &self.remote_limits)
            .finish_non_exhaustive()
    }
}
