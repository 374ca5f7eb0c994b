//! Events that no error tells a caller of. They go to `tracing` with that feature, to stderr without it.

use aimdb_persistence_backend::on_one_line;

#[cfg(feature = "tracing")]
pub(crate) fn warn(message: &str) {
    tracing::warn!("{}", on_one_line(message));
}

#[cfg(not(feature = "tracing"))]
pub(crate) fn warn(message: &str) {
    use std::io::Write as _;
    // The program may have closed stderr; `eprintln!` would then end the thread.
    let _ = writeln!(
        std::io::stderr(),
        "aimdb-persistence-postgres: {}",
        on_one_line(message)
    );
}
