//! The backend's behaviour, on real files.

mod backup;
mod corruption;
mod declared;
mod features;
mod files;
mod gone;
mod hostile;
mod layout;
mod limit;
mod reading;
mod retention;
mod salvaging;
mod scanning;
mod schema;
mod storing;
mod support;
mod takeover;
