//! Events that no error tells a caller of. They go to `tracing` with that feature, to stderr without it.

use aimdb_persistence_backend::on_one_line;

/// One line, whatever the path of the file is called and whatever names lie in it.
pub(crate) fn warn(message: &str) {
    let message = on_one_line(message);
    #[cfg(feature = "tracing")]
    tracing::warn!("{message}");
    #[cfg(not(feature = "tracing"))]
    {
        use std::io::Write as _;
        // The program may have closed stderr; `eprintln!` would then end the thread.
        let _ = writeln!(std::io::stderr(), "aimdb-persistence-sqlite: {message}");
    }
}
