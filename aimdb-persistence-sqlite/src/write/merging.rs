//! Merging as part of writing: each step is a transaction of the connection that writes.

use std::time::Instant;

use crate::error::{During, Failure};
use crate::report;
use crate::write::chore::Chore;
use crate::write::connection::{Sync, WriteConnection};

impl WriteConnection {
    /// Takes the step that is due. After a failure the next one is due when more has been appended.
    pub(crate) fn merge_step(&mut self) -> Result<(), Failure> {
        self.try_merge_step().map_err(|failure| {
            self.merge.postpone();
            self.note(failure)
        })
    }

    fn try_merge_step(&mut self) -> Result<(), Failure> {
        if self.merge.is_to_measure() {
            let measured = self.merge.measure(&self.connection);
            return measured.during(self.path(), "measuring the recent rows");
        }
        self.transaction(Sync::Later, "merging recent rows", |this| {
            this.merge.advance(&this.connection)
        })
    }

    /// Takes a step towards merging every row up to this sequence. Says whether they are merged.
    pub(crate) fn merge_up_to(&mut self, sequence: i64) -> Result<bool, Failure> {
        if self.merge.has_settled(sequence) {
            return Ok(true);
        }
        self.merge.want_all();
        self.merge_step()?;
        Ok(false)
    }
}

/// Keeps the tail short.
#[derive(Default)]
pub(crate) struct Merging;

impl Chore for Merging {
    fn due(&self, writer: &WriteConnection) -> Option<Instant> {
        writer.merge.is_due().then(Instant::now)
    }

    fn precedes_stores(&self, writer: &WriteConnection) -> bool {
        writer.merge.is_behind()
    }

    fn step(&mut self, writer: &mut WriteConnection) {
        if let Err(failure) = writer.merge_step() {
            report::warn(&format!(
                "{failure}; no row is lost, and it is tried again later"
            ));
        }
    }
}

#[cfg(test)]
mod tests;
