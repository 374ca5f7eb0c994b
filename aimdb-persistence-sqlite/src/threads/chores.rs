//! The chores of the writing thread, and whose turn it is.

use std::time::Instant;

use crate::remove::limit::Limit;
use crate::remove::removal::Removals;
use crate::write::chore::Chore;
use crate::write::connection::WriteConnection;
use crate::write::merging::Merging;

/// Between two commands one chore takes one step, so that a store waits for one step. Chores that precede stores take
/// more, until they are no longer behind.
pub(crate) struct Chores {
    merging: Merging,
    pub(crate) removals: Removals,
    limit: Option<Limit>,
    /// Whose turn it is, counted round and round.
    turn: usize,
}

impl Chores {
    pub(crate) fn new(limit: Option<Limit>) -> Self {
        Self {
            merging: Merging,
            removals: Removals::default(),
            limit,
            turn: 0,
        }
    }

    fn all(&mut self) -> Vec<&mut dyn Chore> {
        let mut all: Vec<&mut dyn Chore> = vec![&mut self.merging, &mut self.removals];
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
