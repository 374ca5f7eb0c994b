//! What stands in `#[persist(…)]` and `#[fields(…)]`.

pub(crate) mod catalog;
pub(crate) mod entries;
pub(crate) mod settings;
