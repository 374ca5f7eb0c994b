//! Starting the threads of a backend and the queues that lead to them, and ending them.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::{self, JoinHandle};

use aimdb_persistence_backend::{NewHistory, PersistenceError, StorageErrorKind};
use tokio::sync::{oneshot, watch};

use crate::copy::backup;
use crate::copy::cut_log::{self, CutLog};
use crate::error::{During, Failure};
use crate::file::check::{CheckProgress, CheckReport, Checking};
use crate::file::open;
use crate::file::opened::Opened;
use crate::file::paths::{self, Made};
use crate::file::read_only::lone_reader;
use crate::health::Health;
use crate::location::Location;
use crate::options::SqliteBackendBuilder;
use crate::read::reading::{ReadJob, Reading};
use crate::threads::command::Command;
use crate::threads::keeper::Keeper;
use crate::threads::loss::{Alarm, Owed};
use crate::threads::queue::Queue;
use crate::threads::reader::{OpenReader, Reader};

/// Commands and jobs that may wait in a queue; more wait in their callers.
const QUEUE_SLOTS: usize = 1_024;

/// When this is dropped, the threads finish what is queued and end. Dropping does not wait for them.
pub(crate) struct Threads {
    /// `None` for a backend that only reads.
    pub(crate) commands: Option<Arc<Queue<Command>>>,
    /// `None` for a database in memory: its writer reads as well.
    pub(crate) jobs: Option<Arc<Queue<ReadJob>>>,
    pub(crate) health: Health,
    /// With the absolute path.
    pub(crate) options: SqliteBackendBuilder,
    /// Each backup under way has a clone: the writer closes its connection after theirs. `None` once closed.
    backups: Mutex<Option<mpsc::Sender<()>>>,
    alive: watch::Receiver<()>,
}

impl Threads {
    pub(crate) fn start(mut options: SqliteBackendBuilder) -> Result<Self, Failure> {
        match &mut options.location {
            Location::InMemory => Self::start_in_memory(options),
            Location::File(path) => {
                *path = paths::locate(path)?;
                Self::start_on_file(options)
            }
        }
    }

    fn start_in_memory(options: SqliteBackendBuilder) -> Result<Self, Failure> {
        if options.read_only {
            return Err(Failure::new(
                StorageErrorKind::CannotOpen,
                options.location.path(),
                "an in-memory database begins empty: there is nothing to open for reading only",
            ));
        }
        let connection = open::in_memory()?;
        let (starter, mut threads) = Self::none_yet(options);
        starter.writer(&mut threads, connection, None, Vec::new())?;
        Ok(threads)
    }

    fn start_on_file(options: SqliteBackendBuilder) -> Result<Self, Failure> {
        let (starter, mut threads) = Self::none_yet(options);
        let options = &threads.options;
        let readers = options.readers;
        if options.read_only {
            let path = options.location.path().to_owned();
            let cut = CutLog::find(&path).during(&path, "looking through its log")?;
            for _ in 0..readers {
                starter.reader(&mut threads, lone_reader, None)?;
            }
            if let Some(cut) = cut {
                let file = lone_reader(&path, &threads.options)?;
                cut_log::tell(&cut, &file, &path, &threads.health)?;
            }
            return Ok(threads);
        }
        let path = options.location.path();
        let connection = cut_log::open(path, options, &threads.health)?;
        let was_set_aside = !threads.health.report().fresh_starts.is_empty();
        if let Some(made) = connection.new_history().filter(|_| !was_set_aside) {
            threads.health.note_new_history(new_history(path, made));
        }
        let commands = Arc::clone(&starter.commands);
        let alarm = Some(Arc::new(Alarm::new(move || commands.wake())));
        let readers = (0..readers)
            .map(|_| starter.reader(&mut threads, open::reader, alarm.clone()))
            .collect::<Result<Vec<_>, Failure>>()?;
        starter.writer(&mut threads, connection, alarm, readers)?;
        Ok(threads)
    }

    fn none_yet(options: SqliteBackendBuilder) -> (Starter, Self) {
        let (alive, receiver) = watch::channel(());
        let (backups, last_backup) = mpsc::channel();
        let starter = Starter {
            alive: Arc::new(alive),
            moves: Arc::default(),
            commands: Arc::new(Queue::with_room_for(QUEUE_SLOTS)),
            backups: last_backup,
        };
        let threads = Self {
            commands: None,
            jobs: None,
            health: Health::default(),
            options,
            backups: Mutex::new(Some(backups)),
            alive: receiver,
        };
        (starter, threads)
    }

    /// As callers name it, and as errors do.
    pub(crate) fn path(&self) -> &Path {
        self.options.location.path()
    }

    /// Copies the file, on a thread and a connection of its own.
    pub(crate) fn back_up(
        &self,
        jobs: &Arc<Queue<ReadJob>>,
        to: PathBuf,
        answer: oneshot::Sender<Result<(), PersistenceError>>,
    ) -> Result<(), Failure> {
        let Some(under_way) = self.backups().clone() else {
            return Ok(()); // the answer's sender is dropped: the backend has shut down
        };
        let (options, jobs) = (self.options.clone(), Arc::clone(jobs));
        let back_up = move || {
            let is_wanted = || !answer.is_closed() && !jobs.is_closed();
            let copied = opener(&options)(options.location.path(), &options)
                .and_then(|source| backup::copy(&source, &to, options.file_mode, is_wanted));
            drop(under_way);
            // Sending fails when the caller has gone. Then nobody waits for the answer.
            let _ = answer.send(copied.map_err(Into::into));
        };
        spawn("aimdb-backup", self.path(), back_up).map(drop)
    }

    /// Checks the file, on a thread and a connection of its own.
    pub(crate) fn check(
        &self,
        jobs: &Arc<Queue<ReadJob>>,
        mut progress: impl FnMut(CheckProgress) + Send + 'static,
        answer: oneshot::Sender<Result<CheckReport, PersistenceError>>,
    ) -> Result<(), Failure> {
        let Some(under_way) = self.backups().clone() else {
            return Ok(()); // the answer's sender is dropped: the backend has shut down
        };
        let (options, jobs) = (self.options.clone(), Arc::clone(jobs));
        let check = move || {
            let path = options.location.path();
            let answer = Arc::new(answer);
            let wanted = Arc::clone(&answer);
            let is_wanted = move || !wanted.is_closed() && !jobs.is_closed();
            let checked = opener(&options)(path, &options)
                .and_then(|mut file| check(&mut file, path, is_wanted, &mut progress));
            drop(under_way);
            if let (Some(checked), Some(answer)) = (checked.transpose(), Arc::into_inner(answer)) {
                // Sending fails when the caller has gone. Then nobody waits for the answer.
                let _ = answer.send(checked.map_err(Into::into));
            }
        };
        spawn("aimdb-check", self.path(), check).map(drop)
    }

    fn backups(&self) -> MutexGuard<'_, Option<mpsc::Sender<()>>> {
        // No code that can panic runs under this lock.
        self.backups.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nothing more is let in; what is queued is finished.
    pub(crate) fn close_queues(&self) {
        self.backups().take();
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

/// How a connection of its own is opened, beside the others.
fn opener(options: &SqliteBackendBuilder) -> OpenReader {
    match options.read_only {
        true => lone_reader,
        false => open::reader,
    }
}

/// `None` if it is not wanted any more.
fn check(
    connection: &mut Opened,
    path: &Path,
    is_wanted: impl Fn() -> bool + Clone + Send + 'static,
    progress: &mut impl FnMut(CheckProgress),
) -> Result<Option<CheckReport>, Failure> {
    /// Steps of SQLite's machine after which it is asked whether it is to go on.
    const STEPS: i32 = 10_000;
    let doing = "checking it";
    let goes_on = is_wanted.clone();
    connection
        .progress_handler(STEPS, Some(move || !goes_on()))
        .during(path, doing)?;
    let mut checking = Checking::new();
    loop {
        if !is_wanted() {
            return Ok(None);
        }
        let is_done = match checking.step(connection) {
            Err(_) if !is_wanted() => return Ok(None),
            step => step.during(path, doing)?,
        };
        connection.vouch().during(path, doing)?;
        progress(checking.progress());
        if is_done {
            return Ok(Some(checking.report));
        }
    }
}

/// What every thread of a backend gets.
struct Starter {
    /// Dropped by each thread when it has closed its connection.
    alive: Arc<watch::Sender<()>>,
    /// How often the writer has gone over to another file.
    moves: Arc<AtomicU64>,
    /// Where the writer will take its commands from.
    commands: Arc<Queue<Command>>,
    /// Disconnected when the backend is closed and the last backup has ended.
    backups: mpsc::Receiver<()>,
}

impl Starter {
    fn reader(
        &self,
        threads: &mut Threads,
        open: OpenReader,
        alarm: Option<Arc<Alarm>>,
    ) -> Result<JoinHandle<()>, Failure> {
        let new_queue = || Arc::new(Queue::with_room_for(QUEUE_SLOTS));
        let jobs = Arc::clone(threads.jobs.get_or_insert_with(new_queue));
        let reading = Reading::new(threads.path(), &threads.health);
        let moves = Arc::clone(&self.moves);
        let reader = Reader::open(open, &threads.options, reading, alarm, moves)?;
        let alive = Arc::clone(&self.alive);
        spawn("aimdb-reader", threads.path(), move || {
            reader.run(jobs);
            drop(alive);
        })
    }

    fn writer(
        self,
        threads: &mut Threads,
        connection: Opened,
        alarm: Option<Arc<Alarm>>,
        readers: Vec<JoinHandle<()>>,
    ) -> Result<(), Failure> {
        let keeper = Keeper {
            options: threads.options.clone(),
            health: threads.health.clone(),
            alarm,
            moves: Arc::clone(&self.moves),
            jobs: threads.jobs.clone(),
            owed: Owed::default(),
            backups: self.backups,
            readers,
        };
        let (alive, commands) = (self.alive, self.commands);
        threads.commands = Some(Arc::clone(&commands));
        let run = move || {
            keeper.run(connection, commands);
            drop(alive);
        };
        spawn("aimdb-writer", threads.path(), run).map(drop)
    }
}

fn new_history(path: &Path, made: &Made) -> NewHistory {
    let begun = NewHistory::new(path.display().to_string());
    match &made.folder {
        Some(folder) => begun.made_folder(folder.display().to_string()),
        None => begun,
    }
}

fn spawn(
    name: &str,
    path: &Path,
    run: impl FnOnce() + Send + 'static,
) -> Result<JoinHandle<()>, Failure> {
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(run)
        .during(path, "starting a thread for it")
}
