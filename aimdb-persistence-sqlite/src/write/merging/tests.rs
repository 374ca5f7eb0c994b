//! A merge as others see it: while it is under way, when it is interrupted, and under a flood of rows.

use std::path::Path;
use std::sync::Arc;

use aimdb_persistence_backend::{Pattern, ReadRequest, Rows};
use rusqlite::Connection;

use crate::file::open;
use crate::file::opened::Opened;
use crate::health::Health;
use crate::layout::large::LARGE_BYTES;
use crate::layout::merge::MOST_TIMES;
use crate::options::SqliteBackendBuilder;
use crate::read::cursor::After;
use crate::read::found::Found;
use crate::read::page;
use crate::read::walk::RowIndex;
use crate::write::connection::WriteConnection;

/// A merge moves one row of so small a tail with each step.
const TAIL_ROWS: usize = 16;

fn writer(path: &Path) -> WriteConnection {
    let options = SqliteBackendBuilder::new(path.to_owned()).tail_rows(TAIL_ROWS);
    let connection = open::writer(path, &options).unwrap();
    WriteConnection::new(connection, &options, &Health::default()).unwrap()
}

type Stored = (String, u64, String);

/// Rows of three series in no order of time, each committed for itself, one in five long.
fn append_rows(writer: &mut WriteConnection, from: u64) -> Vec<Stored> {
    let rows = (from..from + 60).map(|n| {
        let long = if n % 5 == 0 { LARGE_BYTES } else { 0 };
        let json = format!("\"{n}{}\"", ".".repeat(long));
        (format!("t.{}", n % 3), n * 7 % 31, json)
    });
    let rows: Vec<Stored> = rows.collect();
    for (name, at, json) in &rows {
        let mut batch = Rows::new();
        batch.push(name, *at, json);
        let outcomes = writer.store(&[Arc::new(batch)]);
        assert!(outcomes[0].stopped_by.is_none() && outcomes[0].refused.is_empty());
    }
    rows
}

/// By name, then newest first, of one time the one stored last.
fn in_order(stored: &[Stored]) -> Vec<Stored> {
    let mut all: Vec<_> = stored.iter().rev().cloned().collect();
    all.sort_by(|a, b| (&a.0, b.1).cmp(&(&b.0, a.1)));
    all
}

/// What a reading connection knows.
struct Reader {
    index: RowIndex,
    health: Health,
}

impl Default for Reader {
    fn default() -> Self {
        let health = Health::default();
        Self {
            index: RowIndex::new(Found::new(Path::new("a test's file"), &health)),
            health,
        }
    }
}

impl Reader {
    /// Reads everything in pages, doing something before each.
    fn read(
        &mut self,
        connection: &Opened,
        max_rows: usize,
        mut before_page: impl FnMut(),
    ) -> Vec<Stored> {
        let pattern = Pattern::parse("t.*").unwrap();
        let request = ReadRequest::new(pattern).with_page(max_rows, usize::MAX);
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            before_page();
            let page = page::read(connection, &mut self.index, &request, after.as_ref());
            let page = page.unwrap();
            let rows = page.rows.iter();
            all.extend(rows.map(|r| (r.record_name.to_owned(), r.stored_at, r.json.to_owned())));
            match page.next {
                Some(cursor) => after = Some(After::of(&cursor).unwrap()),
                None => {
                    // However far rows have moved, none is missed, and none is out of place.
                    assert_eq!(self.health.report().damage, None);
                    return all;
                }
            }
        }
    }
}

/// As another program sees it: our own connections use no views.
fn in_view(connection: &Connection) -> Vec<Stored> {
    let connection = Connection::open(connection.path().unwrap()).unwrap();
    let sql = "SELECT record_name, stored_at, value_json FROM record_history \
         ORDER BY record_name, stored_at DESC, id DESC";
    let mut statement = connection.prepare(sql).unwrap();
    let rows = statement.query_map([], |r| {
        Ok((r.get(0)?, r.get::<_, i64>(1)?.cast_unsigned(), r.get(2)?))
    });
    rows.unwrap().map(Result::unwrap).collect()
}

fn count(connection: &Connection, table: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM {table}");
    connection.query_row(&sql, [], |r| r.get(0)).unwrap()
}

#[test]
fn at_every_step_of_a_merge_readers_and_the_view_show_each_row_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    let mut writer = writer(&path);
    let reader = open::reader(&path, &SqliteBackendBuilder::new(path.clone())).unwrap();
    let mut stored = Vec::new();
    // One knows the tail from its beginning, the others as it is half-way.
    let mut old = Reader::default();
    for from in [0, 60] {
        stored.extend(append_rows(&mut writer, from));
        let expected = in_order(&stored);
        let mut steps = 0;
        while writer.merge.is_due() {
            writer.merge_step().unwrap();
            steps += 1;
            assert_eq!(old.read(&reader, usize::MAX, || ()), expected);
            assert_eq!(Reader::default().read(&reader, 7, || ()), expected);
            assert_eq!(in_view(&reader), expected);
        }
        assert!(steps > 60, "one row a step: {steps}");
        assert_eq!(count(&reader, "tail"), 0);
        assert_eq!(count(&reader, "row"), stored.len() as i64);
        assert_eq!(old.index.tail.len(), 0, "what is settled is forgotten");
    }
}

#[test]
fn a_merge_between_two_pages_of_a_read_disturbs_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    let mut writer = writer(&path);
    let reader = open::reader(&path, &SqliteBackendBuilder::new(path.clone())).unwrap();
    let stored = append_rows(&mut writer, 0);
    for steps_between_pages in [1, 5, 100] {
        let between = || (0..steps_between_pages).for_each(|_| writer.merge_step().unwrap());
        let rows = Reader::default().read(&reader, 3, between);
        assert_eq!(rows, in_order(&stored));
    }
}

#[test]
fn a_merge_that_a_crash_interrupts_goes_on_at_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    let mut stored = append_rows(&mut writer(&path), 0);
    for restart in 1..=5 {
        let mut writer = writer(&path);
        (0..25).for_each(|_| writer.merge_step().unwrap());
        let connection = &writer.connection;
        assert_eq!(
            Reader::default().read(connection, 7, || ()),
            in_order(&stored)
        );
        assert_eq!(in_view(connection), in_order(&stored));
        if restart == 2 {
            stored.extend(append_rows(&mut writer, 60));
        }
    }
    let mut writer = writer(&path);
    while writer.merge.is_due() {
        writer.merge_step().unwrap();
    }
    assert_eq!(count(&writer.connection, "tail"), 0);
    assert_eq!(in_view(&writer.connection), in_order(&stored));
}

#[test]
fn two_writers_may_take_turns_with_the_steps_of_one_merge() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    let (mut one, mut other) = (writer(&path), writer(&path));
    let mut stored = append_rows(&mut one, 0);
    stored.extend(append_rows(&mut other, 60));
    let mut reader = Reader::default();
    while one.merge.is_due() || other.merge.is_due() {
        one.merge_step().unwrap();
        other.merge_step().unwrap();
        assert_eq!(reader.read(&one.connection, 50, || ()), in_order(&stored));
    }
    assert_eq!(count(&one.connection, "tail"), 0);
    assert_eq!(count(&one.connection, "row"), 120);
}

#[test]
fn under_a_flood_over_many_series_merging_outruns_appending() {
    const SERIES: u64 = 600;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    let options = SqliteBackendBuilder::new(path.clone()).tail_rows(1_024);
    let connection = open::writer(&path, &options).unwrap();
    let mut writer = WriteConnection::new(connection, &options, &Health::default()).unwrap();
    let (commits, mut longest) = (60, 0);
    for commit in 0..commits {
        let mut batch = Rows::new();
        (0..SERIES).for_each(|n| batch.push(&format!("t.{n}"), commit, "1"));
        let outcomes = writer.store(&[Arc::new(batch)]);
        assert!(outcomes[0].stopped_by.is_none() && outcomes[0].refused.is_empty());
        // As the writer does after each command.
        if writer.merge.is_due() {
            writer.merge_step().unwrap();
        }
        while writer.merge.is_behind() {
            writer.merge_step().unwrap();
        }
        longest = longest.max(count(&writer.connection, "tail"));
    }
    let bound = MOST_TIMES as i64 * 1_024;
    assert!(
        longest > bound,
        "rows of one flood go to the tail: {longest}"
    );
    assert!(longest < 2 * bound, "and leave it in time: {longest}");
    assert_eq!(in_view(&writer.connection).len() as u64, commits * SERIES);
}

#[test]
fn merging_syncs_nothing_and_storing_does() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = writer(&folder.path().join("history.db"));
    let synchronous = |writer: &WriteConnection| -> i64 {
        let connection = &writer.connection;
        connection
            .query_row("PRAGMA synchronous", [], |r| r.get(0))
            .unwrap()
    };
    let (normal, full) = (1, 2);
    append_rows(&mut writer, 0);
    assert_eq!(synchronous(&writer), full);
    (0..5).for_each(|_| writer.merge_step().unwrap());
    assert_eq!(synchronous(&writer), normal);
    append_rows(&mut writer, 60);
    assert_eq!(synchronous(&writer), full);
}
