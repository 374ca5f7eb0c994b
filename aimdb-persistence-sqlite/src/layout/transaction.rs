//! Beginning and ending transactions: reads of one moment, writes that wait their turn.

use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::error::is_busy;

/// Runs `read` in a transaction of its own, so that all it reads is of one moment.
pub(crate) fn snapshot<T>(
    connection: &Connection,
    read: impl FnOnce() -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    connection.prepare_cached("BEGIN")?.execute([])?;
    let snapshot = Snapshot(connection);
    let result = read();
    let ended = snapshot.end();
    result.and_then(|result| ended.map(|()| result))
}

/// Ends in any case, after a panic too: a transaction that stays open keeps the log from starting over.
struct Snapshot<'a>(&'a Connection);

impl Snapshot<'_> {
    fn end(self) -> rusqlite::Result<()> {
        let ended = self.commit();
        std::mem::forget(self);
        ended
    }

    fn commit(&self) -> rusqlite::Result<()> {
        self.0.prepare_cached("COMMIT")?.execute([]).map(drop)
    }
}

impl Drop for Snapshot<'_> {
    fn drop(&mut self) {
        // If it fails, the connection's next BEGIN fails, and its caller is told.
        let _ = self.commit();
    }
}

/// Begins a write transaction, waiting for other writers until `busy_timeout` has passed.
pub(crate) fn begin_write(connection: &Connection, busy_timeout: Duration) -> rusqlite::Result<()> {
    let deadline = Instant::now() + busy_timeout;
    loop {
        match connection
            .prepare_cached("BEGIN IMMEDIATE")
            .and_then(|mut begin| begin.execute([]))
        {
            Err(error) if is_busy(&error) && Instant::now() < deadline => {}
            result => return result.map(drop),
        }
    }
}
