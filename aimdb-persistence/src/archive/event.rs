//! What the recorder reports.

use std::fmt;

use crate::archive::odd_times::{Clock, OddTime};
use crate::archive::stats::Outcome;
use aimdb_persistence_backend::{FreshStart, LostCommits, NewHistory, Quoted};

/// Something the owner of a database should know. [`PersistenceOptions::on_event`] receives it.
///
/// [`PersistenceOptions::on_event`]: crate::PersistenceOptions::on_event
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PersistenceEvent {
    /// Values of a record were lost in this way for the first time. The counters know how many have been lost since.
    Loss {
        /// The record's key.
        record_name: String,
        /// How they were lost.
        kind: LossKind,
        /// How many at once.
        values: u64,
        /// Why, and what to do.
        reason: String,
    },
    /// The runtime ended, or dropped the recorder's tasks, before these values were stored. Whatever could be stored was: this is
    /// what is missing. Told at the end, and once more if further values came after it.
    NotStoredInTime {
        /// How many.
        values: u64,
    },
    /// A record is declared persistent, but nothing of it is being recorded.
    NotRecorded {
        /// The record's key.
        record_name: String,
        /// What is missing.
        reason: String,
    },
    /// The backend did not take a batch. It is tried again.
    BackendFailing {
        /// The backend's error.
        error: String,
    },
    /// The backend takes rows again.
    BackendRecovered,
    /// A remote client's query was not answered, and AimDB does not tell the client why (AimDB 2). Told at most once a second.
    RemoteQueryFailed {
        /// Why.
        error: String,
    },
    /// A query skipped rows because they did not decode. Each query reports its first such row.
    Undecodable {
        /// The first such row's record.
        record_name: String,
        /// The first such row's time in Unix milliseconds.
        stored_at: u64,
        /// The type asked for, and the decoder's complaint.
        reason: String,
    },
    /// Commits are missing that were written before the storage was opened.
    CommitsLost {
        /// How many, with what, and where what is left of them is kept.
        lost: LostCommits,
    },
    /// For the first time the backend has come upon damage to what is stored.
    /// [`BackendHealth::damaged_rows`](aimdb_persistence_backend::BackendHealth::damaged_rows) knows how many rows were left out.
    Damaged {
        /// How many rows were left out of answers by then.
        rows: u64,
        /// What was found.
        what: String,
    },
    /// For the first time a row of a record was stored whose time is beyond its retention: the next sweep removes it. A
    /// backfill that came late, or a time in another unit. [`Counts::expired`](crate::report::Counts::expired) knows how many there are.
    Expired {
        /// The record's key.
        record_name: String,
        /// The row's time in Unix milliseconds.
        stored_at: u64,
        /// The likely mistake, and what to write.
        reason: String,
    },
    /// For the first time a row of a record was stored, or found in the way of a restore, whose time lies further ahead of the
    /// clock than [rows may](crate::PersistenceOptions::max_ahead). [`Counts::ahead`](crate::report::Counts::ahead) knows how many were
    /// stored.
    Ahead {
        /// The record's key.
        record_name: String,
        /// The row's time in Unix milliseconds.
        stored_at: u64,
        /// The likely mistake, and what to write.
        reason: String,
    },
    /// For the first time two values of a record have times that differ by less than a millisecond, and that a row cannot tell
    /// apart: by `on_duplicate` one of them is lost.
    TimesCollide {
        /// The record's key.
        record_name: String,
        /// The time of both in Unix milliseconds.
        stored_at: u64,
    },
    /// A value of a type was stored that will not come back as it was: what is read of its row, and written once more, is
    /// another text. Told once for each variant of a type.
    ReadsBackDifferently {
        /// The record's key.
        record_name: String,
        /// The type's name.
        type_name: &'static str,
        /// What will not come back.
        reason: String,
    },
    /// The fields of a type are others than those with which the rows of its series were stored, and its version is the same.
    SchemaChanged {
        /// One of the records of the type.
        record_name: String,
        /// What is different, and what to write.
        reason: String,
    },
    /// The backend keeps rows that look like those of a type, and that no declaration of this program selects.
    Orphaned {
        /// The series. Where there are several, the first by name.
        record_name: String,
        /// How many series there are.
        series: usize,
        /// How they are known, and the call that mends it.
        reason: String,
    },
    /// A record is recorded otherwise than its type, or its program, seems to mean.
    Misdeclared {
        /// The record's key.
        record_name: String,
        /// What is odd about it, and what to write.
        reason: String,
    },
    /// A retention sweep was put off because the wall clock seems to have jumped.
    SweepPutOff {
        /// The time that seems to have passed since the history was last swept or written, in milliseconds.
        elapsed_ms: u64,
    },
    /// A retention sweep failed. The next one follows at the usual interval.
    SweepFailed {
        /// The backend's error.
        error: String,
    },
    /// The backend removed rows before their time for the first time, to stay within its size. Its
    /// [health](crate::report::BackendHealth::evicted) knows how many it has removed since.
    Evicted {
        /// How many so far.
        rows: u64,
    },
    /// There was no history where the backend was opened, and a new one was begun.
    HistoryBegun {
        /// Where, and which folder was made for it.
        history: NewHistory,
    },
    /// Work of the backend's own, which nobody waits for, has failed for the first time. Its
    /// [health](crate::report::BackendHealth::upkeep_failures) knows how often it has failed since.
    UpkeepFailing {
        /// The backend's error.
        error: String,
    },
    /// The backend's storage was damaged or gone. Recording continues in empty storage.
    StartedAfresh {
        /// Why, and where the old storage is now.
        start: FreshStart,
    },
}

impl PersistenceEvent {
    /// What is told of a row of such a time.
    pub(crate) fn of_odd_time(
        clock: Clock,
        record_name: &str,
        stored_at: u64,
        odd: OddTime,
    ) -> Self {
        let record_name = record_name.to_owned();
        let reason = clock.likely_mistake(stored_at).to_owned();
        match odd {
            OddTime::Expired => Self::Expired {
                record_name,
                stored_at,
                reason,
            },
            OddTime::Ahead => Self::Ahead {
                record_name,
                stored_at,
                reason,
            },
        }
    }
}

/// The ways in which a value can be lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LossKind {
    /// The record's ring overwrote it.
    Lagged,
    /// The backlog was full, or recording had been stopped.
    Dropped,
    /// The backend refused it for good.
    Failed,
    /// It has no JSON form that decodes to the same value.
    Unserializable,
}

impl LossKind {
    pub(crate) fn of(outcome: Outcome) -> Option<Self> {
        match outcome {
            Outcome::Stored | Outcome::Suppressed | Outcome::Restored | Outcome::Overwritten => {
                None
            }
            Outcome::Lagged => Some(Self::Lagged),
            Outcome::Dropped => Some(Self::Dropped),
            Outcome::Failed => Some(Self::Failed),
            Outcome::Unserializable => Some(Self::Unserializable),
        }
    }
}

impl fmt::Display for PersistenceEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Loss {
                record_name,
                values,
                reason,
                ..
            } => {
                write!(
                    f,
                    "{values} value(s) of record `{}` lost so far: {reason}",
                    Quoted(record_name)
                )
            }
            Self::NotStoredInTime { values } => {
                write!(
                    f,
                    "{values} value(s) were not stored when the program ended: close the history (`close_persistence`) before"
                )
            }
            Self::NotRecorded {
                record_name,
                reason,
            } => {
                write!(
                    f,
                    "record `{}` is persisted but not recorded: {reason}",
                    Quoted(record_name)
                )
            }
            Self::RemoteQueryFailed { error } => {
                write!(f, "a remote client's query was not answered: {error}")
            }
            Self::BackendFailing { error } => {
                write!(
                    f,
                    "the persistence backend does not take rows, trying again: {error}"
                )
            }
            Self::BackendRecovered => f.write_str("the persistence backend takes rows again"),
            Self::Undecodable {
                record_name,
                stored_at,
                reason,
            } => {
                write!(
                    f,
                    "rows of record `{}` are skipped, the first at {stored_at} ms: {reason}",
                    Quoted(record_name)
                )
            }
            Self::CommitsLost { lost } => {
                let LostCommits { commits, rows, .. } = lost;
                write!(
                    f,
                    "{commits} commits that were written are missing, with {rows} rows or more"
                )?;
                if let Some(since_ms) = lost.since_ms {
                    write!(f, ", from {since_ms} ms on")?;
                }
                match &lost.kept {
                    Some(kept) => write!(
                        f,
                        "; what is left of them is kept at {kept}: salvage saves it"
                    ),
                    None => Ok(()),
                }
            }
            Self::Damaged { rows, what } => {
                write!(
                    f,
                    "what is stored is damaged ({rows} rows were left out of answers): {what}"
                )
            }
            Self::Expired {
                record_name,
                stored_at,
                reason,
            } => write!(
                f,
                "record `{record_name}` has a row of {stored_at} ms, which is beyond its retention: the next sweep removes it{reason}"
            ),
            Self::Ahead {
                record_name,
                stored_at,
                reason,
            } => write!(
                f,
                "record `{record_name}` has a row of {stored_at} ms, far ahead of the clock{reason}"
            ),
            Self::TimesCollide {
                record_name,
                stored_at,
            } => write!(
                f,
                "two values of record `{record_name}` within the millisecond {stored_at} have one time as rows, and \
                 `on_duplicate` keeps one of them; remove it to keep both"
            ),
            Self::ReadsBackDifferently {
                record_name,
                type_name,
                reason,
            } => write!(
                f,
                "a value of `{type_name}` in record `{record_name}` will not come back as it was: {reason}"
            ),
            Self::SchemaChanged {
                record_name,
                reason,
            } => write!(
                f,
                "record `{record_name}` has rows of another shape than its type has: {reason}"
            ),
            Self::Orphaned {
                record_name,
                series,
                reason,
            } => write!(
                f,
                "{series} series, the first `{record_name}`, is found by no query of a type: {reason}"
            ),
            Self::Misdeclared {
                record_name,
                reason,
            } => write!(f, "record `{record_name}`: {reason}"),
            Self::SweepPutOff { elapsed_ms } => write!(
                f,
                "retention sweep put off until the clock has run evenly for a day: {elapsed_ms} ms seem to have passed since the \
                 history was last swept or written"
            ),
            Self::SweepFailed { error } => write!(f, "retention sweep failed: {error}"),
            Self::Evicted { rows } => write!(
                f,
                "the history has reached its size limit: {rows} row(s), the oldest, removed before their time so far"
            ),
            Self::HistoryBegun { history } => {
                write!(f, "a new history was begun at {}", history.location)?;
                match &history.made_folder {
                    Some(folder) => {
                        write!(f, "; the folder {folder} was missing, and was made")
                    }
                    None => Ok(()),
                }
            }
            Self::UpkeepFailing { error } => write!(
                f,
                "the backend's upkeep fails, and storage grows until it succeeds: {error}"
            ),
            Self::StartedAfresh { start } => {
                write!(f, "recording goes on in empty storage: {}", start.reason)?;
                match &start.set_aside {
                    Some(location) => write!(f, "; what was stored before lies in {location}"),
                    None => Ok(()),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_names_a_record_on_one_line() {
        let event = PersistenceEvent::NotRecorded {
            record_name: "a\nFAKE".to_owned(),
            reason: "no buffer".to_owned(),
        };
        assert_eq!(
            event.to_string(),
            "record `a\\nFAKE` is persisted but not recorded: no buffer"
        );
    }
}
