//! The tail as a connection knows it: where the rows of each series lie, and which of them count.
//!
//! Small commits append to the tail. So they touch few pages, however many series they write to. The file has no index
//! of the tail's rows by series. This is the index: each connection keeps its own, and brings it up to date in each
//! transaction that uses it.

use std::collections::{BTreeMap, BTreeSet};

use aimdb_persistence_backend::Order;
use rusqlite::Connection;

use crate::layout::place::{Place, RowKey};
use crate::layout::seal;
use crate::layout::sql;
use crate::layout::state::{Progress, State};

#[derive(Default)]
pub(crate) struct Tail {
    /// Per series in ascending order. Rows that a merge under way has moved are among them.
    places: BTreeMap<i64, Vec<Place>>,
    len: usize,
    newest: i64,
    progress: Progress,
    /// Rows whose checksums do not fit, since it was last asked. Long values are not looked at here.
    damaged: u64,
}

impl Tail {
    /// Brings this up to date within the caller's transaction, and reads only what was appended since.
    ///
    /// A later commit has higher sequences, whichever process made it, and no sequence is used twice. So the new rows
    /// are those beyond the newest one known.
    pub(crate) fn refresh(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        self.follow(connection, &State::read(connection)?)
    }

    /// The same, if the transaction's state has been read already.
    pub(crate) fn follow(
        &mut self,
        connection: &Connection,
        state: &State,
    ) -> rusqlite::Result<()> {
        if state.progress.settled != self.progress.settled {
            self.forget_up_to(state.progress.settled);
        }
        self.progress = state.progress;
        if state.newest_in_tail <= self.newest {
            return Ok(());
        }
        let learnt = self.learn_from(connection, self.newest.max(state.progress.settled));
        if learnt.is_err() {
            *self = Self::default();
        }
        learnt
    }

    fn forget_up_to(&mut self, settled: i64) {
        self.places.retain(|_, places| {
            places.retain(|place| place.sequence > settled);
            !places.is_empty()
        });
        self.len = self.places.values().map(Vec::len).sum();
    }

    fn learn_from(&mut self, connection: &Connection, after: i64) -> rusqlite::Result<()> {
        let mut out_of_order = BTreeSet::new();
        let mut rows = connection.prepare_cached(sql::TAIL_AFTER)?;
        let mut rows = rows.query([after])?;
        while let Some(row) = rows.next()? {
            let key = RowKey::new(row.get(0)?, row.get(1)?, row.get(2)?);
            if let Some(json) = row.get_ref(4)?.as_bytes_or_null()? {
                let is_sound = seal::opened(key, row.get(3)?, json).is_some();
                self.damaged += u64::from(!is_sound);
            }
            let RowKey { series, place } = key;
            let places = self.places.entry(series).or_default();
            if places.last().is_some_and(|last| *last > place) {
                out_of_order.insert(series);
            }
            places.push(place);
            self.len += 1;
            self.newest = place.sequence;
        }
        for series in out_of_order {
            // These are two sorted runs, which a stable sort merges fast.
            self.places.entry(series).or_default().sort();
        }
        Ok(())
    }

    /// A row's series may be what is damaged: then it is missed there, and nobody asks for it elsewhere.
    pub(crate) fn take_damaged(&mut self) -> u64 {
        std::mem::take(&mut self.damaged)
    }

    /// Rows that have not been settled.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// How many series have such rows.
    pub(crate) fn series(&self) -> usize {
        self.places.len()
    }

    /// The highest sequence that was ever seen in the tail; 0 before the first.
    pub(crate) fn newest(&self) -> i64 {
        self.newest
    }

    pub(crate) fn progress(&self) -> Progress {
        self.progress
    }

    fn of_series(&self, series: i64) -> &[Place] {
        self.places.get(&series).map_or(&[], Vec::as_slice)
    }

    fn counts(&self, series: i64, place: Place) -> bool {
        !self.progress.has_merged(RowKey { series, place })
    }

    /// The rows of a series between two places, both included, in order.
    pub(crate) fn between(
        &self,
        series: i64,
        oldest: Place,
        newest: Place,
        order: Order,
    ) -> impl Iterator<Item = Place> + '_ {
        let places = self.of_series(series);
        let end = places.partition_point(|place| *place <= newest);
        let start = places[..end].partition_point(|place| *place < oldest);
        let mut within = places[start..end].iter().copied();
        let in_order = std::iter::from_fn(move || match order {
            Order::NewestFirst => within.next_back(),
            Order::OldestFirst => within.next(),
        });
        in_order.filter(move |place| self.counts(series, *place))
    }

    /// Of a series' rows with this time the one stored last.
    pub(crate) fn newest_at(&self, series: i64, stored_at: i64) -> Option<Place> {
        let (oldest, newest) = (Place::first_at(stored_at), Place::last_at(stored_at));
        let mut places = self.between(series, oldest, newest, Order::NewestFirst);
        places.next()
    }

    /// Of a series' rows the one with the highest sequence.
    pub(crate) fn last_stored(&self, series: i64) -> Option<Place> {
        let places = self.of_series(series).iter().copied();
        places
            .filter(|place| self.counts(series, *place))
            .max_by_key(|place| place.sequence)
    }

    /// How many rows of the series are here.
    pub(crate) fn count(&self, series: i64) -> i64 {
        let places = self.of_series(series).iter();
        places.filter(|place| self.counts(series, **place)).count() as i64
    }

    /// Whether a row of the series is here.
    pub(crate) fn holds(&self, series: i64) -> bool {
        let places = self.of_series(series).iter();
        places.rev().any(|place| self.counts(series, *place))
    }

    /// Whether a row of the series has a time up to `last`.
    pub(crate) fn reaches_back_to(&self, series: i64, last: i64) -> bool {
        let places = self.of_series(series).iter();
        places
            .take_while(|place| place.stored_at <= last)
            .any(|place| self.counts(series, *place))
    }

    /// What a merge that has come as far as `progress` moves next, in the clustered table's order.
    pub(crate) fn to_merge(&self, progress: Progress) -> impl Iterator<Item = RowKey> + '_ {
        let keys = self
            .places
            .range(progress.front.series..)
            .flat_map(|(&series, places)| {
                places.iter().map(move |&place| RowKey { series, place })
            });
        keys.filter(move |key| key.place.sequence <= progress.through && *key > progress.front)
    }
}
