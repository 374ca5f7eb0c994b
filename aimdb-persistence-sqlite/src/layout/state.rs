//! The state of the file at one moment: the one row that every query reads first.

use rusqlite::{CachedStatement, Connection, Row, Rows};

use crate::error::damage;
use crate::layout::functions::checksum_of_seven;

use crate::layout::place::RowKey;
use crate::layout::sql;

/// How far the tail has been merged into the clustered table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Progress {
    /// Every row up to this sequence is in the clustered table.
    pub(crate) settled: i64,
    /// A merge is under way up to this sequence; equal to `settled` while none is.
    pub(crate) through: i64,
    /// The last row, in the clustered table's order, that the merge under way has moved.
    pub(crate) front: RowKey,
}

impl Default for Progress {
    fn default() -> Self {
        Self {
            settled: 0,
            through: 0,
            front: RowKey::BEFORE_ALL,
        }
    }
}

impl Progress {
    /// Whether the row counts in the clustered table, and no longer in the tail.
    pub(crate) fn has_merged(&self, key: RowKey) -> bool {
        let sequence = key.place.sequence;
        sequence <= self.settled || (sequence <= self.through && key <= self.front)
    }

    pub(crate) fn is_under_way(&self) -> bool {
        self.settled < self.through
    }

    /// Within a write transaction.
    pub(crate) fn save(&self, connection: &Connection) -> rusqlite::Result<()> {
        let RowKey { series, place } = self.front;
        let mut set = connection.prepare_cached(sql::SET_MERGED)?;
        set.execute((
            self.settled,
            self.through,
            series,
            place.stored_at,
            place.sequence,
        ))
        .map(drop)
    }
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct State {
    /// How far the tail has been merged.
    pub(crate) progress: Progress,
    /// The highest sequence in the tail; 0 while it is empty.
    pub(crate) newest_in_tail: i64,
    last_direct_sequence: i64,
    /// Another one after every change to a series that was there before.
    pub(crate) series_generation: i64,
    /// Whether there are packed rows.
    pub(crate) has_chunks: bool,
}

impl State {
    /// As it stands in the caller's transaction.
    ///
    /// # Errors
    /// Damage, where it is not as it was written: rows would be missed, or shown twice.
    pub(crate) fn read(connection: &Connection) -> rusqlite::Result<Self> {
        let mut state = connection.prepare_cached(sql::STATE)?;
        state.query_row([], Self::of)
    }

    /// Whether this is a later state of the same history. It is not when SQLite's `.restore` has written another one, or an
    /// older one, into the file.
    pub(crate) fn follows(&self, known: &Self) -> bool {
        self.series_generation == known.series_generation
            && self.progress.settled >= known.progress.settled
            && self.last_sequence() >= known.last_sequence()
    }

    fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        let altered = || damage("the state of the tail is not as it was written");
        let number = |index| row.get_ref(index)?.as_i64().map_err(|_| altered());
        let mut numbers = [0; 7];
        for (one, index) in numbers.iter_mut().zip([0, 1, 2, 3, 4, 6, 7]) {
            *one = number(index)?;
        }
        if i64::from(checksum_of_seven(numbers)) != number(8)? {
            return Err(altered());
        }
        let [
            settled,
            through,
            series,
            stored_at,
            sequence,
            direct,
            generation,
        ] = numbers;
        Ok(Self {
            progress: Progress {
                settled,
                through,
                front: RowKey::new(series, stored_at, sequence),
            },
            newest_in_tail: row.get_ref(5)?.as_i64_or_null()?.unwrap_or(0),
            last_direct_sequence: direct,
            series_generation: generation,
            has_chunks: row.get_ref(9)?.as_i64()? != 0,
        })
    }

    /// The highest sequence of all committed rows. Later commits have higher ones.
    ///
    /// After a commit to the tail it is the tail's newest row, or was settled since. A commit that goes to the clustered
    /// table at once writes it down.
    pub(crate) fn last_sequence(&self) -> i64 {
        let in_tail = self.newest_in_tail.max(self.progress.settled);
        in_tail.max(self.last_direct_sequence)
    }
}

/// A read transaction: all that is read while this lives is of one moment.
///
/// It is the statement that reads the state, not read to its end. That takes two statements fewer than a `BEGIN` and a
/// `COMMIT` around it. It ends when it is dropped, by a panic too: a transaction that stays open keeps the log from
/// starting over.
pub(crate) struct Moment<'a> {
    _unfinished: Rows<'a>,
}

impl<'a> Moment<'a> {
    pub(crate) fn statement(connection: &Connection) -> rusqlite::Result<CachedStatement<'_>> {
        connection.prepare_cached(sql::STATE)
    }

    pub(crate) fn begin(statement: &'a mut CachedStatement<'_>) -> rusqlite::Result<(Self, State)> {
        let mut rows = statement.query([])?;
        let row = rows.next()?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
        let state = State::of(row)?;
        Ok((Self { _unfinished: rows }, state))
    }
}
