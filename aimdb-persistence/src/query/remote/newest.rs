//! Which series a remote question is about: each with its newest row.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aimdb_persistence_backend::json::Scalar;
use aimdb_persistence_backend::{Order, PersistenceError, Row, Rows, Visit};

use crate::query::history::Question;
use crate::query::look::Look;
use crate::query::remote::room::Room;

/// What was found so far. Clones share it, so that it is there also if looking was given up half-way.
#[derive(Debug, Clone, Default)]
pub(crate) struct Newest(Arc<Mutex<Found>>);

#[derive(Debug, Default)]
struct Found {
    rows: Rows,
    is_complete: bool,
}

impl Newest {
    /// The rows, by series, and whether these are all.
    pub(crate) fn take(&self) -> (Rows, bool) {
        let mut found = self.lock();
        (std::mem::take(&mut found.rows), found.is_complete)
    }

    fn lock(&self) -> MutexGuard<'_, Found> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Looks for the series behind the one that is named, until so many rows or bytes are found.
pub(crate) async fn find_newest(
    question: &Question,
    after: Option<&str>,
    room: Room,
    into: &Newest,
) -> Result<(), PersistenceError> {
    let finder = Finder {
        after: after.map(str::to_owned),
        rows: room.rows,
        bytes: room.bytes,
        found: into.clone(),
    };
    let reading = question.read_as(Order::NewestFirst, Some(1));
    let mut looking = question.begin(reading, finder).await?;
    let may_have_more = looking.go_on().await?;
    looking.end()?;
    into.lock().is_complete = !may_have_more;
    Ok(())
}

struct Finder {
    after: Option<String>,
    rows: usize,
    bytes: usize,
    found: Newest,
}

impl Look for Finder {
    fn row(&mut self, row: Row<'_>, _: &[Scalar<'_>]) -> Visit {
        if self
            .after
            .as_deref()
            .is_some_and(|after| row.record_name <= after)
        {
            return Visit::Continue;
        }
        let rows = &mut self.found.lock().rows;
        rows.push_versioned(row.record_name, row.stored_at, row.json, row.version);
        match rows.len() >= self.rows || rows.text_bytes() >= self.bytes {
            true => Visit::Stop,
            false => Visit::Continue,
        }
    }
}
