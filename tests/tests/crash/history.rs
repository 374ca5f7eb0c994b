//! What a file must hold, by what the processes that recorded into it have reported; and what it does hold.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use aimdb_persistence::backend::ReadRequest;
use aimdb_persistence::conformance::block_on;
use aimdb_persistence::{Pattern, PersistenceBackend, PersistenceError};
use aimdb_persistence_sqlite::{Durability, SqliteBackend};
use aimdb_persistence_tests::crash::{Kept, Mark, Passing, Report};
use rusqlite::Connection;

/// The values of one series that one process has produced.
type Stream = (String, u32, u32);

/// What the processes have reported.
#[derive(Default, Clone)]
pub(crate) struct Promised {
    /// How many values, from the first, are stored.
    stored: BTreeMap<Stream, u64>,
    /// How many values, from the first, are durable as well.
    flushed: BTreeMap<Stream, u64>,
    /// Passing rows from before this time may have been removed.
    passing_before: u64,
}

/// Which of the promises have to be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    /// What is stored is there.
    Stored,
    /// What is flushed is there.
    Flushed,
    /// What is there is in order.
    Order,
}

impl Promised {
    pub(crate) fn hear(&mut self, writer: u32, run: u32, report: &Report) {
        let (promises, counts) = match report {
            Report::Begun(_) | Report::Lost(_) | Report::Ready | Report::Idle => return,
            Report::Passing(before) => {
                self.passing_before = self.passing_before.max(*before);
                return;
            }
            Report::Stored(counts) => (&mut self.stored, counts),
            Report::Flushed(counts) => (&mut self.flushed, counts),
        };
        for (key, count) in counts {
            promises.insert((key.clone(), writer, run), *count);
        }
    }

    /// How many rows are promised in all.
    pub(crate) fn rows(&self) -> u64 {
        self.due(Due::Stored).values().sum()
    }

    fn due(&self, due: Due) -> BTreeMap<Stream, u64> {
        let mut promised = match due {
            Due::Stored => self.stored.clone(),
            Due::Flushed | Due::Order => BTreeMap::new(),
        };
        if due != Due::Order {
            for (stream, count) in &self.flushed {
                let known = promised.entry(stream.clone()).or_default();
                *known = (*known).max(*count);
            }
        }
        promised
    }

    /// Of each stream there are the first so many values, each once, and all that were promised; but of passing rows
    /// some may have been removed.
    ///
    /// # Errors
    /// Says what is missing.
    pub(crate) fn are_kept_by(&self, rows: &[Row], due: Due) -> Result<(), String> {
        let mut found: BTreeMap<Stream, BTreeSet<u64>> = BTreeMap::new();
        for row in rows {
            if !found.entry(row.stream()).or_default().insert(row.mark.n) {
                return Err(format!("{row:?} is there twice"));
            }
        }
        let due = self.due(due);
        for stream in due.keys().chain(found.keys()) {
            let none = BTreeSet::new();
            let numbers = found.get(stream).unwrap_or(&none);
            let first = self.first_to_stay(stream);
            let promised = due.get(stream).copied().unwrap_or(0);
            let end = numbers.last().map_or(0, |last| last + 1).max(promised);
            if let Some(missing) = (first..end).find(|n| !numbers.contains(n)) {
                return Err(format!(
                    "{stream:?}: of {promised} promised rows, and {} found, number {missing} is missing",
                    numbers.len()
                ));
            }
        }
        Ok(())
    }

    /// The first value of a stream that has not been removed.
    fn first_to_stay(&self, (key, writer, run): &Stream) -> u64 {
        match key.starts_with("passing.") {
            true => self
                .passing_before
                .saturating_sub(Passing::new(*writer, *run, 0).at),
            false => 0,
        }
    }
}

/// A stored row, and its place among all that were ever stored.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    pub(crate) id: i64,
    pub(crate) key: String,
    pub(crate) stored_at: u64,
    pub(crate) mark: Mark,
}

impl Row {
    fn stream(&self) -> Stream {
        (self.key.clone(), self.mark.writer, self.mark.run)
    }

    pub(crate) fn is_kept(&self) -> bool {
        self.key.starts_with("kept.")
    }
}

/// Opens the file as its program does, and reads everything in the order in which it was stored.
///
/// # Errors
/// If the file cannot be opened, is not sound, or holds a row that was not stored like this; or if its view and its
/// queries disagree.
pub(crate) fn read(path: &Path) -> Result<Vec<Row>, String> {
    // What a check writes need not survive a crash.
    let options = SqliteBackend::builder(path)
        .durability(Durability::Relaxed)
        .tail_rows(48);
    let backend = options.open().map_err(|error| error.to_string())?;
    let queried = block_on(query(&backend)).map_err(|error| error.to_string())?;
    let check = block_on(backend.check(|_| {})).map_err(|error| error.to_string())?;
    if !check.is_sound() {
        return Err(format!("a check finds {:?}", check.first));
    }
    // The view shows what is not packed.
    block_on(backend.unpack("#", |_| {})).map_err(|error| error.to_string())?;
    let viewed = view(path)?;
    block_on(backend.close()).map_err(|error| error.to_string())?;
    let shown = viewed
        .iter()
        .map(|(_, key, stored_at, json)| (key, stored_at, json));
    if !shown.eq(queried
        .iter()
        .map(|(key, stored_at, json)| (key, stored_at, json)))
    {
        return Err("the view does not show what a query returns".to_owned());
    }
    in_order(viewed)
}

/// Reads everything as SQLite itself does, with none of our code.
///
/// # Errors
/// As [`read`].
pub(crate) fn read_plainly(path: &Path) -> Result<Vec<Row>, String> {
    in_order(view(path)?)
}

/// In the order in which they were stored.
fn in_order(viewed: Vec<ViewRow>) -> Result<Vec<Row>, String> {
    let rows = viewed.into_iter().map(parse);
    let mut rows = rows.collect::<Result<Vec<_>, _>>()?;
    rows.sort_unstable_by_key(|row| row.id);
    Ok(rows)
}

async fn query(backend: &SqliteBackend) -> Result<Vec<(String, u64, String)>, PersistenceError> {
    let mut request = ReadRequest::new(Pattern::parse("#")?).with_page(1_000, usize::MAX);
    let mut rows = Vec::new();
    loop {
        let page = backend.read(request.clone()).await?;
        let texts = page.rows.iter();
        rows.extend(texts.map(|r| (r.record_name.to_owned(), r.stored_at, r.json.to_owned())));
        match page.next {
            Some(cursor) => request.after = Some(cursor),
            None => return Ok(rows),
        }
    }
}

type ViewRow = (i64, String, u64, String);

/// The view in the order of queries, once the file is known to be sound.
fn view(path: &Path) -> Result<Vec<ViewRow>, String> {
    let connection = Connection::open(path).map_err(|error| error.to_string())?;
    let check = connection.query_row("PRAGMA integrity_check", [], |r| r.get::<_, String>(0));
    match check.as_deref() {
        Ok("ok") => rows_of_view(&connection).map_err(|error| error.to_string()),
        other => Err(format!("the file is not sound: {other:?}")),
    }
}

fn rows_of_view(connection: &Connection) -> rusqlite::Result<Vec<ViewRow>> {
    let mut rows = connection.prepare(
        "SELECT id, record_name, stored_at, value_json FROM record_history \
         ORDER BY record_name, stored_at DESC, id DESC",
    )?;
    let rows = rows.query_map([], |r| {
        Ok((
            r.get(0)?,
            r.get(1)?,
            r.get::<_, i64>(2)?.cast_unsigned(),
            r.get(3)?,
        ))
    })?;
    rows.collect()
}

fn parse((id, key, stored_at, json): ViewRow) -> Result<Row, String> {
    let value: Kept = serde_json::from_str(&json).map_err(|error| format!("{key}: {error}"))?;
    let mark = value.mark;
    let at = match key.starts_with("kept.") {
        true => Kept::new(mark.writer, mark.run, mark.n).at,
        false => Passing::new(mark.writer, mark.run, mark.n).at,
    };
    if !mark.is_whole() || value.at != at || stored_at != at {
        return Err(format!(
            "{key} at {stored_at} is not as it was stored: {json}"
        ));
    }
    Ok(Row {
        id,
        key,
        stored_at,
        mark,
    })
}
