//! Events that no caller is told of otherwise: to `tracing` with that feature, to stderr without.

#[cfg(feature = "tracing")]
pub(crate) fn warn(message: &str) {
    tracing::warn!("{message}");
}

#[cfg(not(feature = "tracing"))]
pub(crate) fn warn(message: &str) {
    use std::io::Write as _;
    // Whoever closed stderr does not want to hear; `eprintln!` would end the thread.
    let _ = writeln!(std::io::stderr(), "aimdb-persistence-sqlite: {message}");
}
