//! Events that no caller is told of otherwise: to `tracing` with that feature, to stderr without.

#[cfg(feature = "tracing")]
pub(crate) fn warn(message: &str) {
    tracing::warn!("{message}");
}

#[cfg(not(feature = "tracing"))]
pub(crate) fn warn(message: &str) {
    eprintln!("aimdb-persistence-sqlite: {message}");
}
