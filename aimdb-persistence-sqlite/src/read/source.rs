//! The sources that the rows of one series come from, merged into one order.

use std::cell::{RefCell, RefMut};
use std::ops::ControlFlow;

use aimdb_persistence_backend::Order;
use rusqlite::fallible_streaming_iterator::FallibleStreamingIterator as _;
use rusqlite::{CachedStatement, Connection, Rows};

use crate::layout::place::Place;
use crate::layout::sql;
use crate::read::packed::Packed;
use crate::read::stored_row::{Content, StoredRow};

/// Rows of one series from one place, each in the order of the reading.
pub(crate) enum Source<'a, 'c> {
    Clustered(Clustered<'a>),
    Tail(InTail<'a, 'c>),
    Packed(Packed<'a>),
}

impl Source<'_, '_> {
    /// The place of the row at hand; `None` after the last one.
    fn head(&self) -> Option<Place> {
        match self {
            Self::Clustered(source) => source.head,
            Self::Tail(source) => source.head,
            Self::Packed(source) => source.head(),
        }
    }

    fn advance(&mut self) -> rusqlite::Result<()> {
        match self {
            Self::Clustered(source) => source.advance(),
            Self::Tail(source) => {
                source.head = source.places.next();
                Ok(())
            }
            Self::Packed(source) => source.advance(),
        }
    }

    /// Shows the row at hand.
    fn show<B>(
        &mut self,
        place: Place,
        show: &mut impl FnMut(StoredRow<'_>) -> ControlFlow<B>,
    ) -> rusqlite::Result<ControlFlow<B>> {
        match self {
            Self::Clustered(source) => source.show(place, show),
            Self::Tail(source) => source.show(place, show),
            Self::Packed(source) => Ok(source.show(place, show)),
        }
    }
}

/// Rows of the clustered table, as a statement hands them out.
pub(crate) struct Clustered<'a> {
    rows: Rows<'a>,
    head: Option<Place>,
}

impl<'a> Clustered<'a> {
    /// Of a statement whose columns are time, sequence, value and version.
    pub(crate) fn new(rows: Rows<'a>) -> Self {
        Self { rows, head: None }
    }

    fn advance(&mut self) -> rusqlite::Result<()> {
        let row = self.rows.next()?;
        self.head = row.map(Place::of).transpose()?;
        Ok(())
    }

    fn show<B>(
        &self,
        place: Place,
        show: &mut impl FnMut(StoredRow<'_>) -> ControlFlow<B>,
    ) -> rusqlite::Result<ControlFlow<B>> {
        let Some(row) = self.rows.get() else {
            return Ok(ControlFlow::Continue(()));
        };
        Ok(show(StoredRow {
            place,
            content: Content::Sealed {
                json: row.get_ref(2)?.as_bytes_or_null()?,
                seal: row.get(3)?,
            },
        }))
    }
}

/// Rows of the tail, whose places are known. Each value is fetched when its row comes.
pub(crate) struct InTail<'a, 'c> {
    places: &'a mut dyn Iterator<Item = Place>,
    values: &'a TailValues<'c>,
    head: Option<Place>,
}

impl<'a, 'c> InTail<'a, 'c> {
    pub(crate) fn new(
        places: &'a mut dyn Iterator<Item = Place>,
        values: &'a TailValues<'c>,
    ) -> Self {
        let head = None;
        Self {
            places,
            values,
            head,
        }
    }

    fn show<B>(
        &self,
        place: Place,
        show: &mut impl FnMut(StoredRow<'_>) -> ControlFlow<B>,
    ) -> rusqlite::Result<ControlFlow<B>> {
        let mut fetch = self.values.statement()?;
        let mut rows = fetch.query([place.sequence])?;
        let row = rows.next()?;
        let content = match row {
            Some(row) => Content::Sealed {
                json: row.get_ref(0)?.as_bytes_or_null()?,
                seal: row.get(1)?,
            },
            None => Content::Sealed {
                json: None,
                seal: 0,
            },
        };
        Ok(show(StoredRow { place, content }))
    }
}

/// The statement that fetches a value of the tail. It is prepared for the first one: often there is none.
pub(crate) struct TailValues<'c> {
    connection: &'c Connection,
    fetch: RefCell<Option<CachedStatement<'c>>>,
}

impl<'c> TailValues<'c> {
    pub(crate) fn of(connection: &'c Connection) -> Self {
        Self {
            connection,
            fetch: RefCell::new(None),
        }
    }

    fn statement(&self) -> rusqlite::Result<RefMut<'_, CachedStatement<'c>>> {
        let mut fetch = self.fetch.borrow_mut();
        if fetch.is_none() {
            *fetch = Some(self.connection.prepare_cached(sql::TAIL_VALUE)?);
        }
        Ok(RefMut::map(fetch, |fetch| {
            fetch.as_mut().expect("it was prepared just now")
        }))
    }
}

/// Shows the rows of all sources in order, until `show` breaks off; gives what it broke off with.
pub(crate) fn merge<B>(
    sources: &mut [Source<'_, '_>],
    order: Order,
    mut show: impl FnMut(StoredRow<'_>) -> ControlFlow<B>,
) -> rusqlite::Result<Option<B>> {
    for source in &mut *sources {
        source.advance()?;
    }
    while let Some(first) = first_of(sources, order) {
        sources.swap(0, first);
        let Some((source, others)) = sources.split_first_mut() else {
            break;
        };
        // This source's rows come next, up to the first one of the others.
        let bound = first_of(others, order).and_then(|other| others[other].head());
        while let Some(place) = source.head()
            && bound.is_none_or(|bound| !bound.comes_before(place, order))
        {
            if let ControlFlow::Break(end) = source.show(place, &mut show)? {
                return Ok(Some(end));
            }
            source.advance()?;
        }
    }
    Ok(None)
}

/// The source whose row at hand comes first; `None` when all have ended.
fn first_of(sources: &[Source<'_, '_>], order: Order) -> Option<usize> {
    let mut first: Option<(usize, Place)> = None;
    for (index, source) in sources.iter().enumerate() {
        if let Some(place) = source.head()
            && first.is_none_or(|(_, first)| place.comes_before(first, order))
        {
            first = Some((index, place));
        }
    }
    first.map(|(index, _)| index)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::layout::{functions, schema};

    /// Each row lies in one of the sources: half of these in the clustered table, half in tails.
    fn merged(
        connection: &Connection,
        places: &[Vec<Place>],
        order: Order,
        most: usize,
    ) -> Vec<(Place, String)> {
        let values = TailValues::of(connection);
        let rows = match order {
            Order::NewestFirst => sql::NEWEST_ROWS,
            Order::OldestFirst => sql::OLDEST_ROWS,
        };
        let mut clustered: Vec<_> = places.iter().map(|_| connection.prepare(rows)).collect();
        let mut in_tail: Vec<_> = places.iter().map(|p| p.iter().copied()).collect();
        let mut sources = Vec::new();
        for (series, (clustered, in_tail)) in clustered.iter_mut().zip(&mut in_tail).enumerate() {
            if series % 2 == 0 {
                let series = series as i64;
                let from = match order {
                    Order::NewestFirst => (series, i64::MIN, i64::MAX, i64::MAX),
                    Order::OldestFirst => (series, i64::MAX, i64::MIN, i64::MIN),
                };
                let rows = clustered.as_mut().unwrap().query(from).unwrap();
                sources.push(Source::Clustered(Clustered::new(rows)));
            } else {
                sources.push(Source::Tail(InTail::new(in_tail, &values)));
            }
        }
        let mut shown = Vec::new();
        let ended = merge(&mut sources, order, |row| {
            let Content::Sealed { json, .. } = row.content else {
                panic!("no row is packed")
            };
            shown.push((
                row.place,
                String::from_utf8(json.unwrap().to_vec()).unwrap(),
            ));
            match shown.len() < most {
                true => ControlFlow::Continue(()),
                false => ControlFlow::Break(()),
            }
        });
        assert_eq!(ended.unwrap().is_some(), shown.len() == most);
        shown
    }

    proptest! {
        #[test]
        fn rows_of_any_number_of_sources_come_in_one_order(
            rows in prop::collection::vec((0_usize..5, 0_i64..20), 0..60),
            newest_first in any::<bool>(),
            most in 1_usize..80,
        ) {
            let connection = Connection::open_in_memory().unwrap();
            functions::add(&connection).unwrap();
            schema::create_tables(&connection).unwrap();
            let mut places = vec![Vec::new(); 5];
            let mut expected = Vec::new();
            for (n, (source, stored_at)) in rows.into_iter().enumerate() {
                let place = Place { stored_at, sequence: n as i64 + 1 };
                places[source].push(place);
                expected.push((place, n.to_string()));
                let insert = if source % 2 == 0 { sql::INSERT_ROW } else { sql::APPEND_ROW };
                let row = (source as i64, stored_at, place.sequence, 0, n.to_string());
                connection.execute(insert, row).unwrap();
            }
            let order = if newest_first { Order::NewestFirst } else { Order::OldestFirst };
            let in_order = |a: &Place, b: &Place| match order {
                Order::NewestFirst => b.cmp(a),
                Order::OldestFirst => a.cmp(b),
            };
            places.iter_mut().for_each(|places| places.sort_by(in_order));
            expected.sort_by(|a, b| in_order(&a.0, &b.0));
            expected.truncate(most);
            prop_assert_eq!(merged(&connection, &places, order, most), expected);
        }
    }
}
