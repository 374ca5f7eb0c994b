//! The chores of the writing thread, and whose turn it is.

use std::time::Instant;

use crate::pack::packing::Packing;
use crate::remove::limit::Limit;
use crate::remove::removal::Removals;
use crate::write::chore::Chore;
use crate::write::connection::WriteConnection;
use crate::write::merging::Merging;

/// Between two commands one chore takes one step, so that a store waits for one step. Chores that precede stores take
/// more, until they are no longer behind.
pub(crate) struct Chores {
    merging: Merging,
    packing: Packing,
    pub(crate) removals: Removals,
    limit: Option<Limit>,
    /// Whose turn it is, counted round and round.
    turn: usize,
}

impl Chores {
    pub(crate) fn new(limit: Option<Limit>, packing: Packing) -> Self {
        Self {
            merging: Merging,
            packing,
            removals: Removals::default(),
            limit,
            turn: 0,
        }
    }

    fn all(&mut self) -> Vec<&mut dyn Chore> {
        let mut all: Vec<&mut dyn Chore> = vec![&mut self.merging, &mut self.removals];
        all.push(&mut self.packing);
        all.extend(self.limit.as_mut().map(|limit| limit as &mut dyn Chore));
        all
    }

    /// When the first step is due; `None` while there is nothing to do.
    pub(crate) fn due(&mut self, writer: &WriteConnection) -> Option<Instant> {
        let all = self.all();
        all.iter().filter_map(|chore| chore.due(writer)).min()
    }

    /// Has the next chore take a step, if one is due.
    pub(crate) fn take_turn(&mut self, writer: &mut WriteConnection) {
        let turn = self.turn;
        let mut all = self.all();
        let count = all.len();
        let next = (turn..turn + count).find(|turn| is_due(all[turn % count], writer));
        if let Some(next) = next {
            all[next % count].step(writer);
            self.turn = (next + 1) % count;
        }
    }

    /// Has a chore take a step that stores wait for. Says whether there was one.
    pub(crate) fn step_before_stores(&mut self, writer: &mut WriteConnection) -> bool {
        for chore in self.all() {
            if chore.precedes_stores(writer) && is_due(chore, writer) {
                chore.step(writer);
                return true;
            }
        }
        false
    }
}

fn is_due(chore: &dyn Chore, writer: &WriteConnection) -> bool {
    chore.due(writer).is_some_and(|at| at <= Instant::now())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use aimdb_persistence_backend::Rows;
    use tokio::sync::oneshot;

    use super::*;
    use crate::file::open;
    use crate::health::Health;
    use crate::options::SqliteBackendBuilder;
    use crate::remove::expired::Expiry;
    use crate::remove::sweep::Sweep;

    fn rows(times: std::ops::Range<u64>) -> Arc<Rows> {
        let mut rows = Rows::new();
        times.for_each(|at| rows.push("t", at, "1"));
        Arc::new(rows)
    }

    /// Rows before the time 10,000, and how far the tail is merged.
    fn seen(writer: &WriteConnection) -> (i64, [i64; 2]) {
        let seen = "SELECT (SELECT count(*) FROM row WHERE stored_at < 10000), settled, sequence FROM state";
        let read = |r: &rusqlite::Row<'_>| Ok((r.get(0)?, [r.get(1)?, r.get(2)?]));
        writer.connection.query_row(seen, [], read).unwrap()
    }

    #[test]
    fn merging_and_sweeping_take_turns() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.db");
        let options = SqliteBackendBuilder::new(path.clone()).tail_rows(16);
        let connection = open::writer(&path, &options).unwrap();
        let mut writer = WriteConnection::new(connection, &options, &Health::default()).unwrap();
        // These fill pages of their own; the later ones lie in the tail.
        writer.store(&[rows(0..10_000)]);
        (10_000..10_100).for_each(|at| drop(writer.store(&[rows(at..at + 1)])));

        let mut chores = Chores::new(None, Packing::new(&options));
        let (report_to, mut report) = oneshot::channel();
        let sweep = Sweep::new(Expiry::Before(10_000));
        chores.removals.begin(sweep, report_to);
        // The first turns measure the tail and look for expired rows.
        (0..2).for_each(|_| chores.take_turn(&mut writer));
        let mut before = seen(&writer);
        for turn in 0..20 {
            chores.take_turn(&mut writer);
            let after = seen(&writer);
            let (is_swept, is_merged) = (after.0 < before.0, after.1 != before.1);
            assert_eq!((is_merged, is_swept), (turn % 2 == 0, turn % 2 == 1));
            before = after;
        }
        while chores.due(&writer).is_some() {
            chores.take_turn(&mut writer);
        }
        assert_eq!(report.try_recv().unwrap().unwrap().removed, 10_000);
        assert_eq!(seen(&writer).0, 0);
    }

    #[test]
    fn a_store_waits_for_merging_that_is_behind_and_for_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.db");
        let options = SqliteBackendBuilder::new(path.clone()).tail_rows(16);
        let connection = open::writer(&path, &options).unwrap();
        let mut writer = WriteConnection::new(connection, &options, &Health::default()).unwrap();
        let mut chores = Chores::new(None, Packing::new(&options));
        let (report_to, _report) = oneshot::channel();
        chores
            .removals
            .begin(Sweep::new(Expiry::Before(1)), report_to);
        assert!(!chores.step_before_stores(&mut writer), "a sweep can wait");
        for at in 0..40 {
            writer.store(&[rows(at..at + 1)]);
        }
        writer.merge.measure(&writer.connection).unwrap();
        assert!(!chores.step_before_stores(&mut writer), "nothing is owed");
        writer.store(&[rows(40..41)]);
        let steps = std::iter::from_fn(|| chores.step_before_stores(&mut writer).then_some(()));
        assert_eq!(steps.count(), 2, "two rows are moved for each appended");
    }
}
