//! Saving the readable rows of a damaged file.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use aimdb_persistence_backend::{PersistenceError, StorageErrorKind};
use rusqlite::Connection;

use crate::copy::cut_log;
use crate::copy::pages::image::Image;
use crate::copy::pages::search::Search;
use crate::copy::salvaged::SalvageReport;
use crate::copy::saving::{SaveError, Saving, Source};
use crate::error::{During, Failure};
use crate::file::format;
use crate::file::open;
use crate::file::open_here::ReadRaw;
use crate::file::paths::{self, log_of};
use crate::options::SqliteBackendBuilder;
use crate::report;

/// A backend that was dropped closes its file a little later, and so does a reader of a file that was set aside.
const PATIENCE: Duration = Duration::from_secs(2);

/// Saves what can be read of the damaged history at `damaged` into a new one at `to`, with what is declared of its series.
/// The damaged file and its log are left as they are. A file of the published crate can be saved as well.
///
/// Every page of the file and of its log is looked at by itself. So a row is saved if its own page is sound, whatever became
/// of the pages that lead to it. Each row is saved once, and none whose checksum does not fit. (Rows of the published crate
/// carry none: of these, what is no JSON is left out.) Rows of pages that were freed have been removed, and stay so; where
/// everything is lost that would tell, they are saved and counted.
///
/// A log that was kept aside beside the file, because it was damaged in its middle, is saved along.
///
/// The call blocks until it is done. It works in a folder `<to>.working-1`, which is removed at the end.
///
/// Nobody may record into the damaged file meanwhile. If this program has it open, the call waits a few seconds for it to
/// be closed, and then fails: reading the file would take away the locks that protect it.
///
/// ```
/// # use aimdb_persistence_sqlite::{SqliteBackend, salvage};
/// # use aimdb_persistence_backend::PersistenceBackend;
/// # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
/// # let folder = tempfile::tempdir()?;
/// # let folder = folder.path();
/// # let damaged = folder.join("history.db.corrupt-20261125T120000Z");
/// # runtime.block_on(async {
/// #     let backend = SqliteBackend::new(&damaged)?;
/// #     backend.store("temperature.sf", &serde_json::json!(13.2), 1_000).await?;
/// #     backend.close().await
/// # })?;
/// let saved = salvage(&damaged, folder.join("saved.db"))?;
/// println!("{} rows of {} series", saved.rows, saved.series);
/// # assert_eq!(saved.rows, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`PersistenceError::Storage`] if there is a file or a link at `to`, or a log beside it, if this program has the damaged
/// file open ([`StorageErrorKind::Busy`]), if either cannot be opened, or if nothing of a history is found in the damaged one.
/// Then no file is left at `to`.
pub fn salvage(
    damaged: impl AsRef<Path>,
    to: impl AsRef<Path>,
) -> Result<SalvageReport, PersistenceError> {
    let (damaged, to) = (
        paths::locate(damaged.as_ref())?,
        paths::locate_new(to.as_ref())?,
    );
    let working = Working::beside(&to)?;
    Ok(working.save(&damaged, &to)?)
}

/// A folder of its own for the new file until it is complete. No name in it can be an existing file's.
struct Working {
    folder: PathBuf,
}

impl Working {
    fn beside(to: &Path) -> Result<Self, Failure> {
        let folder = paths::create_folder_beside(to).during(to, "making a folder to work in")?;
        Ok(Self { folder })
    }

    fn save(&self, damaged: &Path, to: &Path) -> Result<SalvageReport, Failure> {
        let doing = "reading it";
        if !fs::metadata(damaged).during(damaged, doing)?.is_file() {
            let what = "this is not a file that could be salvaged";
            return Err(Failure::new(StorageErrorKind::CannotOpen, damaged, what));
        }
        let _lease = ReadRaw::lease(damaged, PATIENCE)?;
        let image = open(damaged)?;
        let mut search = Search::through(&image).during(damaged, doing)?;
        search.reach.settle();
        refuse_others(damaged, &image, &search)?;
        let mut sources = vec![Source {
            image,
            search,
            after: None,
        }];
        for (log, after) in cut_log::kept_beside(damaged).during(damaged, doing)? {
            let image = cut_log::image_of_kept(&log).during(&log, doing)?;
            let search = Search::through(&image).during(&log, doing)?;
            sources.push(Source {
                image,
                search,
                after: Some(after),
            });
        }
        let saved = self.folder.join("saved.db");
        let target = open::writer(&saved, &SqliteBackendBuilder::new(saved.clone()))?;
        let report = save(&sources, &target).map_err(|error| match error {
            SaveError::Source(error) => Err::<(), _>(error).during(damaged, doing),
            SaveError::Target(error) => Err::<(), _>(error).during(to, "saving rows"),
        });
        let report = match report {
            Ok(report) => report,
            Err(failed) => return failed.map(|()| SalvageReport::default()),
        };
        // Folds the log in, and syncs the file.
        target.close().during(to, "saving rows")?;
        paths::name_complete(&saved, to)?;
        Ok(report)
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.folder) {
            report::warn(&format!(
                "{}: could not be removed ({error}); nothing needs it",
                self.folder.display()
            ));
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "its caller has leased the file, and SQLite holds no locks on the log"
)]
fn open(damaged: &Path) -> Result<Image, Failure> {
    let doing = "reading it";
    let file = File::open(damaged).during(damaged, doing)?;
    let log = match File::open(log_of(damaged)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        opened => Some(opened.during(&log_of(damaged), doing)?),
    };
    Image::of(file, log).during(damaged, doing)
}

/// Another program's database is not saved as a history.
fn refuse_others(damaged: &Path, image: &Image, search: &Search) -> Result<(), Failure> {
    let is_published = |header: &[u8]| {
        let name = b"record_history";
        header.windows(name.len()).any(|part| part == name)
    };
    match image.header() {
        Some(_) if search.is_history => Ok(()),
        Some(header) if format::is_marked(header) || is_published(header) => Ok(()),
        Some(_) => Err(Failure::new(
            StorageErrorKind::CannotOpen,
            damaged,
            "it is no history: there is no table of rows in it",
        )),
        None if search.is_history || !search.leaves.is_empty() => Ok(()),
        None => Err(Failure::new(
            StorageErrorKind::Corrupt,
            damaged,
            "nothing of a history is found in it",
        )),
    }
}

fn save(sources: &[Source], target: &Connection) -> Result<SalvageReport, SaveError> {
    let transaction = target.unchecked_transaction()?;
    let saving = Saving::new(sources, &transaction);
    let report = saving.map_or(Ok(SalvageReport::default()), Saving::save)?;
    transaction.commit()?;
    Ok(report)
}
