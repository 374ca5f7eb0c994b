//! A backend that keeps its rows in memory: for tests, and the model that other backends are held
//! against.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use crate::backend::{
    BatchOutcome, BoxFuture, Cursor, Feature, Order, Page, PersistenceBackend, QueryParams,
    ReadRequest, SeriesDeclaration, StoredValue, SweepReport, SweepRequest, check_rename,
};
use crate::error::PersistenceError;
use crate::pattern::{Pattern, validate_key};
use crate::policy::OnDuplicate;
use crate::rows::{Row, Rows};
use crate::time::Retention;

/// A [`PersistenceBackend`] whose rows live as long as it and its clones do, which share them.
///
/// It implements the whole contract natively: pages, declarations, retention per series, every [`Feature`]. Like every
/// backend it refuses keys that [`validate_key`] refuses, and times beyond `i64::MAX`.
///
/// ```
/// use aimdb_persistence::{MemoryBackend, PersistenceBackend, QueryParams};
/// use futures_lite::future::block_on;
/// use serde_json::json;
///
/// let backend = MemoryBackend::new();
/// block_on(async {
///     backend.store("temperature.sf", &json!({ "celsius": 13.2 }), 1_000).await?;
///     backend.store("temperature.sf", &json!({ "celsius": 13.4 }), 2_000).await?;
///
///     let newest = QueryParams { limit_per_record: Some(1), ..QueryParams::default() };
///     let rows = backend.query("temperature.*", newest).await?;
///     assert_eq!(rows[0].value, json!({ "celsius": 13.4 }));
///     Ok::<_, aimdb_persistence::PersistenceError>(())
/// })?;
/// assert_eq!(backend.len(), 2);
/// # Ok::<(), aimdb_persistence::PersistenceError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct MemoryBackend {
    shelf: Arc<Mutex<Shelf>>,
}

/// All series by name, in the order in which queries answer.
#[derive(Debug, Default)]
struct Shelf {
    histories: BTreeMap<String, History>,
    next_sequence: u64,
}

/// One series: its rows as JSON text, and what is declared of it.
#[derive(Debug, Default)]
struct History {
    rows: BTreeMap<Position, Content>,
    template: Option<&'static str>,
    retention: Option<Retention>,
    keep_last: u64,
    max_rows: Option<u64>,
    on_duplicate: OnDuplicate,
}

/// What a row holds.
#[derive(Debug)]
struct Content {
    json: Box<str>,
    version: u32,
}

/// Where a row stands in its series: time first, then the order of storing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Position {
    stored_at: u64,
    sequence: u64,
}

impl MemoryBackend {
    /// A backend without rows.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        let shelf = self.shelf();
        shelf.histories.values().map(|h| h.rows.len()).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Every row, by record name, then newest first.
    pub fn rows(&self) -> Vec<StoredValue> {
        let shelf = self.shelf();
        let rows_of = |(name, history): (&String, &History)| {
            let newest_first = history.rows.iter().rev();
            newest_first
                .map(|(position, content)| stored_value(name, position.stored_at, &content.json))
                .collect::<Vec<_>>()
        };
        shelf.histories.iter().flat_map(rows_of).collect()
    }

    /// Rows come and go whole, so a panic while the lock was held left nothing half done.
    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PersistenceBackend for MemoryBackend {
    fn store<'a>(
        &'a self,
        record_name: &'a str,
        value: &'a Value,
        timestamp: u64,
    ) -> BoxFuture<'a, Result<(), PersistenceError>> {
        Box::pin(async move {
            let json = serde_json::to_string(value)?;
            let row = Row {
                record_name,
                stored_at: timestamp,
                json: &json,
                version: 0,
            };
            self.shelf().store(row).map(drop)
        })
    }

    /// A malformed pattern is an error: no series has a name with a wildcard in it, so it cannot be
    /// one's name.
    fn query<'a>(
        &'a self,
        record_pattern: &'a str,
        params: QueryParams,
    ) -> BoxFuture<'a, Result<Vec<StoredValue>, PersistenceError>> {
        Box::pin(async move {
            let everything_at_once = ReadRequest::new(Pattern::parse(record_pattern)?)
                .with_limit(params.limit_per_record)
                .with_times(params.start_time, params.end_time);
            let page = self.shelf().read(&everything_at_once);
            let parse = |row: Row<'_>| stored_value(row.record_name, row.stored_at, row.json);
            Ok(page.rows.iter().map(parse).collect())
        })
    }

    fn cleanup(&self, older_than: u64) -> BoxFuture<'_, Result<u64, PersistenceError>> {
        Box::pin(async move {
            let mut shelf = self.shelf();
            let histories = shelf.histories.values_mut();
            Ok(histories.map(|h| h.remove_before(older_than)).sum())
        })
    }

    fn keeps_declarations(&self) -> bool {
        true
    }

    fn supports(&self, _: Feature) -> bool {
        true
    }

    /// The latest declaration of a series counts. One invalid key, and none of them is taken over.
    fn declare<'a>(
        &'a self,
        declarations: &'a [SeriesDeclaration],
    ) -> BoxFuture<'a, Result<(), PersistenceError>> {
        Box::pin(async move {
            for declaration in declarations {
                validate_key(&declaration.record_name)?;
            }
            let mut shelf = self.shelf();
            for declaration in declarations {
                let history = shelf.history_of(&declaration.record_name);
                history.template = declaration.template.or(history.template);
                history.retention = declaration.retention;
                history.keep_last = declaration.keep_last;
                history.max_rows = declaration.max_rows;
                history.on_duplicate = declaration.on_duplicate;
            }
            Ok(())
        })
    }

    fn store_batch(&self, rows: Arc<Rows>) -> BoxFuture<'_, BatchOutcome> {
        Box::pin(async move {
            let mut shelf = self.shelf();
            let mut outcome = BatchOutcome::default();
            for (index, row) in rows.iter().enumerate() {
                match shelf.store(row) {
                    Ok(Stored::AsRow) => {}
                    Ok(Stored::LeftOut) => outcome.left_out.push(index),
                    Err(error) => outcome.refused.push((index, error)),
                }
            }
            outcome.settled = rows.len();
            outcome
        })
    }

    fn read(&self, request: ReadRequest) -> BoxFuture<'_, Result<Page, PersistenceError>> {
        Box::pin(async move { Ok(self.shelf().read(&request)) })
    }

    fn erase<'a>(
        &'a self,
        record_name: &'a str,
        start_ms: u64,
        end_ms: u64,
    ) -> BoxFuture<'a, Result<u64, PersistenceError>> {
        Box::pin(async move {
            let mut shelf = self.shelf();
            let Some(history) = shelf.histories.get_mut(record_name) else {
                return Ok(0);
            };
            let before = history.rows.len();
            let range = start_ms..=end_ms;
            history
                .rows
                .retain(|position, _| !range.contains(&position.stored_at));
            Ok((before - history.rows.len()) as u64)
        })
    }

    fn rename<'a>(
        &'a self,
        from: &'a str,
        to: &'a str,
    ) -> BoxFuture<'a, Result<(), PersistenceError>> {
        Box::pin(async move {
            validate_key(to)?;
            let mut shelf = self.shelf();
            let has_rows = |name: &str| {
                let history = shelf.histories.get(name);
                history.is_some_and(|history| !history.rows.is_empty())
            };
            check_rename(from, to, has_rows(from), has_rows(to))?;
            let mut renamed = shelf.histories.remove(from).unwrap_or_default();
            if let Some(target) = shelf.histories.remove(to) {
                let rows = renamed.rows;
                renamed = History { rows, ..target };
            }
            shelf.histories.insert(to.to_owned(), renamed);
            Ok(())
        })
    }

    fn sweep(&self, request: SweepRequest) -> BoxFuture<'_, Result<SweepReport, PersistenceError>> {
        Box::pin(async move {
            let mut shelf = self.shelf();
            let expired = |history: &mut History| {
                let retention = history.retention.unwrap_or(request.default_retention);
                history.remove_expired(retention.cutoff_ms(request.now_ms).unwrap_or(0))
            };
            Ok(SweepReport {
                removed: shelf.histories.values_mut().map(expired).sum(),
                put_off: None,
            })
        })
    }
}

impl Shelf {
    fn history_of(&mut self, record_name: &str) -> &mut History {
        self.histories.entry(record_name.to_owned()).or_default()
    }

    fn store(&mut self, row: Row<'_>) -> Result<Stored, PersistenceError> {
        admit(row)?;
        let position = Position {
            stored_at: row.stored_at,
            sequence: self.next_sequence,
        };
        self.next_sequence += 1;
        let history = self.history_of(row.record_name);
        let content = Content {
            json: row.json.into(),
            version: row.version,
        };
        let position = match (history.on_duplicate, history.newest_at(row.stored_at)) {
            (OnDuplicate::Ignore, Some(_)) => return Ok(Stored::LeftOut),
            (OnDuplicate::Replace, Some(other)) => other,
            _ => position,
        };
        history.rows.insert(position, content);
        Ok(Stored::AsRow)
    }

    /// The page that `request` asks for. It has a row at least, if any is left, so that paging
    /// always ends.
    fn read(&self, request: &ReadRequest) -> Page {
        let mut page = Page::default();
        let mut last: Option<Selected<'_>> = None;
        for selected in self.select(request) {
            let is_full =
                page.rows.len() >= request.max_rows || page.rows.text_bytes() >= request.max_bytes;
            if let Some(last) = last.filter(|_| is_full) {
                page.next = Some(last.cursor(self.last_sequence(request)));
                break;
            }
            let Selected {
                position, content, ..
            } = selected;
            page.rows.push_versioned(
                selected.record_name,
                position.stored_at,
                &content.json,
                content.version,
            );
            last = Some(selected);
        }
        page
    }

    /// Of the rows that were there when the first page was read, the one stored last.
    fn last_sequence(&self, request: &ReadRequest) -> u64 {
        let first_page = self.next_sequence.saturating_sub(1);
        let cursor = request.after.as_ref();
        cursor.map_or(first_page, |cursor| cursor.last_sequence)
    }

    /// The rows that `request` selects after its cursor, in its order.
    fn select<'a>(&'a self, request: &'a ReadRequest) -> impl Iterator<Item = Selected<'a>> {
        let first_name = request.after.as_ref().map_or("", |c| &c.record_name);
        let from_there = (Bound::Included(first_name), Bound::Unbounded);
        let histories = self.histories.range::<str, _>(from_there);
        histories
            .filter(|(name, history)| history.is_selected(name, request))
            .flat_map(|(name, history)| history.select(name, request))
    }
}

impl History {
    fn is_selected(&self, name: &str, request: &ReadRequest) -> bool {
        let of_template = match (request.template, self.template) {
            (Some(asked), Some(declared)) => asked == declared,
            (Some(_), None) => request.pattern.exact_key().is_some(),
            (None, _) => true,
        };
        of_template && request.pattern.matches(name)
    }

    /// In the request's order, from where the cursor stands if it stands in this series.
    fn select<'a>(
        &'a self,
        record_name: &'a str,
        request: &ReadRequest,
    ) -> impl Iterator<Item = Selected<'a>> + use<'a> {
        let last_sequence = request.after.as_ref().map(|cursor| cursor.last_sequence);
        let cursor = request.after.as_ref();
        let cursor = cursor.filter(|cursor| cursor.record_name == record_name);
        let limit = request.limit_per_record.unwrap_or(usize::MAX);
        let taken_before = cursor.map_or(0, |cursor| cursor.taken);
        self.in_order(request, cursor)
            .filter(move |(position, _)| last_sequence.is_none_or(|last| position.sequence <= last))
            .take(limit.saturating_sub(taken_before))
            .enumerate()
            .map(move |(index, (position, content))| Selected {
                record_name,
                position: *position,
                content,
                taken: taken_before + index + 1,
            })
    }

    /// Of the rows with this time the one stored last.
    fn newest_at(&self, stored_at: u64) -> Option<Position> {
        let at = |sequence| Position {
            stored_at,
            sequence,
        };
        let rows = self.rows.range(at(0)..=at(u64::MAX));
        rows.last().map(|(position, _)| *position)
    }

    /// Removes the oldest rows: those before `cutoff_ms`, but not the last that are to be kept, and those beyond the
    /// greatest number.
    fn remove_expired(&mut self, cutoff_ms: u64) -> u64 {
        let rows = self.rows.len() as u64;
        let expired = self.rows.keys().take_while(|p| p.stored_at < cutoff_ms);
        let expired = (expired.count() as u64).min(rows.saturating_sub(self.keep_last));
        let beyond = rows.saturating_sub(self.max_rows.unwrap_or(u64::MAX));
        let removed = expired.max(beyond);
        for _ in 0..removed {
            self.rows.pop_first();
        }
        removed
    }

    /// The rows between the request's times that come after the cursor.
    fn in_order(
        &self,
        request: &ReadRequest,
        cursor: Option<&Cursor>,
    ) -> Box<dyn Iterator<Item = (&Position, &Content)> + '_> {
        let start_time = request.start_time.unwrap_or(0);
        let end_time = request.end_time.unwrap_or(u64::MAX);
        let beyond = cursor.map(|cursor| {
            Bound::Excluded(Position {
                stored_at: cursor.stored_at,
                sequence: cursor.sequence,
            })
        });
        let at = |stored_at, sequence| {
            Bound::Included(Position {
                stored_at,
                sequence,
            })
        };
        match request.order {
            Order::NewestFirst => {
                let newest = beyond.unwrap_or(at(end_time, u64::MAX));
                let rows = self.rows.range((Bound::Unbounded, newest)).rev();
                Box::new(rows.take_while(move |(position, _)| position.stored_at >= start_time))
            }
            Order::OldestFirst => {
                let oldest = beyond.unwrap_or(at(start_time, 0));
                let rows = self.rows.range((oldest, Bound::Unbounded));
                Box::new(rows.take_while(move |(position, _)| position.stored_at <= end_time))
            }
        }
    }

    fn remove_before(&mut self, cutoff_ms: u64) -> u64 {
        let kept = self.rows.split_off(&Position {
            stored_at: cutoff_ms,
            sequence: 0,
        });
        std::mem::replace(&mut self.rows, kept).len() as u64
    }
}

enum Stored {
    AsRow,
    LeftOut,
}

/// A row on its way into a page.
#[derive(Clone, Copy)]
struct Selected<'a> {
    record_name: &'a str,
    position: Position,
    content: &'a Content,
    /// Rows of this record returned so far, this one included.
    taken: usize,
}

impl Selected<'_> {
    fn cursor(self, last_sequence: u64) -> Cursor {
        Cursor {
            last_sequence,
            record_name: self.record_name.to_owned(),
            stored_at: self.position.stored_at,
            sequence: self.position.sequence,
            taken: self.taken,
        }
    }
}

/// Whether a row may be stored. What gets past here can be answered again: a text that does not
/// parse (too deeply nested, for one) would spoil every query that meets it.
fn admit(row: Row<'_>) -> Result<(), PersistenceError> {
    validate_key(row.record_name)?;
    if i64::try_from(row.stored_at).is_err() {
        return Err(PersistenceError::Unstorable {
            record_name: row.record_name.to_owned(),
            reason: format!(
                "its time, {} ms, lies beyond {} ms (`i64::MAX`), the last that can be stored",
                row.stored_at,
                i64::MAX
            ),
        });
    }
    serde_json::from_str::<Value>(row.json)?;
    Ok(())
}

fn stored_value(record_name: &str, stored_at: u64, json: &str) -> StoredValue {
    StoredValue {
        record_name: record_name.to_owned(),
        value: serde_json::from_str(json).expect("only what parses is admitted"),
        stored_at,
    }
}
