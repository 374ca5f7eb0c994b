//! Work that the writing thread does in small steps between commits.

use std::time::Instant;

use crate::write::connection::WriteConnection;

/// One kind of such work. There need not be any at the moment.
pub(crate) trait Chore {
    /// When the next step may be taken; `None` while there is nothing to do.
    fn due(&self, writer: &WriteConnection) -> Option<Instant>;

    /// Whether stores wait until the step that is due has been taken.
    fn precedes_stores(&self, writer: &WriteConnection) -> bool;

    /// Takes one step. A failure is told to whoever waits for the work, or reported.
    fn step(&mut self, writer: &mut WriteConnection);
}
