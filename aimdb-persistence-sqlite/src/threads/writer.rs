//! The thread that writes: group commit, and maintenance in small steps between commits.

use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Instant;

use aimdb_persistence_backend::{
    BatchOutcome, PersistenceError, SeriesDeclaration, StorageErrorKind,
};

use crate::copy::backup;
use crate::error::Failure;
use crate::file::damage::{self, Finding};
use crate::file::identity::FileIdentity;
use crate::file::log::Log;
use crate::file::open;
use crate::file::parting::Beside;
use crate::options::{OnCorruption, SqliteBackendBuilder};
use crate::pack::packing::Packing;
use crate::read::reading::Reading;
use crate::remove::limit::Limit;
use crate::remove::sweep::Sweep;
use crate::report;
use crate::threads::chores::Chores;
use crate::threads::command::{Answer, Command, Store, Unfinished};
use crate::threads::loss::{Alarm, Loss, Owed, gone};
use crate::threads::queue::{Queue, Taken};
use crate::write::connection::WriteConnection;
use crate::write::declared::Declarations;

/// A commit takes what is queued, up to roughly so many rows and bytes.
const GROUP_ROWS: usize = 20_000;
const GROUP_BYTES: usize = 8 << 20;

pub(crate) struct Writer {
    connection: WriteConnection,
    file: FileIdentity,
    reading: Reading,
    /// Every one made in this run.
    declarations: Declarations,
    /// Tells what readers have found; `None` for a database in memory.
    alarm: Option<Arc<Alarm>>,
    /// What the next flush has to tell.
    owed: Owed,
    options: SqliteBackendBuilder,
    beside: Beside,
    unfinished: Unfinished,
    chores: Chores,
}

impl Writer {
    pub(crate) fn new(
        connection: WriteConnection,
        reading: Reading,
        alarm: Option<Arc<Alarm>>,
        owed: Owed,
        options: &SqliteBackendBuilder,
        limit: Option<Limit>,
    ) -> Self {
        Self {
            file: FileIdentity::of(connection.path()),
            beside: Beside::of(connection.path()),
            options: options.clone(),
            owed,
            connection,
            reading,
            declarations: Declarations::new(),
            alarm,
            unfinished: Unfinished::default(),
            chores: Chores::new(limit, Packing::new(options)),
        }
    }

    /// Tells a new file what an older one was told.
    pub(crate) fn declare_anew(&mut self, declarations: &Declarations) -> Result<(), Failure> {
        let known: Vec<_> = declarations.values().cloned().collect();
        self.connection.write_declarations(&known)?;
        self.declarations = declarations.clone();
        Ok(())
    }

    /// Works until the queue is closed and empty, or the file is lost. Nothing more may be written into a lost file.
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
                Taken::Item(command) if self.file.is_lost() => {
                    return Some((Loss::Gone, Unfinished::of(command)));
                }
                Taken::Item(command) => self.execute(command, commands),
                Taken::Nothing if self.file.is_lost() => {
                    return Some((Loss::Gone, Unfinished::default()));
                }
                Taken::Nothing => {}
                Taken::Closed => return None,
            }
            if let Some(log) = &mut self.connection.log {
                log.sync_if_due(&self.connection.connection);
            }
            self.do_chores();
            self.look_into_damage();
            if let Some(damage) = self.damage_to_be_set_aside() {
                let unfinished = std::mem::take(&mut self.unfinished);
                return Some((Loss::Damaged(self.file.clone(), damage), unfinished));
            }
            next = commands.take_until(self.wake_at());
        }
    }

    fn damage_to_be_set_aside(&mut self) -> Option<Failure> {
        let heard_of = self
            .alarm
            .as_ref()
            .and_then(|alarm| alarm.take_damage_of(&self.file));
        if !self.sets_damage_aside() {
            // A query's damage is the query's alone: recording elsewhere in the file is worth more than stopping it.
            return None;
        }
        if let Some(failure) = heard_of {
            self.connection.note(failure);
            self.look_into_damage();
        }
        self.connection.damage().cloned()
    }

    fn sets_damage_aside(&self) -> bool {
        self.alarm.is_some() && self.options.on_corruption == OnCorruption::Quarantine
    }

    /// Looks whether the file is damaged, if SQLite has said so. Gives what to tell if it is not: then what failed may be
    /// done again.
    fn look_into_damage(&mut self) -> Option<Failure> {
        let suspicion = self.connection.take_suspicion()?;
        let path = self.connection.path().to_owned();
        let finding = match self.alarm {
            Some(_) => damage::look(&path, &self.options),
            None => Finding::Damaged,
        };
        let told = match finding {
            Finding::Damaged => {
                self.connection.give_up(suspicion);
                return None;
            }
            Finding::Sound => Failure::new(
                StorageErrorKind::Io,
                &path,
                format!("a check of the whole file finds it sound, although: {suspicion}"),
            ),
            Finding::Unreadable(failure) => failure,
        };
        report::warn(&told.to_string());
        self.connection.read_anew();
        Some(told)
    }

    /// When there is something to do without a command.
    fn wake_at(&mut self) -> Option<Instant> {
        let sync_due = self.connection.log.as_ref().and_then(Log::sync_due);
        let chore_due = self.chores.due(&self.connection);
        sync_due.into_iter().chain(chore_due).min()
    }

    fn do_chores(&mut self) {
        self.chores.take_turn(&mut self.connection);
        while self.chores.step_before_stores(&mut self.connection) {}
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
            Command::Sweep(expiry, report_to) => {
                self.chores.removals.begin(Sweep::new(expiry), report_to);
            }
            Command::Erase(erasure, report_to) => self.chores.removals.begin(erasure, report_to),
            Command::Work(work, report_to) => self.chores.removals.begin_boxed(work, report_to),
            Command::Flush(answer) => {
                let _ = answer.send(self.flush());
            }
            Command::Rename { from, to, answer } => {
                let mut renamed = self.connection.rename(&from, &to);
                if self.look_into_damage().is_some() {
                    renamed = self.connection.rename(&from, &to);
                }
                // Sending fails when the caller has gone. Then nobody waits for the answer.
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

    /// Whether what failed is to be done again in another file.
    fn is_damaged(&self) -> bool {
        self.sets_damage_aside() && self.connection.damage().is_some()
    }

    fn commit(&mut self, stores: Vec<Store>) {
        let (batches, answers): (Vec<_>, Vec<_>) =
            stores.into_iter().map(|s| (s.rows, s.answer)).unzip();
        let mut outcomes = self.connection.store(&batches);
        if self.look_into_damage().is_some() {
            outcomes = self.connection.store(&batches);
        }
        if let Some(failure) = self.look_into_damage() {
            // Twice in a row, of a file that is not damaged: the rows are to be tried again later.
            let refused = batches.iter();
            outcomes = refused
                .map(|_| BatchOutcome::stopped(failure.clone().into()))
                .collect();
        }
        if let Some(damage) = self.connection.damage() {
            self.owed.owe(damage);
        }
        if self.is_damaged() {
            let stores = batches.into_iter().zip(answers);
            self.unfinished.stores = stores
                .map(|(rows, answer)| Store { rows, answer })
                .collect();
            return;
        }
        for (answer, outcome) in answers.into_iter().zip(outcomes) {
            // Sending fails when the caller has gone. Then nobody waits for the answer.
            let _ = answer.send(outcome);
        }
    }

    fn declare(&mut self, declarations: Vec<SeriesDeclaration>, answer: Answer<()>) {
        let mut declared = self.connection.declare(&declarations);
        if self.look_into_damage().is_some() {
            declared = self.connection.declare(&declarations);
        }
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
        if let Some(owed) = self.owed.take() {
            return Err(owed.into());
        }
        match &mut self.connection.log {
            Some(log) => log.sync(&self.connection.connection).map_err(Into::into),
            None => Ok(()),
        }
    }

    /// Has the file that is not at its path any more take along what belongs to it.
    pub(crate) fn part(&mut self) -> Option<PathBuf> {
        let WriteConnection {
            log, connection, ..
        } = &mut self.connection;
        let patience = self.options.busy_timeout;
        self.beside.part(log.as_mut()?, connection, patience)
    }

    /// Closes the file without writing into it, and gives what was declared.
    pub(crate) fn let_go(mut self) -> Declarations {
        self.chores.removals.fail(&gone(self.connection.path()));
        // If this fails, closing folds in the log, as usual.
        let _ = open::leave_log_when_closed(&self.connection.connection, true);
        self.declarations
    }

    pub(crate) fn close(mut self, readers: Vec<JoinHandle<()>>, backups: &mpsc::Receiver<()>) {
        // The callers of removals have gone, or are told that the backend has shut down.
        self.chores = Chores::new(None, Packing::new(&self.options));
        if let Some(log) = &mut self.connection.log
            && let Err(failure) = log.sync(&self.connection.connection)
        {
            report::warn(&format!(
                "{failure}; the last commits may not be on the disk"
            ));
            // A log that is not trusted is not copied into the file. If this fails, closing does so.
            let _ = open::leave_log_when_closed(&self.connection.connection, true);
        }
        for reader in readers {
            // A reader that panicked has been reported by the panic itself.
            let _ = reader.join();
        }
        // Nothing is ever sent: the error says that the last backup has ended.
        let _ = backups.recv();
        if let Err(failure) = self.connection.close() {
            report::warn(&failure.to_string());
        }
    }
}

/// Group commit: `first` and what is queued behind it. Also gives the command that ended the group, which is never a
/// `Store`.
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
