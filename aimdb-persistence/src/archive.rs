//! What a database knows of its history: its records, options, counters and events.

pub(crate) mod event;
pub(crate) mod options;
pub(crate) mod record;
pub(crate) mod registry;
pub(crate) mod stats;
pub(crate) mod told;
