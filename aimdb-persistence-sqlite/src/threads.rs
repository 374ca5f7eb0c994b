//! The threads of a backend and the queues that lead to them, from opening the file to closing it.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread::{self, JoinHandle};

use aimdb_persistence::StorageErrorKind;
use rusqlite::Connection;
use tokio::sync::watch;

use crate::error::Failure;
use crate::file;
use crate::log::Log;
use crate::open;
use crate::options::SqliteBackendBuilder;
use crate::queue::Queue;
use crate::reader::{self, ReadJob, Reading};
use crate::write::WriteConnection;
use crate::writer::{Command, Writer};

/// Commands and jobs that may wait in a queue; more wait in their callers.
const QUEUE_SLOTS: usize = 1_024;

/// Dropped, it lets the threads finish what is queued and end; it does not wait for them.
pub(crate) struct Threads {
    pub(crate) path: PathBuf,
    /// `None` for a backend that only reads.
    pub(crate) commands: Option<Arc<Queue<Command>>>,
    /// `None` for an in-memory database, which the writer reads as well.
    pub(crate) jobs: Option<Arc<Queue<ReadJob>>>,
    alive: watch::Receiver<()>,
}

impl Threads {
    pub(crate) fn start(options: &SqliteBackendBuilder) -> Result<Self, Failure> {
        if options.path.as_os_str() != file::IN_MEMORY {
            return Self::start_on_file(file::locate(&options.path)?, options);
        }
        if options.read_only {
            let what =
                "an in-memory database begins empty: there is nothing to open for reading only";
            return Err(Failure::new(
                StorageErrorKind::CannotOpen,
                &options.path,
                what,
            ));
        }
        let connection = open::in_memory()?;
        let (starter, mut threads) = Self::none_yet(options.path.clone());
        starter.writer(&mut threads, connection, None, options, Vec::new())?;
        Ok(threads)
    }

    fn start_on_file(path: PathBuf, options: &SqliteBackendBuilder) -> Result<Self, Failure> {
        let writer = match options.read_only {
            true => None,
            false => Some(open::writer(&path, options)?),
        };
        let open_reader = match options.read_only {
            true => open::lone_reader,
            false => open::reader,
        };
        let (starter, mut threads) = Self::none_yet(path);
        let readers = (0..options.readers)
            .map(|_| {
                let connection = open_reader(&threads.path, options)?;
                starter.reader(&mut threads, connection)
            })
            .collect::<Result<Vec<_>, Failure>>()?;
        if let Some(connection) = writer {
            let log = Log::new(&threads.path, options.durability);
            starter.writer(&mut threads, connection, Some(log), options, readers)?;
        }
        Ok(threads)
    }

    fn none_yet(path: PathBuf) -> (Starter, Self) {
        let (alive, receiver) = watch::channel(());
        let starter = Starter {
            alive: Arc::new(alive),
            damage_is_reported: Arc::default(),
        };
        let threads = Self {
            path,
            commands: None,
            jobs: None,
            alive: receiver,
        };
        (starter, threads)
    }

    /// Nothing more is let in; what is queued is finished.
    pub(crate) fn close_queues(&self) {
        if let Some(jobs) = &self.jobs {
            jobs.close();
        }
        if let Some(commands) = &self.commands {
            commands.close();
        }
    }

    /// Resolves when every thread has closed its connection.
    pub(crate) async fn ended(&self) {
        let mut alive = self.alive.clone();
        // Nothing is ever sent: the error says that the last thread has dropped its sender.
        while alive.changed().await.is_ok() {}
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.close_queues();
    }
}

/// What every thread of a backend gets.
struct Starter {
    /// Dropped by each thread when it has closed its connection.
    alive: Arc<watch::Sender<()>>,
    damage_is_reported: Arc<AtomicBool>,
}

impl Starter {
    fn reader(
        &self,
        threads: &mut Threads,
        connection: Connection,
    ) -> Result<JoinHandle<()>, Failure> {
        let new_queue = || Arc::new(Queue::with_room_for(QUEUE_SLOTS));
        let jobs = Arc::clone(threads.jobs.get_or_insert_with(new_queue));
        let reading = self.reading(&threads.path);
        self.spawn("aimdb-reader", &threads.path, move || {
            reader::run(connection, reading, jobs);
        })
    }

    fn writer(
        &self,
        threads: &mut Threads,
        connection: Connection,
        log: Option<Log>,
        options: &SqliteBackendBuilder,
        readers: Vec<JoinHandle<()>>,
    ) -> Result<(), Failure> {
        let path = threads.path.clone();
        let writer = Writer {
            connection: WriteConnection::new(connection, path, options),
            log,
            reading: self.reading(&threads.path),
            sweeps: VecDeque::new(),
            merge_is_next: false,
            readers,
        };
        let commands = Arc::new(Queue::with_room_for(QUEUE_SLOTS));
        threads.commands = Some(Arc::clone(&commands));
        self.spawn("aimdb-writer", &threads.path, move || writer.run(commands))
            .map(drop)
    }

    fn reading(&self, path: &Path) -> Reading {
        Reading::new(path, Arc::clone(&self.damage_is_reported))
    }

    fn spawn(
        &self,
        name: &str,
        path: &Path,
        run: impl FnOnce() + Send + 'static,
    ) -> Result<JoinHandle<()>, Failure> {
        let alive = Arc::clone(&self.alive);
        let thread = thread::Builder::new().name(name.to_owned());
        let body = move || {
            run();
            drop(alive);
        };
        thread
            .spawn(body)
            .map_err(|error| Failure::of_io(path, "starting a thread for it", error))
    }
}
