//! Rows into files, and files into rows.

mod cell;
mod columns;
pub(crate) mod export;
pub(crate) mod import;
mod members;

pub use self::export::{ExportProgress, Exported, FileKind, export};
pub use self::import::{Import, ImportProgress, Imported, import};
