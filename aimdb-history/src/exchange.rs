//! Rows into files, and files into rows.

mod cell;
mod columns;
pub(crate) mod export;
mod file_kind;
pub(crate) mod import;
mod members;
mod scanner;

pub use self::export::{ExportProgress, Exported, export};
pub use self::file_kind::FileKind;
pub use self::import::{Import, ImportProgress, Imported, import};
