//! The list of series. Each reader keeps it in memory, so that a pattern is resolved without asking the server.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Bound;
use std::sync::Arc;

use aimdb_persistence_backend::ReadRequest;

use crate::connect::session::Session;
use crate::error::Failure;
use crate::layout::tables::Tables;
use crate::scope::Scope;

/// Sorted by record name, byte by byte, then by the source's: the order of answers.
#[derive(Default)]
pub(crate) struct Catalog {
    sources: HashMap<i32, Source>,
    series: BTreeMap<(Arc<str>, Arc<str>), Entry>,
}

struct Source {
    name: Arc<str>,
    generation: i64,
}

struct Entry {
    source: i32,
    id: i32,
    template: Option<Box<str>>,
    tables: Tables,
    visible: Visible,
}

/// Which rows of a series are there: those from a time on, and others that were stored later than the sweep that said so.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Visible {
    pub(crate) from_ms: i64,
    pub(crate) sequence: i64,
    pub(crate) is_late: bool,
}

impl Visible {
    /// No row before this time is visible.
    pub(crate) fn start(self, asked_ms: i64) -> i64 {
        match self.is_late {
            true => asked_ms,
            false => asked_ms.max(self.from_ms),
        }
    }
}

/// A series that a request selects.
#[derive(Debug, Clone)]
pub(crate) struct Selected {
    pub(crate) record_name: Arc<str>,
    pub(crate) source_name: Arc<str>,
    pub(crate) source: i32,
    pub(crate) id: i32,
    pub(crate) tables: Tables,
    pub(crate) visible: Visible,
}

const SOURCE: &str = "SELECT id, name, generation, next_sequence FROM source WHERE name = $1";

const SOURCES: &str = "SELECT id, name, generation, next_sequence FROM source";

const SERIES: &str = "SELECT source, id, key, template, class, former, visible_from_ms, visible_sequence, is_late \
     FROM series WHERE source = ANY($1)";

const DOING: &str = "reading the list of series";

impl Catalog {
    /// Learns what has changed. Gives of each source the sequence that its next row will get.
    pub(crate) async fn refresh(
        &mut self,
        session: &mut Session,
        scope: &Scope,
    ) -> Result<HashMap<i32, i64>, Failure> {
        let found = match scope {
            Scope::One(name) => session.query(SOURCE, &[&&**name], DOING).await?,
            _ => session.query(SOURCES, &[], DOING).await?,
        };
        let mut moment = HashMap::new();
        let mut changed = HashSet::new();
        for row in &found {
            let (id, name, generation): (i32, &str, i64) = (row.get(0), row.get(1), row.get(2));
            if !scope.includes(name) {
                continue;
            }
            moment.insert(id, row.get(3));
            let known = self.sources.get(&id);
            if known.is_none_or(|known| known.generation != generation || *known.name != *name) {
                changed.insert(id);
                let name = name.into();
                self.sources.insert(id, Source { name, generation });
            }
        }
        let gone = self.sources.keys().filter(|id| !moment.contains_key(id));
        changed.extend(gone.copied().collect::<Vec<_>>());
        if !changed.is_empty() {
            let read = self.read(session, &changed).await;
            if read.is_err() {
                *self = Self::default();
            }
            read?;
        }
        self.sources.retain(|id, _| moment.contains_key(id));
        Ok(moment)
    }

    async fn read(&mut self, session: &mut Session, changed: &HashSet<i32>) -> Result<(), Failure> {
        let ids: Vec<i32> = changed.iter().copied().collect();
        let found = session.query(SERIES, &[&ids], DOING).await?;
        self.series
            .retain(|_, entry| !changed.contains(&entry.source));
        for row in &found {
            let source: i32 = row.get(0);
            let Some(known) = self.sources.get(&source) else {
                continue;
            };
            let key = (Arc::from(row.get::<_, &str>(2)), Arc::clone(&known.name));
            let entry = Entry {
                source,
                id: row.get(1),
                template: row.get::<_, Option<&str>>(3).map(Into::into),
                tables: Tables::of(row.get(4), &row.get::<_, Vec<i16>>(5)),
                visible: Visible {
                    from_ms: row.get(6),
                    sequence: row.get(7),
                    is_late: row.get(8),
                },
            };
            self.series.insert(key, entry);
        }
        Ok(())
    }

    pub(crate) fn source_named(&self, id: i32) -> Option<&Arc<str>> {
        self.sources.get(&id).map(|source| &source.name)
    }

    /// The series that the request selects, in order, from the first of this name on.
    pub(crate) fn select<'a>(
        &'a self,
        request: &'a ReadRequest,
        first: &str,
    ) -> impl Iterator<Item = Selected> + use<'a> {
        let exact = request.pattern.exact_key();
        let first = match exact {
            Some(key) if key > first => key,
            _ => first,
        };
        let from = (Arc::from(first), Arc::from(""));
        let from_first = self.series.range((Bound::Included(from), Bound::Unbounded));
        let within = move |((name, _), _): &(&(Arc<str>, Arc<str>), &Entry)| {
            exact.is_none_or(|key| **name == *key)
        };
        from_first
            .take_while(within)
            .filter(move |((name, _), entry)| {
                entry.is_of(request, exact.is_some()) && request.pattern.matches(name)
            })
            .map(|((name, source_name), entry)| Selected {
                record_name: Arc::clone(name),
                source_name: Arc::clone(source_name),
                source: entry.source,
                id: entry.id,
                tables: entry.tables,
                visible: entry.visible,
            })
    }
}

impl Entry {
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
