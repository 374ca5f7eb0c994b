//! Answering remote clients: AimX `record.query`.

use aimdb_persistence_backend::{PersistenceError, QueryParams, Quoted, StoredValue};

use crate::archive::Archive;
use crate::archive::remote_access::RemoteHistory;
use crate::query::answers::gathered::{Bounds, Gathered, gather, question_of, stored_values};
use crate::query::selection::Selection;
use crate::time::{duration_ms, within};

/// What a remote client asked for: the newest row of each record unless it named a range or a limit, and never more
/// than the limits allow. Says whether rows were left out.
///
/// `granted` is AimDB's own grammar, by which access is granted: the wire must not reach further than that.
pub(crate) async fn answer(
    archive: &Archive,
    pattern: &str,
    mut params: QueryParams,
    granted: impl Fn(&str) -> bool + Send + Sync + 'static,
) -> Result<(Vec<StoredValue>, bool), PersistenceError> {
    let limits = archive.options().remote_limits;
    let history = archive.options().remote_history.clone();
    if history == RemoteHistory::Off {
        return Err(PersistenceError::RemoteHistoryOff);
    }
    let selection = selection_of(pattern)?;
    if params.start_time.is_none() && params.end_time.is_none() {
        params.limit_per_record.get_or_insert(1);
    }
    // One row more than an answer holds tells that there are more; a backend without pages need not fetch the rest.
    let limit = params.limit_per_record.unwrap_or(usize::MAX);
    params.limit_per_record = Some(limit.min(limits.rows.saturating_add(1)));

    let admits = move |record_name: &str| history.admits(record_name) && granted(record_name);
    let selection = selection.admitting(Box::new(admits));
    let bounds = Bounds {
        rows: limits.rows,
        bytes: limits.bytes,
    };
    let question = question_of(archive, selection, &params);
    let gathered = Gathered::default();
    let answered = within(limits.time, gather(&question, bounds, &gathered)).await;
    let ran_late = match answered {
        Some(answered) => answered.map(|()| false)?,
        None => true,
    };
    let values = stored_values(&question, &gathered).await?;
    if ran_late && values.is_empty() {
        return Err(PersistenceError::RemoteTimeout {
            limit_ms: duration_ms(limits.time),
        });
    }
    Ok((values, ran_late || gathered.is_truncated()))
}

/// A client's pattern may be so long, in bytes and in segments: matching takes steps for each of them, with every series.
const PATTERN_BYTES: usize = 1_024;
const PATTERN_SEGMENTS: usize = 64;
/// The name of one record is looked up, not matched.
const KEY_BYTES: usize = 128 * 1_024;

fn selection_of(pattern: &str) -> Result<Selection, PersistenceError> {
    let refuse = |most: usize, of_what: &str| {
        let shown = Quoted(pattern);
        let reason = format!("`{shown}` is too long: at most {most} {of_what}");
        Err(PersistenceError::InvalidQuery { reason })
    };
    match pattern.contains(['*', '#']) {
        true if pattern.len() > PATTERN_BYTES => {
            return refuse(PATTERN_BYTES, "bytes of a pattern");
        }
        false if pattern.len() > KEY_BYTES => return refuse(KEY_BYTES, "bytes of a key"),
        _ => {}
    }
    let selection = Selection::by_pattern(pattern);
    match selection.pattern.segments() > PATTERN_SEGMENTS {
        true => refuse(PATTERN_SEGMENTS, "segments of a pattern"),
        false => Ok(selection),
    }
}
