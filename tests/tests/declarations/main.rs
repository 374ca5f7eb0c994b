//! What a declaration means, where no database is needed to tell.

mod event_times;
mod terms;
mod versions;
