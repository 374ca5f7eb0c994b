//! Whether a history may be trusted to the SQLite that this program runs on. Without the feature `bundled` that is the
//! library of the machine where the program is started, not where it is built.

use aimdb_persistence::StorageErrorKind;

use crate::error::Failure;
use crate::options::SqliteBackendBuilder;

/// `rusqlite` calls a function that came with it; the youngest features used here are older.
const OLDEST: i32 = 3_044_000;

/// Before the file is touched.
pub(crate) fn check(options: &SqliteBackendBuilder) -> Result<(), Failure> {
    // One connection of this backend writes. A second one belongs to another backend or program.
    let others_may_write =
        !options.only_writer && !options.read_only && options.location.file().is_some();
    match objection(rusqlite::version_number(), others_may_write) {
        Some(objection) => Err(Failure::new(
            StorageErrorKind::CannotOpen,
            options.location.path(),
            objection,
        )),
        None => Ok(()),
    }
}

fn objection(version: i32, others_may_write: bool) -> Option<String> {
    let found = name(version);
    if version < OLDEST {
        return Some(format!(
            "this program runs on SQLite {found}, and a history needs {} or later; update the system's library, or build \
             with the feature `bundled`",
            name(OLDEST)
        ));
    }
    (others_may_write && damages_shared_files(version)).then(|| {
        format!(
            "this program runs on SQLite {found}, which can damage a file that two connections write into; update the \
             system's library to 3.51.3 or later, build with the feature `bundled`, or, if no other program writes into \
             this file, open it with `.only_writer()`"
        )
    })
}

/// Whether a connection that copies the log into the file may miss that another one has just started
/// the log over ("WAL-reset bug"). Repaired in 3.51.3, and in two older lines of releases.
fn damages_shared_files(version: i32) -> bool {
    let repaired = match version / 1_000 {
        3_044 => 3_044_006,
        3_050 => 3_050_007,
        _ => 3_051_003,
    };
    version < repaired
}

/// SQLite numbers its version 3.51.3 as 3051003.
fn name(version: i32) -> String {
    let (major, minor, patch) = (
        version / 1_000_000,
        version / 1_000 % 1_000,
        version % 1_000,
    );
    format!("{major}.{minor}.{patch}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_that_is_too_old_is_refused_naming_both_versions() {
        for others_may_write in [false, true] {
            let objection = objection(3_040_001, others_may_write).expect("3.40 is too old");
            assert!(objection.contains("SQLite 3.40.1"), "{objection}");
            assert!(objection.contains("needs 3.44.0"), "{objection}");
        }
    }

    #[test]
    fn a_version_that_damages_shared_files_is_refused_unless_nobody_else_writes() {
        for damaging in [3_044_000, 3_045_001, 3_046_001, 3_050_006, 3_051_002] {
            let objection = objection(damaging, true).expect("two may write");
            assert!(objection.contains(&name(damaging)), "{objection}");
            assert!(objection.contains(".only_writer()"), "{objection}");
        }
        assert_eq!(objection(3_046_001, false), None);
        for repaired in [3_044_006, 3_050_007, 3_051_003, 3_053_000, 4_000_000] {
            assert_eq!(objection(repaired, true), None, "{repaired}");
        }
    }

    #[cfg(feature = "bundled")]
    #[test]
    fn the_bundled_version_lets_others_write() {
        assert_eq!(objection(rusqlite::version_number(), true), None);
    }
}
