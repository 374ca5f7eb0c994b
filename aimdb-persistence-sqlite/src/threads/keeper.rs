//! Keeps a writer at work: in a new file when the old one is damaged or gone.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

use aimdb_persistence_backend::FreshStart;

use crate::error::Failure;
use crate::file::log::Log;
use crate::file::opened::Opened;
use crate::file::quarantine;
use crate::health::Health;
use crate::options::SqliteBackendBuilder;
use crate::read::reading::{ReadJob, Reading};
use crate::remove::limit::Limit;
use crate::threads::command::{Command, Unfinished};
use crate::threads::loss::{Alarm, Loss, gone};
use crate::threads::queue::{Queue, Taken, Taker};
use crate::threads::writer::Writer;
use crate::write::connection::WriteConnection;
use crate::write::declared::Declarations;

/// Has a writer work on the file, and on the next file when that one is lost.
pub(crate) struct Keeper {
    pub(crate) options: SqliteBackendBuilder,
    pub(crate) health: Health,
    /// `None` if a damaged file is not to be set aside.
    pub(crate) alarm: Option<Arc<Alarm>>,
    pub(crate) damage_is_reported: Arc<AtomicBool>,
    /// Counts the files after the first, for readers to follow.
    pub(crate) moves: Arc<AtomicU64>,
    /// Woken to follow at once. `None` for a database in memory.
    pub(crate) jobs: Option<Arc<Queue<ReadJob>>>,
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
        let mut opened = Ok(self.writer(connection));
        loop {
            match opened {
                Ok(mut writer) => match writer.run(unfinished, &commands.0) {
                    None => return writer.close(self.readers, &self.backups),
                    Some(lost) => {
                        (loss, unfinished) = lost;
                        declarations = writer.let_go();
                    }
                },
                // The cause may pass: each command is a new attempt.
                Err(failure) => {
                    unfinished.refuse(&failure);
                    match commands.0.take_until(None) {
                        Taken::Item(command) => unfinished = Unfinished::of(command),
                        Taken::Nothing => unfinished = Unfinished::default(),
                        Taken::Closed => return,
                    }
                }
            }
            opened = self.start_afresh(&mut loss, &declarations);
        }
    }

    fn start_afresh(
        &self,
        loss: &mut Loss,
        declarations: &Declarations,
    ) -> Result<Writer, Failure> {
        let path = self.options.location.path();
        if let Loss::Damaged(file, damage) = loss {
            let is_gone = file.is_lost();
            quarantine::set_aside(path, file, damage, &self.health)?;
            *loss = if is_gone { Loss::Gone } else { Loss::SetAside };
        }
        let writer = self.reopen(declarations)?;
        if matches!(loss, Loss::Gone) {
            let start = FreshStart::new(gone(path).to_string());
            self.health.note_fresh_start(start);
        }
        Ok(writer)
    }

    fn reopen(&self, declarations: &Declarations) -> Result<Writer, Failure> {
        let path = self.options.location.path();
        let connection = quarantine::open_or_set_aside(path, &self.options, &self.health)?;
        self.moves.fetch_add(1, Ordering::Release);
        if let Some(jobs) = &self.jobs {
            jobs.call();
        }
        let mut writer = self.writer(connection);
        writer.declare_anew(declarations)?;
        Ok(writer)
    }

    fn writer(&self, connection: Opened) -> Writer {
        let location = &self.options.location;
        let connection = WriteConnection::new(connection, &self.options);
        let log = location.file();
        let log = log.map(|path| Log::new(path, self.options.durability));
        let reading = Reading::new(location.path(), Arc::clone(&self.damage_is_reported));
        let limit = self
            .options
            .max_bytes
            .map(|bytes| Limit::new(bytes, self.health.clone()));
        Writer::new(connection, log, reading, self.alarm.clone(), limit)
    }
}
