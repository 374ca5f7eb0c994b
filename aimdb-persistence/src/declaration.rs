//! What a type declares of its records' history.

pub(crate) mod declared;
pub(crate) mod event_time;
pub(crate) mod field;
pub(crate) mod field_info;
pub(crate) mod field_path;
pub(crate) mod key_value;
pub(crate) mod numeric;
pub(crate) mod policy;
pub(crate) mod template;
pub(crate) mod versions;
