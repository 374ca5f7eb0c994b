//! What the groups share: how thorough the run is, the folder, and the large files that several groups read.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use aimdb_persistence_workload::{ROWS_PER_COMMIT, Reading, SERIES, START_MS};
use serde::de::DeserializeOwned;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::history;
use crate::raw::{Layout, Raw};

/// What everything here returns: an error ends the run.
pub(crate) type Outcome<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// The first argument of a process that measures one figure for another one.
pub(crate) const CHILD: &str = "--child";

pub(crate) struct Bench {
    pub(crate) quick: bool,
    folder: TempDir,
    /// The large files that are there already.
    made: Mutex<BTreeSet<PathBuf>>,
}

impl Bench {
    pub(crate) fn new(quick: bool, folder: &Path) -> Outcome<Self> {
        Ok(Self {
            quick,
            folder: tempfile::Builder::new()
                .prefix("history-benches-")
                .tempdir_in(folder)?,
            made: Mutex::default(),
        })
    }

    /// One of two sizes.
    pub(crate) fn size<T>(&self, full: T, quick: T) -> T {
        if self.quick { quick } else { full }
    }

    /// How often a cheap figure is measured, for its median.
    pub(crate) fn runs(&self) -> usize {
        self.size(5, 1)
    }

    /// A folder that is empty, and gone when dropped.
    pub(crate) fn scratch(&self) -> Outcome<TempDir> {
        Ok(tempfile::tempdir_in(self.folder.path())?)
    }

    /// Our file of so many rows over [`SERIES`] series, in order of arrival.
    pub(crate) fn our_file(&self, rows: u64) -> Outcome<PathBuf> {
        self.made_once(format!("ours-{rows}.db"), |path| {
            runtime()?.block_on(async {
                let backend = history::open(path)?;
                // A typed query asks for series of its type alone.
                history::declare_series(&backend).await?;
                history::store_rows(&backend, 0..rows, ROWS_PER_COMMIT, arrival).await?;
                Ok(backend.close().await?)
            })
        })
    }

    /// Raw SQLite's clustered file of the same rows.
    pub(crate) fn raw_file(&self, rows: u64) -> Outcome<PathBuf> {
        self.made_once(format!("raw-{rows}.db"), |path| {
            let mut raw = Raw::create(path, Layout::Clustered)?;
            raw.store(0..rows, ROWS_PER_COMMIT, arrival)?;
            Ok(raw.close()?)
        })
    }

    fn made_once(&self, name: String, make: impl FnOnce(&Path) -> Outcome) -> Outcome<PathBuf> {
        let path = self.folder.path().join(name);
        let mut made = self.made.lock().expect("no holder panics");
        if !made.contains(&path) {
            make(&path)?;
            made.insert(path.clone());
        }
        Ok(path)
    }
}

/// Row `n` of the usual history: its series, time and value.
pub(crate) fn arrival(n: u64) -> (u64, u64, Reading) {
    (n % SERIES, START_MS + n, Reading::nth(n))
}

/// The runtime as `#[tokio::main]` makes it.
pub(crate) fn runtime() -> Outcome<Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?)
}

/// Runs this program again with `arguments`, through `wrapper` if there is one, and reads what it prints.
pub(crate) fn in_child<T: DeserializeOwned>(wrapper: &[&str], arguments: &[&str]) -> Outcome<T> {
    let this = std::env::current_exe()?;
    let mut command = match wrapper {
        [] => Command::new(this),
        [program, options @ ..] => {
            let mut command = Command::new(program);
            command.args(options).arg(this);
            command
        }
    };
    let output = command.arg(CHILD).args(arguments).output()?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr);
        return Err(format!("the measuring process {arguments:?} failed: {why}").into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}
