//! Keeping a history well: backups, and the room that it takes.

pub(crate) mod backup;
pub(crate) mod compact;

pub use self::backup::{Backup, backup};
pub use self::compact::{Compacted, compact};
