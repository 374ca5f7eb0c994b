//! Looking at the rows of a question, wherever the backend shows them.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use crate::archive::Archive;
use crate::declaration::versions::Lift;
use crate::query::decoding::{Check, Decodes, Failures};
use crate::query::filter::Condition;
use crate::query::selection::Selection;
use crate::time::{duration_ms, within};
use aimdb_persistence_backend::json::{Projection, Scalar, emptied};
use aimdb_persistence_backend::{
    Order, Pattern, PersistenceError, ReadRequest, Row, RowVisitor, ScanRest, Visit,
};

use crate::query::history::Question;

/// What is made of the rows for which the question's condition holds.
pub(crate) trait Look: Send + 'static {
    /// Has the places read that it looks at.
    fn bind(&mut self, projection: &mut Projection) {
        let _ = projection;
    }

    /// A series begins.
    fn begin_series(&mut self, record_name: &str) {
        let _ = record_name;
    }

    fn row(&mut self, row: Row<'_>, scalars: &[Scalar<'_>]) -> Visit;

    /// There is a row for which the condition does not hold, or which does not decode: what held until then holds no longer.
    fn left_out(&mut self, stored_at: u64) -> Visit {
        let _ = stored_at;
        Visit::Continue
    }

    /// Whether rows are looked at as a whole, and not only at their times and what the projection reads.
    const NEEDS_JSON: bool = true;
}

/// How the rows are read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading<'q> {
    pub(crate) order: Order,
    /// Rows of each series for which the condition holds.
    pub(crate) limit_per_series: Option<usize>,
    /// Rows of each series, whether it holds or not.
    pub(crate) rows_per_series: Option<usize>,
    pub(crate) start_ms: Option<u64>,
    pub(crate) end_ms: Option<u64>,
    /// Only this one of the series in question.
    pub(crate) only: Option<&'q str>,
    /// What becomes of rows that do not decode, where only those are to be seen that do.
    pub(crate) decodable: Option<Decodable<'q>>,
}

/// Rows that do not decode are left out.
#[derive(Clone, Copy)]
pub(crate) struct Decodable<'q> {
    pub(crate) check: &'q Check,
    /// They are counted and reported, or end the query; otherwise nobody is told.
    pub(crate) are_told: bool,
}

impl fmt::Debug for Decodable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decodable")
            .field("are_told", &self.are_told)
            .finish_non_exhaustive()
    }
}

/// A look under way; stopped, it can go on.
pub(crate) struct Looking<L> {
    archive: Archive,
    request: ReadRequest,
    visitor: Option<Matching<L>>,
    rest: Option<ScanRest>,
}

impl Question {
    pub(crate) fn archive(&self) -> Result<&Archive, PersistenceError> {
        self.archive.as_ref().ok_or(PersistenceError::NotConfigured)
    }

    pub(crate) fn read_as(
        &self,
        order: Order,
        limit_per_series: Option<usize>,
    ) -> Reading<'static> {
        Reading {
            order,
            limit_per_series,
            rows_per_series: None,
            start_ms: self.start_ms,
            end_ms: self.end_ms,
            only: None,
            decodable: None,
        }
    }

    /// Shows the question's rows to `looker`, until it has seen enough.
    pub(crate) async fn look<L: Look>(
        &self,
        reading: Reading<'_>,
        looker: L,
    ) -> Result<L, PersistenceError> {
        let look = async {
            let mut looking = self.begin(reading, looker).await?;
            looking.go_on().await?;
            looking.end()
        };
        self.in_time(look).await
    }

    pub(crate) async fn in_time<X>(
        &self,
        work: impl Future<Output = Result<X, PersistenceError>>,
    ) -> Result<X, PersistenceError> {
        // Boxed, so that what waits for it stays small.
        let work = Box::pin(work);
        match self.time_limit {
            None => work.await,
            Some(limit) => within(limit, work).await.unwrap_or_else(|| {
                Err(PersistenceError::TimeLimit {
                    limit_ms: duration_ms(limit),
                })
            }),
        }
    }

    pub(crate) async fn begin<L: Look>(
        &self,
        reading: Reading<'_>,
        mut looker: L,
    ) -> Result<Looking<L>, PersistenceError> {
        let archive = self.archive()?.clone();
        let invalid = |reason| PersistenceError::InvalidQuery { reason };
        if let Some(reason) = &self.invalid {
            return Err(invalid(reason.clone()));
        }
        let mut projection = Projection::default();
        let mut condition = self.condition.clone();
        if let Some(condition) = &mut condition {
            condition.bind(&mut projection).map_err(invalid)?;
        }
        looker.bind(&mut projection);
        archive.prepare().await?;
        self.selection.check_recorded(archive.registry()).await?;
        if let Some(asked) = &self.selection.declared_as {
            archive.report_plain_records_of(asked);
        }
        // Where every row counts, the backend need not read more than are wanted.
        let limit = reading.limit_per_series.filter(|_| condition.is_none());
        let limit = reading.rows_per_series.into_iter().chain(limit).min();
        let pattern = match reading.only {
            Some(key) => Pattern::exact(key),
            None => self.selection.pattern.clone(),
        };
        let request = ReadRequest::new(pattern)
            .with_template(self.selection.declared_as.map(|declared| declared.template))
            .with_order(reading.order)
            .with_limit(limit)
            .with_times(reading.start_ms, reading.end_ms);
        let visitor = Matching {
            archive: archive.clone(),
            selection: Arc::clone(&self.selection),
            projection,
            lift: self.lift,
            condition,
            failures: Failures::new(self.strict),
            check: reading
                .decodable
                .map(|decodable| Arc::clone(&decodable.check.decodes)),
            failures_are_told: reading
                .decodable
                .is_some_and(|decodable| decodable.are_told),
            type_name: reading
                .decodable
                .map_or("", |decodable| decodable.check.type_name),
            limit_per_series: reading.limit_per_series.unwrap_or(usize::MAX),
            of_this_series: 0,
            any_series: false,
            scalars: Vec::new(),
            looker,
        };
        Ok(Looking {
            archive,
            request,
            visitor: Some(visitor),
            rest: None,
        })
    }
}

impl<L: Look> Looking<L> {
    /// Looks on until the looker stops it; says whether there may be more.
    pub(crate) async fn go_on(&mut self) -> Result<bool, PersistenceError> {
        let Some(visitor) = self.visitor.take() else {
            return Err(PersistenceError::BackendShutdown);
        };
        let (request, rest) = (self.request.clone(), self.rest.take());
        let scan = self
            .archive
            .backend()
            .scan(request, rest, Box::new(visitor));
        let mut scanned = scan.await?;
        self.rest = scanned.rest.take();
        self.visitor = Some(scanned.into_visitor());
        Ok(self.rest.is_some())
    }

    pub(crate) fn looker(&mut self) -> Option<&mut L> {
        self.visitor.as_mut().map(|visitor| &mut visitor.looker)
    }

    /// # Errors
    /// If no series was found under a name that no series can have, or a row ended the query.
    pub(crate) fn end(self) -> Result<L, PersistenceError> {
        let Some(mut visitor) = self.visitor else {
            return Err(PersistenceError::BackendShutdown);
        };
        if visitor.failures_are_told {
            visitor.failures.report(&self.archive)?;
        }
        match &visitor.selection.malformed {
            Some(error) if !visitor.any_series => Err(error.clone().into()),
            _ => Ok(visitor.looker),
        }
    }
}

/// Shows a looker the rows that the question is about.
struct Matching<L> {
    archive: Archive,
    selection: Arc<Selection>,
    projection: Projection,
    lift: Option<Lift>,
    condition: Option<Condition>,
    check: Option<Arc<Decodes>>,
    failures: Failures,
    failures_are_told: bool,
    type_name: &'static str,
    limit_per_series: usize,
    of_this_series: usize,
    any_series: bool,
    /// Of the row before; kept for its allocation.
    scalars: Vec<Scalar<'static>>,
    looker: L,
}

impl<L: Look> RowVisitor for Matching<L> {
    fn begin_series(&mut self, record_name: &str) -> bool {
        if !self.selection.admits_series(record_name, &self.archive) {
            return false;
        }
        self.of_this_series = 0;
        self.any_series = true;
        self.looker.begin_series(record_name);
        true
    }

    fn visit(&mut self, row: Row<'_>) -> Visit {
        if self.of_this_series >= self.limit_per_series {
            return Visit::NextSeries;
        }
        if self.projection.is_empty() && self.condition.is_none() {
            return self.show(row, &[]);
        }
        let mut scalars = emptied(std::mem::take(&mut self.scalars));
        let json = match self.lift {
            Some(lift) => lift.json_of(row),
            None => Cow::Borrowed(row.json),
        };
        self.projection.read(&json, &mut scalars);
        let holds = self.condition.as_ref().is_none_or(|c| c.holds(&scalars));
        let visit = match holds {
            true => self.show(row, &scalars),
            false => self.looker.left_out(row.stored_at),
        };
        self.scalars = emptied(scalars);
        visit
    }

    fn skips_damaged(&self) -> bool {
        !self.failures.is_strict()
    }

    fn needs_json(&self) -> bool {
        L::NEEDS_JSON || !self.projection.is_empty()
    }
}

impl<L: Look> Matching<L> {
    fn show(&mut self, row: Row<'_>, scalars: &[Scalar<'_>]) -> Visit {
        self.of_this_series += 1;
        let visit = match self.failure(row) {
            None => self.looker.row(row, scalars),
            Some(Visit::Continue) => self.looker.left_out(row.stored_at),
            Some(stop) => stop,
        };
        match visit {
            Visit::Continue if self.of_this_series >= self.limit_per_series => Visit::NextSeries,
            visit => visit,
        }
    }

    /// How it goes on where the row does not decode.
    fn failure(&mut self, row: Row<'_>) -> Option<Visit> {
        let source = (self.check.as_ref()?)(row.version, row.json).err()?;
        let ends = self.failures.add(row, self.type_name, source) && self.failures_are_told;
        Some(if ends { Visit::Stop } else { Visit::Continue })
    }
}
