//! What remote clients may ask of the history, and how much of it they get: AimX `record.query`.

use std::time::Duration;

use aimdb_persistence_backend::{
    Pattern, PatternError, PersistenceError, QueryParams, StoredValue,
};

use crate::query::reader::{Bounds, Reader, read_values};
use crate::query::selection::Selection;
use crate::recorder::Recorder;
use crate::time::{duration_ms, within};

/// Which records' history remote clients may ask for with AimX `record.query`.
///
/// AimDB 1 asks no permission for that call: whoever may connect may make it.
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
/// use aimdb_persistence::{MemoryBackend, PersistenceOptions, RemoteHistory};
///
/// let options = PersistenceOptions::new(Arc::new(MemoryBackend::new()), Duration::MAX)
///     .remote_history(RemoteHistory::only(["weather.#", "machine.*.state"])?);
/// # Ok::<(), aimdb_persistence::PatternError>(())
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

    fn admits(&self, record_name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(patterns) => patterns.iter().any(|p| p.matches(record_name)),
            Self::Off => false,
        }
    }
}

/// How much one remote query may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RemoteLimits {
    pub(crate) rows: usize,
    pub(crate) bytes: usize,
    pub(crate) time: Duration,
}

impl Default for RemoteLimits {
    fn default() -> Self {
        Self {
            rows: 10_000,
            bytes: 8 * 1024 * 1024,
            time: Duration::from_secs(10),
        }
    }
}

/// What a remote client asked for: the newest row of each record unless it named a range or a limit, and never more
/// than the limits allow. Says whether rows were left out.
///
/// `granted` is AimDB's own grammar, by which access is granted: the wire must not reach further than that.
pub(crate) async fn answer(
    recorder: &Recorder,
    pattern: &str,
    mut params: QueryParams,
    granted: impl Fn(&str) -> bool + Send + Sync + 'static,
) -> Result<(Vec<StoredValue>, bool), PersistenceError> {
    let limits = recorder.options().remote_limits;
    let history = recorder.options().remote_history.clone();
    if history == RemoteHistory::Off {
        return Err(PersistenceError::RemoteHistoryOff);
    }
    if params.start_time.is_none() && params.end_time.is_none() {
        params.limit_per_record.get_or_insert(1);
    }
    // One row more than an answer holds tells that there are more; a backend without pages need not fetch the rest.
    let limit = params.limit_per_record.unwrap_or(usize::MAX);
    params.limit_per_record = Some(limit.min(limits.rows.saturating_add(1)));

    let admits = move |record_name: &str| history.admits(record_name) && granted(record_name);
    let selection = Selection::by_pattern(pattern).admitting(Box::new(admits));
    let bounds = Bounds {
        rows: limits.rows,
        bytes: limits.bytes,
    };
    let mut values = Vec::new();
    let read = async {
        let mut reader = Reader::open(recorder, selection, params).await?;
        read_values(&mut reader, bounds, &mut values).await
    };
    match within(limits.time, read).await {
        Some(truncated) => Ok((values, truncated?)),
        None if values.is_empty() => Err(PersistenceError::RemoteTimeout {
            limit_ms: duration_ms(limits.time),
        }),
        None => Ok((values, true)),
    }
}
