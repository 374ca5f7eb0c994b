//! A log that is damaged in its middle: SQLite's recovery stops there by design, and the next commit would write over what
//! lies behind. So it is looked at before the file is opened. What recovery will not take is kept aside and told of.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use aimdb_persistence_backend::LostCommits;
use rusqlite::Connection;

use crate::copy::pages::image::Image;
use crate::copy::pages::search::Search;
use crate::error::{During, Failure};
use crate::file::open_here::while_closed;
use crate::file::opened::Opened;
use crate::file::paths::{self, log_of, with_suffix};
use crate::file::quarantine;
use crate::file::survey::{Known, Survey};
use crate::health::Health;
use crate::layout::sql;
use crate::layout::state::State;
use crate::layout::transaction;
use crate::options::SqliteBackendBuilder;

const USUAL_PAGE_BYTES: usize = 4_096;
const KEPT: &str = "-wal.damaged-";
const AFTER: &str = ".after-";

/// Opens the file for writing, and takes care of what its log holds behind damage.
pub(crate) fn open(
    path: &Path,
    options: &SqliteBackendBuilder,
    health: &Health,
) -> Result<Opened, Failure> {
    let doing = "looking through its log";
    let cut = CutLog::find(path).during(path, doing)?;
    let kept = cut.as_ref().map(|cut| cut.keep(path));
    let kept = kept
        .transpose()
        .during(path, "keeping its damaged log aside")?;
    let starts = health.report().fresh_starts.len();
    let opened = quarantine::open_or_set_aside(path, options, health);
    let (Some(cut), Some(kept)) = (cut, kept) else {
        return opened;
    };
    let was_set_aside = health.report().fresh_starts.len() > starts;
    let opened = match opened {
        Ok(opened) if !was_set_aside => opened,
        // The log lies where it was, or beside the file that was set aside.
        opened => {
            fs::remove_file(&kept).during(&kept, "removing a copy of a log")?;
            return opened;
        }
    };
    let lost = cut.lost(&opened).during(path, doing)?;
    if lost.is_nothing() {
        fs::remove_file(&kept).during(&kept, "removing a copy of a log")?;
        return Ok(opened);
    }
    leave_sequences(&opened, lost.last_sequence, options).during(path, doing)?;
    let named = with_suffix(&kept, &format!("{AFTER}{}", lost.known_sequence));
    fs::rename(&kept, &named).during(&kept, "naming what is kept of a log")?;
    health.note_lost_commits(lost.commits().kept(named.display().to_string()));
    Ok(opened)
}

/// Tells of what the log of a file holds behind damage, which is only read. To be called with what [`CutLog::find`] found
/// before the file was opened.
pub(crate) fn tell(
    cut: &CutLog,
    connection: &Connection,
    path: &Path,
    health: &Health,
) -> Result<(), Failure> {
    let lost = cut
        .lost(connection)
        .during(path, "looking through its log")?;
    if !lost.is_nothing() {
        health.note_lost_commits(lost.commits());
    }
    Ok(())
}

/// What recovery will not take.
pub(crate) struct CutLog {
    survey: Survey,
    image: Image,
}

impl CutLog {
    /// Before SQLite opens the file: the first connection makes the log's index anew. Afterwards what is missing can be
    /// told from what was never there no more.
    #[expect(
        clippy::disallowed_methods,
        reason = "SQLite holds no locks on the log"
    )]
    pub(crate) fn find(path: &Path) -> io::Result<Option<Self>> {
        let log = log_of(path);
        if fs::metadata(&log).map_or(0, |log| log.len()) == 0 {
            return Ok(None);
        }
        let known = known(path)?;
        let file = File::open(&log)?;
        let survey = Survey::of(&file, USUAL_PAGE_BYTES, known)?;
        if !survey.is_cut() {
            return Ok(None);
        }
        let image = Image::beyond_reach(file, &survey);
        Ok(Some(Self { survey, image }))
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "SQLite holds no locks on the log"
    )]
    fn keep(&self, path: &Path) -> io::Result<PathBuf> {
        let kept = quarantine::free_name(path, KEPT, &[""]).map_err(io::Error::other)?;
        let mut copy = paths::create_new(&kept, 0o600)?;
        io::copy(&mut File::open(log_of(path))?, &mut copy)?;
        copy.sync_all()?;
        Ok(kept)
    }

    /// What of this is not in the file as it was recovered.
    fn lost(&self, connection: &Connection) -> io::Result<Lost> {
        let known_sequence = State::read(connection)
            .map_err(io::Error::other)?
            .last_sequence();
        let search = Search::through(&self.image)?;
        let rows = search.rows_behind(&self.image, known_sequence)?;
        Ok(Lost {
            commits: self.survey.commits_beyond(),
            rows: rows.len() as u64,
            since_ms: rows.iter().map(|key| key.place.stored_at).min(),
            last_sequence: rows.iter().map(|key| key.place.sequence).max(),
            known_sequence,
            is_certain: self.survey.has_more_than_leftovers(),
        })
    }
}

/// How many frames there were: the index in memory outlives a program that is killed.
#[expect(
    clippy::disallowed_methods,
    reason = "closing it takes no lock away, since nothing of this program has it open"
)]
fn known(path: &Path) -> io::Result<Option<Known>> {
    let known = while_closed(path, || match File::open(with_suffix(path, "-shm")) {
        Ok(index) => Known::of(&index),
        Err(_) => Ok(None),
    });
    known.unwrap_or(Ok(None))
}

/// What a damaged log cost.
struct Lost {
    commits: u64,
    rows: u64,
    since_ms: Option<i64>,
    /// The highest of the rows that are known of.
    last_sequence: Option<i64>,
    /// The highest of the file as it was recovered.
    known_sequence: i64,
    /// Frames of a commit that failed may lie behind the end of a log. They are no loss.
    is_certain: bool,
}

impl Lost {
    fn is_nothing(&self) -> bool {
        !self.is_certain
    }

    fn commits(&self) -> LostCommits {
        let since_ms = self.since_ms.map(i64::cast_unsigned);
        LostCommits::new(self.commits, self.rows).since_ms(since_ms)
    }
}

/// Numbers of rows that are lost are not given to others: salvage brings them back.
fn leave_sequences(
    connection: &Connection,
    last_sequence: Option<i64>,
    options: &SqliteBackendBuilder,
) -> rusqlite::Result<()> {
    let Some(last) = last_sequence else {
        return Ok(());
    };
    transaction::begin_write(connection, options.busy_timeout)?;
    connection
        .execute(sql::LEAVE_SEQUENCES, [last])
        .and_then(|_| connection.execute_batch("COMMIT"))
        .inspect_err(|_| {
            // If this fails too, closing the connection does it.
            let _ = connection.execute_batch("ROLLBACK");
        })
}

/// Logs that are kept beside a file, each with the sequence behind which its rows are not in the file.
pub(crate) fn kept_beside(path: &Path) -> io::Result<Vec<(PathBuf, i64)>> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Ok(Vec::new());
    };
    let begin = format!("{}{KEPT}", name.to_string_lossy());
    let mut kept = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let own = entry.file_name().to_string_lossy().into_owned();
        let after = own
            .rsplit_once(AFTER)
            .and_then(|(_, after)| after.parse().ok());
        if let (true, Some(after)) = (
            own.starts_with(&begin) && entry.file_type()?.is_file(),
            after,
        ) {
            kept.push((entry.path(), after));
        }
    }
    kept.sort();
    Ok(kept)
}

/// The pages of a log that is kept, which its recovery has not taken.
#[expect(clippy::disallowed_methods, reason = "a copy that nobody has open")]
pub(crate) fn image_of_kept(log: &Path) -> io::Result<Image> {
    let file = File::open(log)?;
    let survey = Survey::of(&file, USUAL_PAGE_BYTES, None)?;
    Ok(Image::beyond_reach(file, &survey))
}
