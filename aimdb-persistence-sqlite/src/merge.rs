//! Moving the tail's rows into the clustered table, in steps that a store hardly notices.

use rusqlite::Connection;

use crate::error::Failure;
use crate::open;
use crate::sql;
use crate::tail::{Key, Progress, Tail};
use crate::write::{Sync, WriteConnection};

/// A step moves this part of what the tail may hold, or removes four times as much of what has been
/// moved.
const STEPS: usize = 32;
const REMOVED_FOR_EACH_MOVED: usize = 4;
/// The tail is looked at when it may have grown by this part of what it may hold.
const LOOKS: usize = 4;
/// Of thousands of series the tail may hold more, so that a merge finds some rows for each page it
/// touches: this many of each series, up to so many times what it may hold otherwise.
const ROWS_PER_SERIES: usize = 8;
const MOST_TIMES: usize = 4;

/// What the writer knows of the tail, and of a merge that is wanted.
pub(crate) struct Merge {
    pub(crate) tail: Tail,
    /// What it may hold of few series, and of as many as it was last seen to hold.
    tail_rows: usize,
    bound_rows: usize,
    /// Rows appended since the tail was looked at; of the time before, as many as it may hold.
    appended: usize,
    /// Every row up to this sequence is to be settled, and the settled rows to be removed.
    goal: Option<i64>,
    /// Rows to be moved before more are appended: merging outruns appending, by two to one.
    owed: usize,
}

impl Merge {
    pub(crate) fn new(tail_rows: usize) -> Self {
        Self {
            tail: Tail::default(),
            tail_rows,
            bound_rows: tail_rows,
            appended: tail_rows,
            goal: None,
            owed: 0,
        }
    }

    pub(crate) fn note_appended(&mut self, rows: usize) {
        self.appended += rows;
        self.owed += 2 * rows;
    }

    /// What the tail may hold of so many series.
    fn bound_of(&self, series: usize) -> usize {
        let most = MOST_TIMES.saturating_mul(self.tail_rows);
        (ROWS_PER_SERIES * series).clamp(self.tail_rows, most)
    }

    /// Whether a merge would gather several times as many rows of so many series.
    pub(crate) fn gathers_more_than(&self, rows: usize, series: usize) -> bool {
        rows < self.bound_of(series) / 2
    }

    /// Whether the next step is to come before anything else.
    pub(crate) fn is_behind(&self) -> bool {
        self.goal.is_some() && self.owed > 0
    }

    /// Whether there is a step to take, were it only to look at the tail.
    pub(crate) fn is_due(&self) -> bool {
        self.goal.is_some() || self.appended > self.bound_rows / LOOKS
    }

    /// Learns what the tail holds by now, and merges it if that is too much.
    pub(crate) fn look(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let oldest: Option<i64> = open::snapshot(connection, || {
            self.tail.refresh(connection)?;
            let mut oldest = connection.prepare_cached(sql::TAIL_OLDEST)?;
            oldest.query_row([], |r| r.get(0))
        })?;
        self.appended = 0;
        self.owed = 0;
        self.bound_rows = self.bound_of(self.tail.series());
        let settled = self.tail.progress().settled;
        if self.tail.len() > self.bound_rows || self.tail.progress().is_under_way() {
            self.want_all();
        } else if oldest.is_some_and(|oldest| oldest <= settled) {
            // An end came between settling these rows and removing them.
            self.goal = Some(settled);
        }
        Ok(())
    }

    /// Wants every row merged that is in the tail by now.
    pub(crate) fn want_all(&mut self) {
        self.goal = Some(self.tail.newest());
    }

    pub(crate) fn has_settled(&self, sequence: i64) -> bool {
        self.tail.progress().settled >= sequence
    }

    /// Within a write transaction.
    fn advance(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        self.tail.refresh(connection)?;
        self.owed = self.owed.saturating_sub(self.step_rows());
        let mut progress = self.tail.progress();
        if !progress.is_under_way() {
            if self.remove_settled(connection, progress.settled)? > 0 {
                return Ok(());
            }
            if self.goal.is_none_or(|goal| goal <= progress.settled) {
                self.goal = None;
                return Ok(());
            }
            progress.through = self.tail.newest().max(progress.settled);
            if !progress.is_under_way() {
                self.goal = None;
                return Ok(());
            }
            progress.front = Key::new(0, 0, 0);
        }
        self.move_rows(connection, &mut progress)?;
        save(connection, progress)
    }

    fn step_rows(&self) -> usize {
        (self.tail_rows / STEPS).max(1)
    }

    fn move_rows(&self, connection: &Connection, progress: &mut Progress) -> rusqlite::Result<()> {
        let mut copy = connection.prepare_cached(sql::MERGE_ROW)?;
        let (mut moved, start) = (0, *progress);
        for key in self.tail.to_merge(start).take(self.step_rows()) {
            copy.execute([key.place.sequence])?;
            progress.front = key;
            moved += 1;
        }
        if moved < self.step_rows() {
            progress.settled = progress.through;
        }
        Ok(())
    }

    fn remove_settled(&self, connection: &Connection, settled: i64) -> rusqlite::Result<usize> {
        let rows = self.step_rows() * REMOVED_FOR_EACH_MOVED;
        connection
            .prepare_cached(sql::REMOVE_SETTLED)?
            .execute((settled, rows as i64))
    }
}

fn save(connection: &Connection, progress: Progress) -> rusqlite::Result<()> {
    let Key { series, place } = progress.front;
    connection
        .prepare_cached(sql::SET_MERGED)?
        .execute((
            progress.settled,
            progress.through,
            series,
            place.stored_at,
            place.sequence,
        ))
        .map(drop)
}

impl WriteConnection {
    /// Takes the step that is due. One that fails is tried again when more has been appended.
    pub(crate) fn merge_step(&mut self) -> Result<(), Failure> {
        self.try_merge_step().map_err(|failure| {
            self.merge.goal = None;
            self.merge.appended = 0;
            self.note(failure)
        })
    }

    fn try_merge_step(&mut self) -> Result<(), Failure> {
        if self.merge.goal.is_none() {
            let looked = self.merge.look(&self.connection);
            return looked
                .map_err(|error| Failure::of_sqlite(&self.path, "looking at recent rows", error));
        }
        self.transaction(Sync::Later, "merging recent rows", |this| {
            this.merge.advance(&this.connection)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use aimdb_persistence::{Pattern, ReadRequest, Rows};

    use super::*;
    use crate::catalog::Catalog;
    use crate::options::SqliteBackendBuilder;
    use crate::page;
    use crate::write::LARGE_BYTES;

    /// A merge moves one row of so small a tail with each step.
    const TAIL_ROWS: usize = 16;

    fn writer(path: &Path) -> WriteConnection {
        let options = SqliteBackendBuilder::new(path.to_owned()).tail_rows(TAIL_ROWS);
        let connection = open::writer(path, &options).unwrap();
        WriteConnection::new(connection, path.to_owned(), &options)
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
    #[derive(Default)]
    struct Reader {
        catalog: Catalog,
        tail: Tail,
    }

    impl Reader {
        /// Reads everything in pages, doing something before each.
        fn read(
            &mut self,
            connection: &Connection,
            max_rows: usize,
            mut before_page: impl FnMut(),
        ) -> Vec<Stored> {
            let pattern = Pattern::parse("t.*").unwrap();
            let mut request = ReadRequest::new(pattern).with_page(max_rows, usize::MAX);
            let mut all = Vec::new();
            loop {
                before_page();
                let read = page::read(connection, &mut self.catalog, &mut self.tail, &request);
                let page = read.unwrap().page;
                let rows = page.rows.iter();
                all.extend(
                    rows.map(|r| (r.record_name.to_owned(), r.stored_at, r.json.to_owned())),
                );
                match page.next {
                    Some(cursor) => request.after = Some(cursor),
                    None => return all,
                }
            }
        }
    }

    fn in_view(connection: &Connection) -> Vec<Stored> {
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
            assert_eq!(old.tail.len(), 0, "what is settled is forgotten");
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
        let mut writer = WriteConnection::new(connection, path, &options);
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
}
