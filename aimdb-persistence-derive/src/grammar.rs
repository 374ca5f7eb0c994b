//! What the text of a setting may say. Each file reads one kind of text, and its errors say what to write instead.

pub(crate) mod buffer;
pub(crate) mod choice;
pub(crate) mod deadband;
pub(crate) mod did_you_mean;
pub(crate) mod field_kind;
pub(crate) mod key;
pub(crate) mod measurement_unit;
pub(crate) mod pack;
pub(crate) mod time_unit;
pub(crate) mod type_names;
pub(crate) mod whole_number;
