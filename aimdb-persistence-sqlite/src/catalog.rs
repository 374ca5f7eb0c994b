//! The list of series, kept in memory by each reader so that patterns are resolved without a scan.

use std::collections::BTreeMap;
use std::ops::Bound;

use aimdb_persistence::ReadRequest;
use rusqlite::{Connection, OptionalExtension};

use crate::sql;

/// Sorted by key, byte by byte: the order of answers.
#[derive(Default)]
pub(crate) struct Catalog {
    series: BTreeMap<Box<str>, Entry>,
    version: Option<Version>,
}

/// Series by key and id.
pub(crate) type Selection<'a> = Box<dyn Iterator<Item = (&'a str, i64)> + 'a>;

struct Entry {
    id: i64,
    template: Option<Box<str>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Version {
    /// 0 while there are no series.
    newest_id: i64,
    generation: i64,
}

impl Catalog {
    /// The series that the request selects and has not finished yet, in order. Within a read
    /// transaction.
    pub(crate) fn select<'a>(
        &'a mut self,
        connection: &Connection,
        request: &'a ReadRequest,
    ) -> rusqlite::Result<Selection<'a>> {
        let first = request
            .after
            .as_ref()
            .map_or("", |cursor| &cursor.record_name);
        if let Some(key) = request.pattern.exact_key() {
            let found = series_by_key(connection, key)?;
            let selected = found.filter(|entry| key >= first && entry.is_of(request, true));
            return Ok(Box::new(selected.map(|entry| (key, entry.id)).into_iter()));
        }
        self.refresh(connection)?;
        let from_first = self
            .series
            .range::<str, _>((Bound::Included(first), Bound::Unbounded));
        let selected = from_first
            .filter(|(key, entry)| entry.is_of(request, false) && request.pattern.matches(key));
        Ok(Box::new(selected.map(|(key, entry)| (&**key, entry.id))))
    }

    fn refresh(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let version = connection
            .prepare_cached(sql::SERIES_VERSION)?
            .query_row([], |r| {
                Ok(Version {
                    newest_id: r.get::<_, Option<i64>>(0)?.unwrap_or(0),
                    generation: r.get(1)?,
                })
            })?;
        if self.version == Some(version) {
            return Ok(());
        }
        // Where series were only added, only those are read.
        let known_up_to = match self.version.take() {
            Some(known)
                if known.generation == version.generation
                    && known.newest_id < version.newest_id =>
            {
                known.newest_id
            }
            _ => {
                self.series.clear();
                i64::MIN
            }
        };
        let mut series = connection.prepare_cached(sql::SERIES_FROM_ID)?;
        let mut series = series.query([known_up_to])?;
        while let Some(row) = series.next()? {
            let entry = Entry {
                id: row.get(0)?,
                template: row.get(2)?,
            };
            self.series.insert(row.get(1)?, entry);
        }
        self.version = Some(version);
        Ok(())
    }
}

impl Entry {
    /// Whether the series is of the type that the request is confined to; a series that was never
    /// declared is, where it was asked for by its name.
    fn is_of(&self, request: &ReadRequest, is_exact: bool) -> bool {
        match (request.template, &self.template) {
            (None, _) => true,
            (Some(_), None) => is_exact,
            (Some(wanted), Some(own)) => **own == *wanted,
        }
    }
}

fn series_by_key(connection: &Connection, key: &str) -> rusqlite::Result<Option<Entry>> {
    connection
        .prepare_cached(sql::SERIES_BY_KEY)?
        .query_row([key], |r| {
            Ok(Entry {
                id: r.get(0)?,
                template: r.get(1)?,
            })
        })
        .optional()
}
