//! The list of series. Each reader keeps it in memory, so that a pattern is resolved without a scan.

use std::collections::BTreeMap;
use std::ops::Bound;

use aimdb_persistence_backend::ReadRequest;
use rusqlite::{Connection, OptionalExtension, Row};

use crate::error::damage;
use crate::layout::sql;
use crate::layout::state::State;

/// Sorted by record name, byte by byte: the order of answers.
#[derive(Default)]
pub(crate) struct Catalog {
    series: BTreeMap<Box<str>, Entry>,
    /// What is known holds for this generation of the file's series.
    generation: i64,
    /// Every series up to this id is known. Of the others those are known that were asked for by name.
    complete_up_to: i64,
}

/// Candidates by record name, with the id of those that are selected: whoever walks over many that are not can stop in
/// between.
pub(crate) type Selection<'a> = Box<dyn Iterator<Item = (&'a str, Option<i64>)> + 'a>;

struct Entry {
    id: i64,
    template: Option<Box<str>>,
}

impl Catalog {
    /// The series that the request selects, in order, from the first of this name on. Within the read transaction of the
    /// state.
    pub(crate) fn select<'a>(
        &'a mut self,
        connection: &Connection,
        state: &State,
        request: &'a ReadRequest,
        first: &'a str,
    ) -> rusqlite::Result<Selection<'a>> {
        if self.generation != state.series_generation {
            *self = Self {
                generation: state.series_generation,
                ..Self::default()
            };
        }
        if let Some(name) = request.pattern.exact_key() {
            let found = self.series_named(connection, name)?;
            let selected = found.filter(|entry| name >= first && entry.is_of(request, true));
            return Ok(Box::new(
                selected.map(|entry| (name, Some(entry.id))).into_iter(),
            ));
        }
        self.complete(connection)?;
        let from_first = self
            .series
            .range::<str, _>((Bound::Included(first), Bound::Unbounded));
        Ok(Box::new(from_first.map(|(name, entry)| {
            let is_selected = entry.is_of(request, false) && request.pattern.matches(name);
            (&**name, is_selected.then_some(entry.id))
        })))
    }

    fn series_named(
        &mut self,
        connection: &Connection,
        record_name: &str,
    ) -> rusqlite::Result<Option<&Entry>> {
        if !self.series.contains_key(record_name) {
            let found = connection
                .prepare_cached(sql::SERIES_BY_KEY)?
                .query_row([record_name], Entry::of)
                .optional()?;
            if let Some(entry) = found {
                self.series.insert(record_name.into(), entry);
            }
        }
        Ok(self.series.get(record_name))
    }

    /// Reads the series that have been added since it was complete.
    fn complete(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let newest: Option<i64> = connection
            .prepare_cached(sql::NEWEST_SERIES)?
            .query_row([], |r| r.get(0))?;
        let newest = newest.unwrap_or(0);
        if newest <= self.complete_up_to {
            return Ok(());
        }
        let mut series = connection.prepare_cached(sql::SERIES_FROM_ID)?;
        let mut series = series.query([self.complete_up_to])?;
        while let Some(row) = series.next()? {
            self.series.insert(row.get(3)?, Entry::of(row)?);
        }
        self.complete_up_to = newest;
        Ok(())
    }
}

impl Entry {
    /// From its id, its template, and whether it is as it was written.
    fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        let id = row.get(0)?;
        match row.get(2)? {
            true => Ok(Self {
                id,
                template: row.get(1)?,
            }),
            false => Err(damage(format_args!(
                "the name of a series, or what is declared of it, is not as it was written (id {id})"
            ))),
        }
    }

    /// Whether the series is of the type that the request asks for. One that was never declared is, if it was asked for by
    /// its name.
    fn is_of(&self, request: &ReadRequest, is_exact: bool) -> bool {
        match (&request.template, &self.template) {
            (None, _) => true,
            (Some(_), None) => is_exact,
            (Some(wanted), Some(own)) => **own == **wanted,
        }
    }
}
