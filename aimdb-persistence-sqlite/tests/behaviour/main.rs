//! The backend's behaviour, on real files.

mod features;
mod files;
mod hostile;
mod layout;
mod reading;
mod retention;
mod scanning;
mod storing;
mod support;
mod takeover;
