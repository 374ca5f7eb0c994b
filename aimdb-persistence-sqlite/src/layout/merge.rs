//! Moving the tail's rows into the clustered table, in steps that are short enough for a store to wait for one.

use rusqlite::Connection;

use crate::layout::last_stored;
use crate::layout::place::RowKey;
use crate::layout::sql;
use crate::layout::state::Progress;
use crate::layout::tail::Tail;
use crate::layout::transaction;

/// A step moves this part of what the tail may hold, or removes four times as much of what has been
/// moved.
const STEPS: usize = 32;
const REMOVED_FOR_EACH_MOVED: usize = 4;
/// The tail is measured when it may have grown by this part of what it may hold.
const MEASUREMENTS: usize = 4;
/// Of thousands of series the tail may hold more, so that a merge finds some rows for each page it touches: this many
/// of each series, but at most so many times what it may hold otherwise.
const ROWS_PER_SERIES: usize = 8;
pub(crate) const MOST_TIMES: usize = 4;

/// What the writer knows of the tail, and of a merge that is wanted.
pub(crate) struct Merge {
    pub(crate) tail: Tail,
    /// What it may hold of few series, and of as many series as it held when it was last measured.
    tail_rows: usize,
    bound_rows: usize,
    /// Rows appended since the tail was measured. Before the first time, as many as it may hold.
    appended: usize,
    /// Every row up to this sequence is to be settled, and the settled rows to be removed.
    goal: Option<i64>,
    /// Rows to be moved before more are appended. Two rows are moved for each that is appended.
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

    /// Whether there is a step to take. Measuring the tail is one, too.
    pub(crate) fn is_due(&self) -> bool {
        self.goal.is_some() || self.appended > self.bound_rows / MEASUREMENTS
    }

    /// Whether no merge is wanted, and the tail is to be measured instead.
    pub(crate) fn is_to_measure(&self) -> bool {
        self.goal.is_none()
    }

    /// Learns what the tail holds by now, and wants a merge if that is too much.
    pub(crate) fn measure(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let oldest: Option<i64> = transaction::snapshot(connection, || {
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
            // The program ended after it had settled these rows and before it had removed them.
            self.goal = Some(settled);
        }
        Ok(())
    }

    /// A step failed: the next one is taken when more has been appended.
    pub(crate) fn postpone(&mut self) {
        self.goal = None;
        self.appended = 0;
    }

    /// Wants every row merged that is in the tail by now.
    pub(crate) fn want_all(&mut self) {
        self.goal = Some(self.tail.newest());
    }

    /// Whether rows were appended since the tail was measured.
    pub(crate) fn has_appended(&self) -> bool {
        self.appended > 0
    }

    /// Whether every row that was in the tail when it was looked at last is in the clustered table.
    pub(crate) fn tail_is_merged(&self) -> bool {
        self.has_settled(self.tail.newest()) && self.goal.is_none()
    }

    pub(crate) fn has_settled(&self, sequence: i64) -> bool {
        self.tail.progress().settled >= sequence
    }

    /// Takes one step, within a write transaction.
    pub(crate) fn advance(&mut self, connection: &Connection) -> rusqlite::Result<()> {
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
            progress.front = RowKey::BEFORE_ALL;
        }
        self.move_rows(connection, &mut progress)?;
        progress.save(connection)
    }

    fn step_rows(&self) -> usize {
        (self.tail_rows / STEPS).max(1)
    }

    fn move_rows(&self, connection: &Connection, progress: &mut Progress) -> rusqlite::Result<()> {
        let mut copy = connection.prepare_cached(sql::MERGE_ROW)?;
        let (mut moved, start) = (0, *progress);
        let keys = self.tail.to_merge(start).take(self.step_rows());
        last_stored::note(connection, keys)?;
        for key in self.tail.to_merge(start).take(self.step_rows()) {
            copy.execute([key.place.sequence])?;
            progress.front = key;
            moved += 1;
        }
        if moved < self.step_rows() {
            progress.settled = progress.through;
            let mut note = connection.prepare_cached(sql::NOTE_SETTLED)?;
            note.execute([progress.settled])?;
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
