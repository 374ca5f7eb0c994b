//! Whether a file is damaged, once SQLite has said so: it says the same of a read that the disk refused.

use std::path::Path;
use std::time::Duration;

use aimdb_persistence_backend::StorageErrorKind;
use rusqlite::Connection;

use crate::error::{During, Failure};
use crate::file::check::Checking;
use crate::file::open;
use crate::options::SqliteBackendBuilder;

/// A disk that refuses to read may read a moment later.
pub(crate) const SECOND_LOOK_AFTER: Duration = Duration::from_millis(200);

/// What looking has found.
pub(crate) enum Finding {
    Sound,
    /// The same twice, by connections of their own.
    Damaged,
    /// It cannot be read as a whole.
    Unreadable(Failure),
}

/// Looks at the whole file, and again after a moment if that finds damage.
pub(crate) fn look(path: &Path, options: &SqliteBackendBuilder) -> Finding {
    match look_once(path, options) {
        Finding::Damaged | Finding::Unreadable(_) => {
            std::thread::sleep(SECOND_LOOK_AFTER);
            look_once(path, options)
        }
        Finding::Sound => Finding::Sound,
    }
}

fn look_once(path: &Path, options: &SqliteBackendBuilder) -> Finding {
    match open::reader(path, options).and_then(|connection| problem(&connection, path)) {
        Ok(None) => Finding::Sound,
        Ok(Some(problem)) if is_refused_read(&problem) => Finding::Unreadable(Failure::new(
            StorageErrorKind::Io,
            path,
            format!("the disk refuses to read a part of it: {problem}"),
        )),
        Ok(Some(_)) => Finding::Damaged,
        Err(failure) if failure.kind() == StorageErrorKind::Corrupt => Finding::Damaged,
        Err(failure) => Finding::Unreadable(failure),
    }
}

fn problem(connection: &Connection, path: &Path) -> Result<Option<String>, Failure> {
    let mut checking = Checking::for_damage();
    while !checking.step(connection).during(path, "checking it")? {
        if !checking.report.is_sound() {
            break;
        }
    }
    Ok(checking.report.first.into_iter().next())
}

/// "Tree 5 page 17: unable to get the page. error code=266", whose last eight bits are SQLite's for I/O.
fn is_refused_read(problem: &str) -> bool {
    const IO_ERROR: u32 = 10;
    let code = problem.split("error code=").nth(1).and_then(|rest| {
        let digits = rest.split(|c: char| !c.is_ascii_digit()).next();
        digits?.parse::<u32>().ok()
    });
    code.is_some_and(|code| code & 0xff == IO_ERROR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_that_the_disk_refused_is_told_from_damage() {
        for (problem, is_refused) in [
            (
                "Tree 5 page 17: unable to get the page. error code=266",
                true,
            ),
            (
                "Tree 5 page 17: unable to get the page. error code=8458",
                true,
            ),
            (
                "Tree 5 page 17: unable to get the page. error code=11",
                false,
            ),
            ("Tree 5 page 17 cell 3: Rowid 9 out of order", false),
        ] {
            assert_eq!(is_refused_read(problem), is_refused, "{problem}");
        }
    }
}
