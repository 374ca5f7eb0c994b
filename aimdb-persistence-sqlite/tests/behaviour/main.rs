//! The backend's behaviour, on real files.

mod files;
mod layout;
mod reading;
mod retention;
mod storing;
mod support;
mod takeover;
