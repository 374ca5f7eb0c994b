//! The thread that writes: group commit, and maintenance in small steps between commits.

use std::collections::VecDeque;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Instant;

use aimdb_persistence::{BatchOutcome, PersistenceError, Rows, SeriesDeclaration, SweepReport};
use tokio::sync::oneshot;

use crate::log::Log;
use crate::queue::{Queue, Taken, Taker};
use crate::reader::{ReadJob, Reading};
use crate::report;
use crate::sweep::Sweep;
use crate::targets::Expiry;
use crate::write::WriteConnection;

/// A commit takes what is queued, up to about so many rows and bytes.
const GROUP_ROWS: usize = 10_000;
const GROUP_BYTES: usize = 8 << 20;

type Answer<T> = oneshot::Sender<Result<T, PersistenceError>>;

/// What the writer is asked to do.
pub(crate) enum Command {
    Store(Store),
    Declare(Vec<SeriesDeclaration>, Answer<()>),
    Sweep(Expiry, Answer<SweepReport>),
    Flush(Answer<()>),
    /// An in-memory database has this one connection.
    Read(ReadJob),
}

/// Rows to be stored together with whatever else is queued.
pub(crate) struct Store {
    pub(crate) rows: Arc<Rows>,
    pub(crate) answer: oneshot::Sender<BatchOutcome>,
}

pub(crate) struct Writer {
    pub(crate) connection: WriteConnection,
    /// `None` for an in-memory database.
    pub(crate) log: Option<Log>,
    pub(crate) reading: Reading,
    pub(crate) sweeps: VecDeque<Sweep>,
    /// Merging and sweeping take turns: a store waits for one step.
    pub(crate) merge_is_next: bool,
    /// Waited for at the end: the connection closed last is the one that folds the log into the file.
    pub(crate) readers: Vec<JoinHandle<()>>,
}

impl Writer {
    /// Works until the queue is closed and empty, then closes the file.
    pub(crate) fn run(mut self, commands: Arc<Queue<Command>>) {
        let commands = Taker(commands);
        loop {
            match commands.0.take_until(self.wake_at()) {
                Taken::Item(command) => self.execute(command, &commands.0),
                Taken::Nothing => {}
                Taken::Closed => break,
            }
            if let Some(log) = &mut self.log {
                log.sync_if_due();
            }
            self.maintain();
        }
        self.close();
    }

    /// Without a merge or a sweep under way and without unsynced commits there is nothing to wake up
    /// for.
    fn wake_at(&self) -> Option<Instant> {
        let sync_due = self.log.as_ref().and_then(Log::sync_due);
        let step_due = self
            .sweeps
            .front()
            .map(|sweep| sweep.next_step_at().unwrap_or_else(Instant::now));
        let merge_due = self.connection.merge.is_due().then(Instant::now);
        sync_due.into_iter().chain(step_due).chain(merge_due).min()
    }

    fn execute(&mut self, command: Command, commands: &Queue<Command>) {
        // An answer that cannot be sent has no one waiting for it: the caller's future was dropped.
        match command {
            Command::Store(first) => {
                if let Some(next) = self.commit_with_what_is_queued(first, commands) {
                    self.execute(next, commands);
                }
            }
            Command::Declare(declarations, answer) => {
                let declared = self.connection.declare(&declarations);
                self.note_commit();
                let _ = answer.send(declared);
            }
            Command::Sweep(expiry, answer) => self.sweeps.push_back(Sweep::new(expiry, answer)),
            Command::Flush(answer) => {
                let _ = answer.send(self.flush());
            }
            Command::Read(job) => {
                if let Some(rest) = self.reading.answer(&self.connection.connection, job) {
                    commands.put_back(Command::Read(rest));
                }
            }
        }
    }

    /// Group commit. Gives back the command that ended the group, which is never a `Store`.
    fn commit_with_what_is_queued(
        &mut self,
        first: Store,
        commands: &Queue<Command>,
    ) -> Option<Command> {
        let (mut rows, mut bytes) = (first.rows.len(), first.rows.text_bytes());
        let (mut batches, mut answers) = (vec![first.rows], vec![first.answer]);
        let mut next = None;
        while next.is_none() && rows < GROUP_ROWS && bytes < GROUP_BYTES {
            match commands.take_now() {
                Some(Command::Store(store)) => {
                    rows += store.rows.len();
                    bytes += store.rows.text_bytes();
                    batches.push(store.rows);
                    answers.push(store.answer);
                }
                Some(other) => next = Some(other),
                None => break,
            }
        }
        let outcomes = self.connection.store(&batches);
        for (answer, outcome) in answers.into_iter().zip(outcomes) {
            let _ = answer.send(outcome);
        }
        self.note_commit();
        next
    }

    fn note_commit(&mut self) {
        if self.connection.take_committed()
            && let Some(log) = &mut self.log
        {
            log.committed(&self.connection.connection);
        }
    }

    fn flush(&mut self) -> Result<(), PersistenceError> {
        match &mut self.log {
            Some(log) => log.sync().map_err(Into::into),
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
        self.note_commit();
    }

    fn close(mut self) {
        // The callers of sweeps have gone, or are told that the backend has shut down.
        self.sweeps.clear();
        if let Some(log) = &mut self.log
            && let Err(failure) = log.sync()
        {
            report::warn(&format!(
                "{failure}; the last commits may not be on the disk"
            ));
        }
        for reader in self.readers {
            // A reader that panicked has been reported by the panic itself.
            let _ = reader.join();
        }
        let path = self.connection.path;
        if let Err((_, error)) = self.connection.connection.close() {
            report::warn(&format!("{}: closing it failed: {error}", path.display()));
        }
    }
}
