//! The thread of a backend, with a runtime of its own: the contract's futures are polled on any executor, or none.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use aimdb_persistence_backend::{PersistenceError, StorageErrorKind};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, oneshot, watch};

use crate::connect::session::Connector;
use crate::error::Failure;
use crate::health::Health;
use crate::scope::Scope;
use crate::threads::command::Command;
use crate::threads::readers::Readers;
use crate::threads::writer::Writer;
use crate::write::holding::Claim;

/// Commands that may wait in the queue; more wait in their callers.
const QUEUE_SLOTS: usize = 1_024;

/// Questions that are being answered when the backend is closed have so long to end.
const ENDING: Duration = Duration::from_secs(1);

/// When this is dropped, what is queued is finished, and the thread ends. Dropping does not wait for it.
pub(crate) struct Threads {
    /// `None` for a backend that only reads.
    commands: Option<mpsc::Sender<Command>>,
    readers: Readers,
    pub(crate) health: Health,
    pub(crate) connector: Connector,
    is_closed: AtomicBool,
    /// Has a backend that only reads end.
    close: watch::Sender<bool>,
    alive: watch::Receiver<()>,
}

/// Whether opening waits for the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opening {
    Now,
    Lazily,
}

impl Threads {
    /// Starts the thread, and waits until it has connected, if that is wanted.
    pub(crate) async fn start(
        connector: Connector,
        claim: Option<Claim>,
        scope: Scope,
        opening: Opening,
    ) -> Result<Self, Failure> {
        let server = connector.server().to_owned();
        let cannot = move |error: std::io::Error| {
            let what = format!("starting a thread for it failed: {error}");
            Failure::new(StorageErrorKind::Io, &server, what).caused_by(error)
        };
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("aimdb-postgres-io")
            .enable_all()
            .build()
            .map_err(&cannot)?;
        let readers = Readers::new(runtime.handle().clone(), connector.clone(), scope);
        let health = Health::default();
        let (close, closed) = watch::channel(false);
        let (lives, alive) = watch::channel(());
        let (sender, receiver) = mpsc::channel(QUEUE_SLOTS);
        let writer =
            claim.map(|claim| Writer::new(connector.clone(), claim, health.clone(), receiver));
        let commands = writer.is_some().then_some(sender);
        let (opened, is_open) = oneshot::channel();
        let work = Work {
            writer,
            readers: readers.clone(),
            opening,
            opened,
            closed,
        };
        let thread = thread::Builder::new().name("aimdb-postgres".to_owned());
        let spawned = thread.spawn(move || {
            work.run(runtime);
            drop(lives);
        });
        spawned.map_err(&cannot)?;
        let ended = || {
            Failure::new(
                StorageErrorKind::Other,
                connector.server(),
                "its thread has ended",
            )
        };
        is_open.await.unwrap_or_else(|_| Err(ended()))?;
        Ok(Self {
            commands,
            readers,
            health,
            connector,
            is_closed: AtomicBool::new(false),
            close,
            alive,
        })
    }

    pub(crate) fn only_reads(&self) -> bool {
        self.commands.is_none()
    }

    /// Where commands go to.
    pub(crate) fn commands(&self) -> Result<&mpsc::Sender<Command>, PersistenceError> {
        self.commands.as_ref().ok_or_else(|| {
            let what = "it was opened with `.read_only()`; open it without to write";
            Failure::new(StorageErrorKind::ReadOnly, self.connector.server(), what).into()
        })
    }

    /// Where questions go to.
    pub(crate) fn readers(&self) -> Result<&Readers, PersistenceError> {
        match self.is_closed.load(Ordering::Acquire) {
            true => Err(PersistenceError::BackendShutdown),
            false => Ok(&self.readers),
        }
    }

    /// Nothing more is let in; resolves when what is queued is finished.
    pub(crate) async fn close(&self) {
        self.is_closed.store(true, Ordering::Release);
        if let Some(commands) = &self.commands {
            // It is closed already if this fails.
            let _ = commands.send(Command::Close).await;
        }
        self.close.send_replace(true);
        let mut alive = self.alive.clone();
        // Nothing is ever sent: the error says that the thread has dropped its sender.
        while alive.changed().await.is_ok() {}
    }
}

/// What the thread does.
struct Work {
    writer: Option<Writer>,
    readers: Readers,
    opening: Opening,
    opened: oneshot::Sender<Result<(), Failure>>,
    closed: watch::Receiver<bool>,
}

impl Work {
    fn run(self, runtime: Runtime) {
        runtime.block_on(self.work());
        runtime.shutdown_timeout(ENDING);
    }

    async fn work(mut self) {
        let opened = match (&mut self.writer, self.opening) {
            (_, Opening::Lazily) => Ok(()),
            (Some(writer), Opening::Now) => writer.open().await,
            (None, Opening::Now) => self.readers.check().await,
        };
        let is_open = opened.is_ok();
        // Sending fails when the caller has gone. Then the backend is dropped as well.
        let _ = self.opened.send(opened);
        if !is_open {
            return;
        }
        match self.writer {
            Some(writer) => writer.run().await,
            // An error says that the backend was dropped.
            None => {
                while !*self.closed.borrow_and_update() && self.closed.changed().await.is_ok() {}
            }
        }
    }
}
