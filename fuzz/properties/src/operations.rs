//! A backend that keeps rows answers like the one in memory, whatever is done to both.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aimdb_persistence::backend::{OnDuplicate, ReadRequest, Rows, SeriesDeclaration, SweepRequest};
use aimdb_persistence::conformance::block_on;
use aimdb_persistence::{
    BoxFuture, MemoryBackend, Pattern, PersistenceBackend, QueryParams, Retention, question::Order,
};
use aimdb_persistence_sqlite::{Durability, SqliteBackend};
use arbitrary::Arbitrary;

const NAMES: [&str; 5] = ["a.x", "a.y", "a::x", "b", "a.x.deep"];
const PATTERNS: [&str; 8] = ["#", "*", "a.*", "a.#", "#.x", "b", "a::*", "nothing"];
const TEMPLATES: [&str; 2] = ["a.{of}", "{which}"];
const MOST_OPERATIONS: usize = 60;

/// Times are few, so that ties are many.
#[derive(Debug, Clone, Copy, Arbitrary)]
struct Time(u8);

impl Time {
    fn ms(self) -> u64 {
        match self.0 {
            255 => u64::MAX,
            254 => i64::MAX as u64,
            253 => i64::MAX as u64 + 1,
            time => u64::from(time % 16),
        }
    }
}

#[derive(Debug, Clone, Arbitrary)]
struct Stored {
    name: u8,
    at: Time,
    length: Length,
}

#[derive(Debug, Clone, Copy, Arbitrary)]
enum Length {
    Short(u8),
    Around400(u8),
    Long(u16),
}

#[derive(Debug, Clone, Arbitrary)]
struct Asked {
    pattern: u8,
    limit: Option<u8>,
    start: Option<Time>,
    end: Option<Time>,
    template: Option<u8>,
    page_rows: u8,
    oldest_first: bool,
}

#[derive(Debug, Arbitrary)]
enum Operation {
    Store(Stored),
    Batch(Vec<Stored>),
    /// So many rows, dense in one series or spread.
    Flood {
        name: Option<u8>,
        rows: u16,
    },
    Query(Asked),
    Cleanup(Time),
    Sweep {
        now: Time,
        default: Option<u8>,
    },
    Declare {
        name: u8,
        template: u8,
        retention: Option<u8>,
        keeps: Keeps,
    },
    LastStored(u8),
    Flush,
    Reopen {
        tail_rows: u8,
    },
    Erase {
        name: u8,
        start: Time,
        end: Time,
    },
    Rename {
        from: u8,
        to: u8,
    },
}

/// Which rows of a series are kept, beside those of its retention.
#[derive(Debug, Clone, Copy, Arbitrary)]
struct Keeps {
    last: u8,
    most: Option<u8>,
    of_one_time: u8,
}

/// What is held against the backend in memory.
pub trait Kept: Send {
    /// The backend by now.
    fn backend(&self) -> &dyn PersistenceBackend;

    /// Closes it and opens its storage again, with so many rows in a tail, where it has one.
    fn reopen(&mut self, tail_rows: u8) -> BoxFuture<'_, ()>;
}

struct OnAFile {
    sqlite: SqliteBackend,
    path: PathBuf,
}

impl Kept for OnAFile {
    fn backend(&self) -> &dyn PersistenceBackend {
        &self.sqlite
    }

    fn reopen(&mut self, tail_rows: u8) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            self.sqlite.close().await.expect("it closes");
            self.sqlite = open(&self.path, tail_rows);
        })
    }
}

struct Both<'a> {
    kept: &'a mut dyn Kept,
    memory: MemoryBackend,
    /// Tells every row from the others.
    values: u64,
}

/// Does the same to SQLite on a file and to the backend in memory; compares every answer, and everything at the end.
pub fn holds(bytes: &[u8]) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("history.db");
    let sqlite = open(&path, 8);
    holds_of(&mut OnAFile { sqlite, path }, bytes);
}

/// The same of another backend, which is empty.
pub fn holds_of(kept: &mut dyn Kept, bytes: &[u8]) {
    let Some(operations) = crate::input::<Vec<Operation>>(bytes) else {
        return;
    };
    block_on(async {
        let mut both = Both {
            kept,
            memory: MemoryBackend::new(),
            values: 0,
        };
        for operation in operations.into_iter().take(MOST_OPERATIONS) {
            both.take(operation).await;
        }
        both.compare_everything().await;
        both.kept.reopen(0).await;
        both.compare_everything().await;
    });
}

fn open(path: &Path, tail_rows: u8) -> SqliteBackend {
    let options = SqliteBackend::builder(path).durability(Durability::Relaxed);
    options
        .tail_rows(tail_rows.into())
        .open()
        .expect("the file opens")
}

fn pick(from: &[&'static str], index: u8) -> &'static str {
    from[usize::from(index) % from.len()]
}

fn retention(length: Option<u8>) -> Retention {
    length.map_or(Retention::Forever, |length| {
        Retention::Milliseconds(u64::from(length % 16))
    })
}

impl Both<'_> {
    async fn take(&mut self, operation: Operation) {
        match operation {
            Operation::Store(row) => {
                let value = serde_json::from_str(&self.json(row.length)).expect("JSON");
                let (name, at) = (pick(&NAMES, row.name), row.at.ms());
                let stored = self.kept.backend().store(name, &value, at).await;
                let expected = self.memory.store(name, &value, at).await;
                assert_eq!(stored.is_ok(), expected.is_ok(), "{stored:?}");
            }
            Operation::Batch(rows) => {
                let mut batch = Rows::new();
                for row in rows {
                    let json = self.json(row.length);
                    batch.push(pick(&NAMES, row.name), row.at.ms(), &json);
                }
                self.store(batch).await;
            }
            Operation::Flood { name, rows } => {
                let mut batch = Rows::new();
                for n in 0..rows % 700 {
                    let json = self.json(Length::Short(n as u8));
                    let name = name.unwrap_or(n as u8);
                    batch.push(pick(&NAMES, name), u64::from(n % 16), &json);
                }
                self.store(batch).await;
            }
            Operation::Query(asked) => self.query(asked).await,
            Operation::Cleanup(before) => {
                let removed = self
                    .kept
                    .backend()
                    .cleanup(before.ms())
                    .await
                    .expect("it is swept");
                let expected = self.memory.cleanup(before.ms()).await.expect("it is swept");
                assert_eq!(removed, expected);
            }
            Operation::Sweep { now, default } => {
                let request = SweepRequest {
                    now_ms: now.ms(),
                    default_retention: retention(default),
                    longest_retention: Retention::Forever,
                    max_ahead_ms: 3_600_000,
                    clock_is_trusted: true,
                };
                let report = self
                    .kept
                    .backend()
                    .sweep(request)
                    .await
                    .expect("it is swept");
                let expected = self.memory.sweep(request).await.expect("it is swept");
                // A server has a clock of its own to compare with.
                assert_eq!(
                    (report.removed, report.put_off),
                    (expected.removed, expected.put_off)
                );
            }
            Operation::Declare {
                name,
                template,
                retention: length,
                keeps,
            } => {
                let ways = [OnDuplicate::Keep, OnDuplicate::Replace, OnDuplicate::Ignore];
                let mut declaration = SeriesDeclaration::new(pick(&NAMES, name))
                    .with_template(pick(&TEMPLATES, template))
                    .with_retention(length.map(|length| retention(Some(length))))
                    .with_keep_last((keeps.last % 8).into())
                    .with_on_duplicate(ways[usize::from(keeps.of_one_time) % ways.len()]);
                declaration.max_rows = keeps.most.map(|rows| u64::from(rows % 32));
                let declaration = [declaration];
                self.kept
                    .backend()
                    .declare(&declaration)
                    .await
                    .expect("it is declared");
                self.memory
                    .declare(&declaration)
                    .await
                    .expect("it is declared");
            }
            Operation::Erase { name, start, end } => {
                let (name, start, end) = (pick(&NAMES, name), start.ms(), end.ms());
                let erased = self.kept.backend().erase(name, start, end).await;
                let expected = self.memory.erase(name, start, end).await;
                assert_eq!(erased.ok(), expected.ok());
            }
            Operation::Rename { from, to } => {
                let (from, to) = (pick(&NAMES, from), pick(&NAMES, to));
                let renamed = self.kept.backend().rename(from, to).await;
                let expected = self.memory.rename(from, to).await;
                assert_eq!(renamed.is_ok(), expected.is_ok(), "{renamed:?}");
            }
            Operation::LastStored(name) => {
                let name = pick(&NAMES, name);
                let last = self.kept.backend().last_stored(name).await;
                let expected = self.memory.last_stored(name).await;
                let (last, expected) = (last.expect("an answer"), expected.expect("an answer"));
                assert!(last.iter().eq(expected.iter()), "{last:?} {expected:?}");
            }
            Operation::Flush => self.kept.backend().flush().await.expect("it is flushed"),
            Operation::Reopen { tail_rows } => {
                self.kept.reopen(tail_rows % 32).await;
            }
        }
    }

    /// A JSON text of about this length that no other row has.
    fn json(&mut self, length: Length) -> String {
        self.values += 1;
        let bytes = match length {
            Length::Short(bytes) => usize::from(bytes % 32),
            Length::Around400(bytes) => 380 + usize::from(bytes % 40),
            Length::Long(bytes) => usize::from(bytes) % 9_000,
        };
        format!("\"{} {}\"", self.values, ".".repeat(bytes))
    }

    async fn store(&self, rows: Rows) {
        let rows = Arc::new(rows);
        let outcome = self.kept.backend().store_batch(Arc::clone(&rows)).await;
        let expected = self.memory.store_batch(rows).await;
        assert_eq!(outcome.settled, expected.settled);
        assert_eq!(outcome.left_out, expected.left_out);
        assert_eq!(outcome.replaced, expected.replaced);
        assert!(outcome.stopped_by.is_none(), "{outcome:?}");
        let refused = |refused: &[(usize, _)]| {
            refused
                .iter()
                .map(|(index, _)| *index)
                .collect::<HashSet<_>>()
        };
        assert_eq!(refused(&outcome.refused), refused(&expected.refused));
    }

    async fn query(&self, asked: Asked) {
        let pattern = pick(&PATTERNS, asked.pattern);
        let params = QueryParams {
            limit_per_record: asked.limit.map(usize::from),
            start_time: asked.start.map(Time::ms),
            end_time: asked.end.map(Time::ms),
        };
        let rows = self
            .kept
            .backend()
            .query(pattern, params.clone())
            .await
            .expect("an answer");
        let expected = self
            .memory
            .query(pattern, params.clone())
            .await
            .expect("an answer");
        assert_eq!(rows, expected, "{asked:?}");

        let request = ReadRequest::new(Pattern::parse(pattern).expect("a pattern"))
            .with_limit(params.limit_per_record)
            .with_times(params.start_time, params.end_time)
            .with_template(asked.template.map(|template| pick(&TEMPLATES, template)))
            .with_order(if asked.oldest_first {
                Order::OldestFirst
            } else {
                Order::NewestFirst
            })
            .with_page(usize::from(asked.page_rows % 16) + 1, usize::MAX);
        let rows = read(self.kept.backend(), request.clone()).await;
        assert_eq!(rows, read(&self.memory, request).await, "{asked:?}");
    }

    async fn compare_everything(&self) {
        let rows = self
            .kept
            .backend()
            .query("#", QueryParams::default())
            .await
            .expect("an answer");
        assert_eq!(rows, self.memory.rows());
    }
}

async fn read(
    backend: &dyn PersistenceBackend,
    mut request: ReadRequest,
) -> Vec<(String, u64, String)> {
    let mut rows = Vec::new();
    loop {
        let page = backend.read(request.clone()).await.expect("a page");
        let page_rows = page.rows.iter();
        rows.extend(page_rows.map(|r| (r.record_name.to_owned(), r.stored_at, r.json.to_owned())));
        request.after = page.next;
        if request.after.is_none() {
            return rows;
        }
    }
}
