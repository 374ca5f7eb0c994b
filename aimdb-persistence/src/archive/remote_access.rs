//! Which part of a history remote clients may ask for, and how much of it they get.

use std::time::Duration;

use aimdb_persistence_backend::{Pattern, PatternError};

/// Which records' history remote clients may ask for with AimX `record.query`.
///
/// AimDB 1 asks no permission for that call: whoever may connect may make it.
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
/// use aimdb_persistence::{MemoryBackend, PersistenceOptions, options::RemoteHistory};
///
/// let options = PersistenceOptions::new(Arc::new(MemoryBackend::new()), Duration::MAX)
///     .remote_history(RemoteHistory::only(["weather.#", "machine.*.state"])?);
/// # Ok::<(), aimdb_persistence::error::PatternError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum RemoteHistory {
    /// Every record's.
    #[default]
    All,
    /// That of the records that one of these patterns selects. Of others a client learns nothing, not even whether
    /// there are any.
    Only(Vec<Pattern>),
    /// None: every query is answered with an error.
    Off,
}

impl RemoteHistory {
    /// The records that one of these patterns selects.
    ///
    /// # Errors
    /// [`PatternError`] for the first pattern that is malformed.
    pub fn only<P: AsRef<str>>(
        patterns: impl IntoIterator<Item = P>,
    ) -> Result<Self, PatternError> {
        let patterns = patterns.into_iter().map(|p| Pattern::parse(p.as_ref()));
        Ok(Self::Only(patterns.collect::<Result<_, _>>()?))
    }

    pub(crate) fn admits(&self, record_name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(patterns) => patterns.iter().any(|p| p.matches(record_name)),
            Self::Off => false,
        }
    }
}

/// How much one remote query may take.
///
/// What a connection carries bounds an answer: a longer one ends the connection. AimDB 2's TCP connector carries 64 KiB
/// (unless `max_frame` says more, at both ends), and the bridge of a browser 1 MiB. So by default an answer of AimDB 2 has
/// at most 60 KiB. AimDB 1 has no such bound, and answers at most 8 MiB.
///
/// ```
/// use aimdb_persistence::options::RemoteLimits;
///
/// let small = RemoteLimits { rows: 100, ..RemoteLimits::default() };
/// assert_eq!(small.bytes, 60 * 1024);
/// assert_eq!(RemoteLimits::AIMDB_1.bytes, 8 * 1024 * 1024);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RemoteLimits {
    /// Rows of one answer (default: 10,000).
    pub rows: usize,
    /// Bytes of one answer as JSON (default: 60 KiB, which every connection carries).
    pub bytes: usize,
    /// How long an answer may take (default: 10 s).
    pub time: Duration,
}

impl RemoteLimits {
    /// What a database of AimDB 1 answers with, if nothing else is set: 8 MiB.
    pub const AIMDB_1: Self = Self {
        bytes: 8 * 1024 * 1024,
        ..Self::AIMDB_2
    };

    /// What a database of AimDB 2 answers with, if nothing else is set; also the default.
    pub const AIMDB_2: Self = Self {
        rows: 10_000,
        bytes: 60 * 1024,
        time: Duration::from_secs(10),
    };
}

impl Default for RemoteLimits {
    fn default() -> Self {
        Self::AIMDB_2
    }
}
