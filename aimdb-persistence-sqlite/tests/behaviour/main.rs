//! The backend's behaviour, on real files.
#![allow(clippy::disallowed_methods)]

mod backup;
mod checking;
mod corruption;
mod cut_log;
mod declared;
mod features;
mod files;
mod flips;
mod gone;
mod hostile;
mod layout;
mod limit;
#[cfg(unix)]
mod links;
#[cfg(unix)]
mod packing;
mod pages;
mod processes;
#[cfg(unix)]
mod read_only;
mod reading;
mod reserve;
mod retention;
mod salvaging;
mod scanning;
mod schema;
mod storing;
mod support;
mod sweep_clock;
mod takeover;
