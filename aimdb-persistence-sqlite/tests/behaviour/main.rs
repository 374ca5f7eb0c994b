//! The backend's behaviour, on real files.

mod files;
mod reading;
mod retention;
mod storing;
mod support;
mod takeover;
