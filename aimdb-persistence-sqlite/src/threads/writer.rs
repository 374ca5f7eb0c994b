//! The thread that writes: group commit, and maintenance in small steps between commits.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Instant;

use aimdb_persistence::{BatchOutcome, PersistenceError, Rows, SeriesDeclaration, SweepReport};
use tokio::sync::oneshot;

use crate::copy::backup;
use crate::error::Failure;
use crate::file::identity::Place;
use crate::file::log::Log;
use crate::file::open;
use crate::remove::limit::Limit;
use crate::remove::sweep::Sweep;
use crate::remove::targets::Expiry;
use crate::report;
use crate::threads::loss::{Alarm, Loss, gone};
use crate::threads::queue::{Queue, Taken};
use crate::threads::reader::{ReadJob, Reading};
use crate::write::connection::{Declarations, WriteConnection};

/// A commit takes what is queued, up to about so many rows and bytes.
const GROUP_ROWS: usize = 20_000;
const GROUP_BYTES: usize = 8 << 20;

type Answer<T> = oneshot::Sender<Result<T, PersistenceError>>;

/// What the writer is asked to do.
pub(crate) enum Command {
    Store(Store),
    Declare(Vec<SeriesDeclaration>, Answer<()>),
    Sweep(Expiry, Answer<SweepReport>),
    Flush(Answer<()>),
    Rename {
        from: Box<str>,
        to: Box<str>,
        answer: Answer<()>,
    },
    /// Of an in-memory database: a file is copied by a thread of its own.
    BackUp {
        to: PathBuf,
        file_mode: u32,
        answer: Answer<()>,
    },
    /// An in-memory database has this one connection.
    Read(ReadJob),
}

/// Rows to be stored together with whatever else is queued.
pub(crate) struct Store {
    pub(crate) rows: Arc<Rows>,
    pub(crate) answer: oneshot::Sender<BatchOutcome>,
}

/// What has been taken from the queue and not been answered.
#[derive(Default)]
pub(crate) struct Unfinished {
    stores: Vec<Store>,
    command: Option<Command>,
}

impl Unfinished {
    pub(crate) fn of(command: Command) -> Self {
        Self {
            stores: Vec::new(),
            command: Some(command),
        }
    }

    /// An answer that cannot be sent has no one waiting for it: the caller's future was dropped.
    pub(crate) fn refuse(self, failure: &Failure) {
        for store in self.stores {
            store.refuse(failure);
        }
        match self.command {
            Some(Command::Store(store)) => store.refuse(failure),
            Some(
                Command::Declare(_, answer)
                | Command::Flush(answer)
                | Command::Rename { answer, .. },
            ) => {
                let _ = answer.send(Err(failure.clone().into()));
            }
            Some(Command::Sweep(_, answer)) => {
                let _ = answer.send(Err(failure.clone().into()));
            }
            // Only of a database in memory, which cannot be lost.
            Some(Command::Read(_) | Command::BackUp { .. }) | None => {}
        }
    }
}

impl Store {
    fn refuse(self, failure: &Failure) {
        let _ = self
            .answer
            .send(BatchOutcome::stopped(failure.clone().into()));
    }
}

pub(crate) struct Writer {
    connection: WriteConnection,
    place: Place,
    reading: Reading,
    /// Every one made in this run.
    declarations: Declarations,
    /// Where damage is met, for the file to be set aside; `None` where it is not to be.
    alarm: Option<Arc<Alarm>>,
    unfinished: Unfinished,
    sweeps: VecDeque<Sweep>,
    limit: Option<Limit>,
    /// Merging and sweeping take turns: a store waits for one step.
    merge_is_next: bool,
}

impl Writer {
    pub(crate) fn new(
        connection: WriteConnection,
        reading: Reading,
        alarm: Option<Arc<Alarm>>,
        limit: Option<Limit>,
    ) -> Self {
        Self {
            place: Place::of(&connection.path),
            connection,
            reading,
            declarations: Declarations::new(),
            alarm,
            unfinished: Unfinished::default(),
            sweeps: VecDeque::new(),
            limit,
            merge_is_next: false,
        }
    }

    /// Tells a new file what an older one was told.
    pub(crate) fn declare_anew(&mut self, declarations: &Declarations) -> Result<(), Failure> {
        let known: Vec<_> = declarations.values().cloned().collect();
        self.connection.write_declarations(&known)?;
        self.declarations = declarations.clone();
        Ok(())
    }

    /// Works until the queue is closed and empty, or the file is lost: then nothing more may be written into it.
    pub(crate) fn run(
        &mut self,
        unfinished: Unfinished,
        commands: &Queue<Command>,
    ) -> Option<(Loss, Unfinished)> {
        if !unfinished.stores.is_empty() {
            self.commit(unfinished.stores);
        }
        let mut next = unfinished
            .command
            .map_or_else(|| commands.take_until(self.wake_at()), Taken::Item);
        loop {
            match next {
                Taken::Item(command) if self.place.is_lost() => {
                    return Some(self.file_is_gone(command));
                }
                Taken::Item(command) => self.execute(command, commands),
                Taken::Nothing => {}
                Taken::Closed => return None,
            }
            if let Some(log) = &mut self.connection.log {
                log.sync_if_due(&self.connection.connection);
            }
            self.maintain();
            while self.connection.merge.is_behind() {
                self.merge_is_next = true;
                self.maintain();
            }
            while self
                .limit
                .as_mut()
                .is_some_and(|limit| limit.step(&mut self.connection))
            {}
            if let Some(damage) = self.damage_to_be_set_aside() {
                let unfinished = std::mem::take(&mut self.unfinished);
                return Some((Loss::Damaged(self.place.clone(), damage), unfinished));
            }
            next = commands.take_until(self.wake_at());
        }
    }

    /// Whoever flushes is told that what was stored before is not where it should be.
    fn file_is_gone(&self, command: Command) -> (Loss, Unfinished) {
        let mut unfinished = Unfinished::of(command);
        if matches!(unfinished.command, Some(Command::Flush(_))) {
            std::mem::take(&mut unfinished).refuse(&gone(&self.connection.path));
        }
        (Loss::Gone, unfinished)
    }

    fn damage_to_be_set_aside(&self) -> Option<Failure> {
        let alarm = self.alarm.as_ref()?;
        let met = self.connection.damage().cloned();
        met.or_else(|| alarm.heard_of(&self.place))
    }

    /// Without a merge or a sweep under way and without unsynced commits there is nothing to wake up
    /// for.
    fn wake_at(&self) -> Option<Instant> {
        let sync_due = self.connection.log.as_ref().and_then(Log::sync_due);
        let step_due = self
            .sweeps
            .front()
            .map(|sweep| sweep.next_step_at().unwrap_or_else(Instant::now));
        let merge_due = self.connection.merge.is_due().then(Instant::now);
        let limit_due = self.limit.as_ref().and_then(Limit::next_step_at);
        let due = [sync_due, step_due, merge_due, limit_due];
        due.into_iter().flatten().min()
    }

    fn execute(&mut self, command: Command, commands: &Queue<Command>) {
        match command {
            Command::Store(first) => {
                let (stores, next) = group(first, commands);
                self.commit(stores);
                match next {
                    Some(next) if self.is_damaged() => self.unfinished.command = Some(next),
                    Some(next) => self.execute(next, commands),
                    None => {}
                }
            }
            Command::Declare(declarations, answer) => self.declare(declarations, answer),
            Command::Sweep(expiry, answer) => self.sweeps.push_back(Sweep::new(expiry, answer)),
            Command::Flush(answer) => {
                let _ = answer.send(self.flush());
            }
            Command::Rename { from, to, answer } => {
                let renamed = self.connection.rename(&from, &to);
                // Whoever asked may have lost interest meanwhile.
                let _ = answer.send(renamed);
            }
            Command::BackUp {
                to,
                file_mode,
                answer,
            } => {
                let connection = &self.connection.connection;
                let copied = backup::copy(connection, &to, file_mode, || !answer.is_closed());
                let _ = answer.send(copied.map_err(Into::into));
            }
            Command::Read(job) => {
                if let Some(rest) = self.reading.answer(&self.connection.connection, job) {
                    commands.put_back(Command::Read(rest));
                }
            }
        }
    }

    /// Whether what fails now is to be done again in another file.
    fn is_damaged(&self) -> bool {
        self.alarm.is_some() && self.connection.damage().is_some()
    }

    fn commit(&mut self, stores: Vec<Store>) {
        let (batches, answers): (Vec<_>, Vec<_>) =
            stores.into_iter().map(|s| (s.rows, s.answer)).unzip();
        let outcomes = self.connection.store(&batches);
        if self.is_damaged() {
            let stores = batches.into_iter().zip(answers);
            self.unfinished.stores = stores
                .map(|(rows, answer)| Store { rows, answer })
                .collect();
            return;
        }
        for (answer, outcome) in answers.into_iter().zip(outcomes) {
            // Without anyone waiting for it, the caller's future was dropped.
            let _ = answer.send(outcome);
        }
    }

    fn declare(&mut self, declarations: Vec<SeriesDeclaration>, answer: Answer<()>) {
        let declared = self.connection.declare(&declarations);
        if self.is_damaged() {
            self.unfinished.command = Some(Command::Declare(declarations, answer));
            return;
        }
        let known = declarations
            .into_iter()
            .map(|d| (Arc::clone(&d.record_name), d));
        self.declarations.extend(known);
        let _ = answer.send(declared);
    }

    fn flush(&mut self) -> Result<(), PersistenceError> {
        match &mut self.connection.log {
            Some(log) => log.sync(&self.connection.connection).map_err(Into::into),
            None => Ok(()),
        }
    }

    /// Takes one step, if one is due.
    fn maintain(&mut self) {
        let is_due = |sweep: &Sweep| sweep.next_step_at().is_none_or(|at| at <= Instant::now());
        let sweep_is_due = self.sweeps.front().is_some_and(is_due);
        if self.connection.merge.is_due() && (self.merge_is_next || !sweep_is_due) {
            self.merge_is_next = false;
            if let Err(failure) = self.connection.merge_step() {
                report::warn(&format!(
                    "{failure}; no row is lost, and it is tried again later"
                ));
            }
        } else if sweep_is_due && let Some(sweep) = self.sweeps.pop_front() {
            self.merge_is_next = true;
            self.sweeps.extend(sweep.step(&mut self.connection));
        }
    }

    /// Closes the file without touching it any more, and says what it was told of series.
    pub(crate) fn let_go(mut self) -> Declarations {
        for sweep in self.sweeps.drain(..) {
            sweep.fail(&gone(&self.connection.path));
        }
        // Should this fail, closing folds in the log, as it usually does.
        let _ = open::leave_log_when_closed(&self.connection.connection, true);
        self.declarations
    }

    pub(crate) fn close(mut self, readers: Vec<JoinHandle<()>>, backups: &mpsc::Receiver<()>) {
        // The callers of sweeps have gone, or are told that the backend has shut down.
        self.sweeps.clear();
        if let Some(log) = &mut self.connection.log
            && let Err(failure) = log.sync(&self.connection.connection)
        {
            report::warn(&format!(
                "{failure}; the last commits may not be on the disk"
            ));
            // A log that is not trusted is not copied into the file. Should this fail, closing does so.
            let _ = open::leave_log_when_closed(&self.connection.connection, true);
        }
        for reader in readers {
            // A reader that panicked has been reported by the panic itself.
            let _ = reader.join();
        }
        // Nothing is ever sent: the error says that the last backup has ended.
        let _ = backups.recv();
        let path = self.connection.path;
        if let Err((_, error)) = self.connection.connection.close() {
            report::warn(&format!("{}: closing it failed: {error}", path.display()));
        }
    }
}

/// Group commit: `first` and what is queued behind it. Also gives the command that ended the group,
/// which is never a `Store`.
fn group(first: Store, commands: &Queue<Command>) -> (Vec<Store>, Option<Command>) {
    let (mut rows, mut bytes) = (first.rows.len(), first.rows.text_bytes());
    let mut stores = vec![first];
    while rows < GROUP_ROWS && bytes < GROUP_BYTES {
        match commands.take_now() {
            Some(Command::Store(store)) => {
                rows += store.rows.len();
                bytes += store.rows.text_bytes();
                stores.push(store);
            }
            other => return (stores, other),
        }
    }
    (stores, None)
}
