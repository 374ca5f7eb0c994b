//! Keeps a writer at work on the file: in a new one when the file is damaged or gone.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::JoinHandle;

use aimdb_persistence::{BackendHealth, FreshStart, StorageErrorKind};
use rusqlite::Connection;

use crate::error::Failure;
use crate::file::identity::Place;
use crate::file::open;
use crate::file::quarantine;
use crate::options::{OnCorruption, SqliteBackendBuilder};
use crate::remove::limit::Limit;
use crate::threads::loss::{Alarm, Loss, gone};
use crate::threads::queue::{Queue, Taken, Taker};
use crate::threads::reader::Reading;
use crate::threads::writer::{Command, Unfinished, Writer};
use crate::write::connection::{Declarations, WriteConnection};

/// Setting a file aside more often than this in one run would only fill a failing disk with copies.
const MOST_FRESH_STARTS: usize = 8;

/// Somebody who removes the file again and again does not make the list of it endless.
const MOST_LISTED: usize = 100;

/// What the backend tells of itself, shared by the thread that writes and the callers that ask.
#[derive(Clone, Default)]
pub(crate) struct Health(Arc<Mutex<BackendHealth>>);

impl Health {
    pub(crate) fn report(&self) -> BackendHealth {
        self.lock().clone()
    }

    pub(crate) fn note_evicted(&self, rows: u64) {
        self.lock().evicted += rows;
    }

    fn note(&self, start: FreshStart) {
        let mut health = self.lock();
        if health.fresh_starts.len() < MOST_LISTED {
            health.fresh_starts.push(start);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BackendHealth> {
        // Each change is a single step.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Opens the file for writing; a damaged one is set aside first, where that is wanted.
pub(crate) fn open_or_set_aside(
    path: &Path,
    options: &SqliteBackendBuilder,
    health: &Health,
) -> Result<Connection, Failure> {
    let place = Place::of(path);
    match open::writer(path, options) {
        Err(failure)
            if failure.kind() == StorageErrorKind::Corrupt
                && options.on_corruption == OnCorruption::Quarantine =>
        {
            set_aside(path, &place, &failure, health)?;
            open::writer(path, options)
        }
        opened => opened,
    }
}

/// Not what lies at the path by now, should somebody else have been quicker.
fn set_aside(
    path: &Path,
    damaged: &Place,
    damage: &Failure,
    health: &Health,
) -> Result<(), Failure> {
    if damaged.is_lost() {
        return Ok(());
    }
    if health.report().fresh_starts.len() >= MOST_FRESH_STARTS {
        return Err(damage.clone());
    }
    let aside = quarantine::set_aside(path)?;
    health.note(FreshStart::new(damage.to_string()).set_aside(aside.display().to_string()));
    Ok(())
}

/// What becomes of a file and its writer, from one file to the next.
pub(crate) struct Keeper {
    pub(crate) path: PathBuf,
    pub(crate) options: SqliteBackendBuilder,
    pub(crate) health: Health,
    /// `None` where a damaged file is not to be set aside.
    pub(crate) alarm: Option<Arc<Alarm>>,
    pub(crate) damage_is_reported: Arc<AtomicBool>,
    /// Counts the files after the first, for readers to follow.
    pub(crate) moves: Arc<AtomicU64>,
    /// Disconnected when the last backup has ended, which is waited for as well.
    pub(crate) backups: mpsc::Receiver<()>,
    /// Waited for at the end: the connection closed last is the one that folds the log into the file.
    pub(crate) readers: Vec<JoinHandle<()>>,
}

impl Keeper {
    /// Works until the queue is closed and empty, then closes the file.
    pub(crate) fn run(self, connection: Connection, commands: Arc<Queue<Command>>) {
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
                        declarations = writer.let_go();
                    }
                },
                // What keeps the file from being opened may pass: each command is a new attempt.
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
        if let Loss::Damaged(place, damage) = loss {
            let is_gone = place.is_lost();
            set_aside(&self.path, place, damage, &self.health)?;
            *loss = if is_gone { Loss::Gone } else { Loss::SetAside };
        }
        let writer = self.reopen(declarations)?;
        if matches!(loss, Loss::Gone) {
            self.health
                .note(FreshStart::new(gone(&self.path).to_string()));
        }
        Ok(writer)
    }

    fn reopen(&self, declarations: &Declarations) -> Result<Writer, Failure> {
        let connection = open_or_set_aside(&self.path, &self.options, &self.health)?;
        self.moves.fetch_add(1, Ordering::Release);
        let mut writer = self.writer(connection)?;
        writer.declare_anew(declarations)?;
        Ok(writer)
    }

    fn writer(&self, connection: Connection) -> Result<Writer, Failure> {
        let connection = WriteConnection::new(connection, self.path.clone(), &self.options)?;
        let reading = Reading::new(&self.path, Arc::clone(&self.damage_is_reported));
        let limit = self
            .options
            .max_bytes
            .map(|bytes| Limit::new(bytes, self.health.clone()));
        let alarm = self.alarm.clone();
        Ok(Writer::new(connection, reading, alarm, limit))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_is_not_set_aside_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.db");
        let health = Health::default();
        let damage = Failure::new(StorageErrorKind::Corrupt, &path, "damaged");
        for n in 1..=MOST_FRESH_STARTS + 1 {
            fs::write(&path, "damaged").unwrap();
            let is_set_aside = set_aside(&path, &Place::of(&path), &damage, &health).is_ok();
            assert_eq!(is_set_aside, n <= MOST_FRESH_STARTS);
            assert_eq!(is_set_aside, !path.exists());
        }
        assert_eq!(health.report().fresh_starts.len(), MOST_FRESH_STARTS);
    }

    #[test]
    fn the_new_file_of_somebody_who_was_quicker_is_not_set_aside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.db");
        fs::write(&path, "damaged").unwrap();
        let place = Place::of(&path);
        fs::rename(&path, folder.path().join("aside")).unwrap();
        fs::write(&path, "new").unwrap();
        let damage = Failure::new(StorageErrorKind::Corrupt, &path, "damaged");
        set_aside(&path, &place, &damage, &Health::default()).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
    }
}
