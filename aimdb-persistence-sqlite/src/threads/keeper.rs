//! Keeps a writer at work: in a new file when the old one is damaged or gone.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

use aimdb_persistence_backend::{FreshStart, StorageErrorKind, SweepReport};

use crate::copy::cut_log;
use crate::error::Failure;
use crate::file::opened::Opened;
use crate::file::paths;
use crate::file::quarantine;
use crate::health::Health;
use crate::options::SqliteBackendBuilder;
use crate::read::reading::{ReadJob, Reading};
use crate::remove::limit::Limit;
use crate::threads::command::{Command, Unfinished};
use crate::threads::loss::{Alarm, Loss, Owed, gone};
use crate::threads::queue::{Queue, Taken, Taker};
use crate::threads::writer::Writer;
use crate::write::connection::WriteConnection;
use crate::write::declared::Declarations;

/// Has a writer work on the file, and on the next file when that one is lost.
pub(crate) struct Keeper {
    pub(crate) options: SqliteBackendBuilder,
    pub(crate) health: Health,
    /// `None` for a database in memory.
    pub(crate) alarm: Option<Arc<Alarm>>,
    /// Counts the files after the first, for readers to follow.
    pub(crate) moves: Arc<AtomicU64>,
    /// Woken to follow at once. `None` for a database in memory.
    pub(crate) jobs: Option<Arc<Queue<ReadJob>>>,
    /// What the next flush has to tell.
    pub(crate) owed: Owed,
    /// Disconnected when the last backup has ended. The writer waits for that at the end.
    pub(crate) backups: mpsc::Receiver<()>,
    /// The writer waits for them at the end: the connection that is closed last folds the log into the file.
    pub(crate) readers: Vec<JoinHandle<()>>,
}

impl Keeper {
    /// Works until the queue is closed and empty, then closes the file.
    pub(crate) fn run(self, connection: Opened, commands: Arc<Queue<Command>>) {
        let commands = Taker(commands);
        let mut declarations = Declarations::new();
        let mut unfinished = Unfinished::default();
        let mut loss = Loss::SetAside;
        let mut opened = self.writer(connection);
        loop {
            match opened {
                Ok(mut writer) => match writer.run(unfinished, &commands.0) {
                    None => return writer.close(self.readers, &self.backups),
                    Some(lost) => {
                        (loss, unfinished) = lost;
                        if matches!(loss, Loss::Gone) {
                            self.part(&mut writer);
                        }
                        declarations = writer.let_go();
                    }
                },
                // The cause may pass: each command is a new attempt.
                Err(failure) => {
                    unfinished.refuse(&self.or_may_pass(failure));
                    match commands.0.take_until(None) {
                        Taken::Item(command) => unfinished = Unfinished::of(command),
                        Taken::Nothing => unfinished = Unfinished::default(),
                        Taken::Closed => return,
                    }
                }
            }
            while matches!(loss, Loss::Gone) && !self.needs_a_file(&mut unfinished) {
                match commands.0.take_until(None) {
                    Taken::Item(command) => unfinished = Unfinished::of(command),
                    Taken::Nothing => {}
                    Taken::Closed => return,
                }
            }
            opened = self.start_afresh(&mut loss, &declarations);
        }
    }

    /// The file has been moved, removed or replaced.
    fn part(&self, writer: &mut Writer) {
        let aside = writer.part();
        let gone = gone(self.options.location.path());
        self.owed.owe(&gone);
        let mut start = FreshStart::new(gone.to_string());
        if let Some(aside) = aside {
            start = start.set_aside(aside.display().to_string());
        }
        self.health.note_fresh_start(start);
    }

    /// Whether a file lies at the path, or one has to be made. What somebody has deleted does not come back as an empty
    /// file while there is nothing to store: then the command is answered.
    fn needs_a_file(&self, unfinished: &mut Unfinished) -> bool {
        if self.options.location.path().exists() || !unfinished.stores.is_empty() {
            return true;
        }
        match unfinished.command.take() {
            None => false,
            // Sending fails when the caller has gone. Then nobody waits for the answer.
            Some(Command::Flush(answer)) => {
                let owed = self.owed.take().map_or(Ok(()), |owed| Err(owed.into()));
                let _ = answer.send(owed);
                false
            }
            Some(Command::Sweep(_, report_to) | Command::Erase(_, report_to)) => {
                let _ = report_to.send(Ok(SweepReport::default()));
                false
            }
            Some(command) => {
                unfinished.command = Some(command);
                true
            }
        }
    }

    /// A program without a file descriptor to spare may have one later: rows wait for it.
    fn or_may_pass(&self, failure: Failure) -> Failure {
        let path = self.options.location.path();
        match paths::are_descriptors_left(path) {
            true => failure,
            false => Failure::new(
                StorageErrorKind::Io,
                path,
                format!(
                    "this program has no file descriptor left ({failure}); allow it more, or close some"
                ),
            ),
        }
    }

    fn start_afresh(
        &self,
        loss: &mut Loss,
        declarations: &Declarations,
    ) -> Result<Writer, Failure> {
        let path = self.options.location.path();
        if let Loss::Damaged(file, damage) = loss {
            if file.is_lost() {
                let start = FreshStart::new(gone(path).to_string());
                self.health.note_fresh_start(start);
            }
            quarantine::set_aside(path, file, damage, &self.health)?;
            // What was being stored is stored in the new file, and the old one is told of.
            self.owed.take();
            *loss = Loss::SetAside;
        }
        self.reopen(declarations)
    }

    fn reopen(&self, declarations: &Declarations) -> Result<Writer, Failure> {
        let path = self.options.location.path();
        let connection = cut_log::open(path, &self.options, &self.health)?;
        self.moves.fetch_add(1, Ordering::Release);
        if let Some(jobs) = &self.jobs {
            jobs.call();
        }
        let mut writer = self.writer(connection)?;
        writer.declare_anew(declarations)?;
        Ok(writer)
    }

    fn writer(&self, connection: Opened) -> Result<Writer, Failure> {
        let location = &self.options.location;
        let connection = WriteConnection::new(connection, &self.options, &self.health)?;
        let reading = Reading::new(location.path(), &self.health);
        let limit = self
            .options
            .max_bytes
            .map(|bytes| Limit::new(bytes, self.health.clone()));
        let alarm = self.alarm.clone();
        let owed = self.owed.clone();
        Ok(Writer::new(
            connection,
            reading,
            alarm,
            owed,
            &self.options,
            limit,
        ))
    }
}
