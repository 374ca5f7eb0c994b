//! Whether a file is sound.

use std::path::Path;

use crate::error::HistoryError;
use crate::raw;

/// What is wrong with the structure of a SQLite file, in SQLite's words; nothing where it is sound. This reads every page,
/// while a program may go on recording.
///
/// # Errors
/// The backend's, if there is no history at this path.
pub async fn check(path: &Path) -> Result<Vec<String>, HistoryError> {
    let connection = raw::open_to_read(path).await?;
    let found = (|| {
        let mut check = connection.prepare("PRAGMA quick_check")?;
        let found = check.query_map([], |row| row.get::<_, String>(0))?;
        found.collect::<Result<Vec<_>, _>>()
    })();
    Ok(match found {
        Ok(found) => found.into_iter().filter(|found| found != "ok").collect(),
        // So damaged that it cannot even be checked.
        Err(error) => vec![error.to_string()],
    })
}
