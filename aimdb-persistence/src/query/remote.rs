//! Answering remote clients: AimX `record.query`.

mod answer;
mod newest;
mod place;
mod room;

use std::time::Instant;

use aimdb_persistence_backend::{PersistenceError, QueryParams, Quoted};
use serde_json::{Value, json};

use crate::archive::Archive;
use crate::archive::remote_access::{RemoteHistory, RemoteLimits};
use crate::query::answers::gathered::question_of;
use crate::query::remote::answer::{Answer, Answering};
use crate::query::remote::newest::{Newest, find_newest};
use crate::query::remote::place::Place;
use crate::query::remote::room::Room;
use crate::query::selection::Selection;
use crate::time::{duration_ms, within};

/// What a remote client asked for: the newest row of each record unless it named a range or a limit, and never more
/// than the limits allow. A client that names the cursor of an answer gets what comes after it.
///
/// `granted` is AimDB's own grammar, by which access is granted: the wire must not reach further than that. Limits that
/// the program has not set are those of AimDB's version.
pub(crate) async fn answer(
    archive: &Archive,
    name: &str,
    params: QueryParams,
    granted: impl Fn(&str, &str) -> bool + Send + Sync + 'static,
    of_this_version: RemoteLimits,
) -> Result<Answer, PersistenceError> {
    let limits = archive.options().remote_limits.unwrap_or(of_this_version);
    let history = archive.options().remote_history.clone();
    if history == RemoteHistory::Off {
        return Err(PersistenceError::RemoteHistoryOff);
    }
    let mut place = Place::of_name(name)?.unwrap_or_else(|| Place::beginning(name, params));
    if place.params.start_time.is_none() && place.params.end_time.is_none() {
        place.params.limit_per_record.get_or_insert(1);
    }
    if place.params.limit_per_record == Some(0) {
        return Ok(Answer::default());
    }
    let pattern = place.pattern.clone();
    let admits = move |record: &str| history.admits(record) && granted(&pattern, record);
    let selection = selection_of(&place.pattern)?.admitting(Box::new(admits));
    answer_from(archive, selection, place, limits).await
}

async fn answer_from(
    archive: &Archive,
    selection: Selection,
    place: Place,
    limits: RemoteLimits,
) -> Result<Answer, PersistenceError> {
    // A cursor may be made up.
    let mut open = place.open.iter().map(|open| open.cursor.record_name());
    if open.any(|name| !selection.admits_series(name, archive)) {
        let reason = "the cursor names a record that is not asked for".to_owned();
        return Err(PersistenceError::InvalidQuery { reason });
    }
    let question = question_of(archive, selection, &place.params);
    let (until, room) = (Instant::now() + limits.time, Room::of(limits));
    let newest = Newest::default();
    let after = place.after.as_deref();
    let finding = find_newest(&question, after, room, &newest);
    let found = within(limits.time, finding).await.transpose()?;
    let (series, are_all) = newest.take();
    let mut answering = Answering::new(archive, place, room, until);
    answering.fill(&series).await?;
    let ran_late = answering.ran_late || found.is_none();
    let mut answer = answering.answer;
    if ran_late && answer.rows.is_empty() {
        return Err(PersistenceError::RemoteTimeout {
            limit_ms: duration_ms(limits.time),
        });
    }
    answer.is_truncated |= ran_late || !are_all;
    if answer.is_truncated {
        answer.cursor = Some(answering.place.text());
    }
    answer
        .rows
        .sort_by(|a, b| a.record_name.cmp(&b.record_name));
    Ok(answer)
}

impl Answer {
    /// Adds to the rows what else there is to say.
    pub(crate) fn annotate(&self, answer: &mut Value) {
        if self.is_truncated {
            answer["truncated"] = Value::Bool(true);
        }
        if let Some(cursor) = &self.cursor {
            answer["cursor"] = Value::String(cursor.clone());
        }
        if let Some((record, stored_at)) = &self.first_too_large {
            let rows = self.too_large;
            answer["too_large"] = json!({ "rows": rows, "record": record, "stored_at": stored_at });
        }
    }
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
