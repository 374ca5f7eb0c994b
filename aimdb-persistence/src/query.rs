//! Reading: pages from the backend, decoded straight from their JSON text into the type asked for.

use std::any::{TypeId, type_name};

use std::pin::pin;

use futures_lite::future::{poll_once, yield_now};
use serde::de::DeserializeOwned;

use crate::backend::{Page, QueryParams, ReadRequest, StoredValue};
use crate::error::{DecodeError, PersistenceError};
use crate::event::PersistenceEvent;
use crate::json::decode;
use crate::pattern::{Pattern, PatternError};
use crate::recorder::{DeclaredAs, Recorder, Registry};
use crate::rows::Row;
use crate::time::now_ms;

/// A page is decoded in one go: small enough to give other tasks of the executor their turn in between.
const PAGE_ROWS: usize = 1_000;
const PAGE_BYTES: usize = 256 * 1024;

/// Whether who asks may see the rows of a record.
pub(crate) type Admits = Box<dyn Fn(&str) -> bool + Send + Sync>;

/// Which series a query reads, and of which type they must be.
pub(crate) struct Selection {
    pattern: Pattern,
    /// Set where a malformed pattern is tried as an exact key, which no key is too odd for.
    malformed: Option<PatternError>,
    declared_as: Option<DeclaredAs>,
    /// Where the asker may not see every record.
    admits: Option<Admits>,
}

impl Selection {
    /// The series that a user's pattern selects, whatever their type.
    pub(crate) fn by_pattern(pattern: &str) -> Self {
        let (pattern, malformed) = match Pattern::parse(pattern) {
            Ok(pattern) => (pattern, None),
            Err(error) => (Pattern::exact(pattern), Some(error)),
        };
        Self {
            pattern,
            malformed,
            declared_as: None,
            admits: None,
        }
    }

    /// Series of one declared type only.
    pub(crate) fn of_type(pattern: Pattern, declared_as: DeclaredAs) -> Self {
        Self {
            pattern,
            malformed: None,
            declared_as: Some(declared_as),
            admits: None,
        }
    }

    /// Confined to the records that `admits` lets through: of others nothing is told.
    pub(crate) fn admitting(self, admits: Admits) -> Self {
        let admits = Some(admits);
        Self { admits, ..self }
    }

    fn admits(&self, record_name: &str) -> bool {
        self.admits
            .as_ref()
            .is_none_or(|admits| admits(record_name))
    }

    /// # Errors
    /// If records are selected that are persisted but not recorded, and no other record of this run is. One such record
    /// among others does not keep their rows from being seen: it has been reported, and stands in the statistics.
    fn check_recorded(&self, registry: &Registry) -> Result<(), PersistenceError> {
        let mut selected = registry.matching(&self.pattern);
        selected.retain(|record| self.admits(&record.name));
        if let Some(wanted) = self.declared_as {
            selected.retain(|record| {
                record
                    .declared
                    .get()
                    .is_some_and(|d| d.type_id == wanted.type_id)
            });
        }
        if selected.iter().any(|record| record.problem.get().is_none()) {
            return Ok(());
        }
        let broken = selected
            .iter()
            .find_map(|record| Some((&record.name, record.problem.get()?)));
        broken.map_or(Ok(()), |(record_name, reason)| {
            let (record_name, reason) = (record_name.to_string(), reason.clone());
            Err(PersistenceError::NotRecorded {
                record_name,
                reason,
            })
        })
    }
}

/// Whether a row that does not decode ends the query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Undecodable {
    Skip,
    Fail,
}

/// Reads page after page.
pub(crate) struct Reader<'a> {
    recorder: &'a Recorder,
    selection: Selection,
    request: Option<ReadRequest>,
    has_seen_rows: bool,
}

impl<'a> Reader<'a> {
    /// # Errors
    /// If the backend cannot be prepared, or a selected record is persisted but cannot be recorded.
    pub(crate) async fn open(
        recorder: &'a Recorder,
        selection: Selection,
        params: QueryParams,
    ) -> Result<Self, PersistenceError> {
        recorder.prepare().await?;
        selection.check_recorded(recorder.registry())?;
        let request = ReadRequest::new(selection.pattern.clone())
            .with_template(selection.declared_as.map(|declared| declared.template))
            .with_limit(params.limit_per_record)
            .with_times(params.start_time, params.end_time)
            .with_page(PAGE_ROWS, PAGE_BYTES);
        Ok(Self {
            recorder,
            selection,
            request: Some(request),
            has_seen_rows: false,
        })
    }

    /// The next page, or `None` after the last.
    pub(crate) async fn next_page(&mut self) -> Result<Option<Page>, PersistenceError> {
        let Some(request) = self.request.take() else {
            return match self.selection.malformed.take() {
                Some(error) if !self.has_seen_rows => Err(error.into()),
                _ => Ok(None),
            };
        };
        let page = self.recorder.backend().read(request.clone()).await?;
        self.has_seen_rows |= page.rows.names().iter().any(|n| self.selection.admits(n));
        self.request = page.next.clone().map(|after| ReadRequest {
            after: Some(after),
            ..request
        });
        Ok(Some(page))
    }

    /// The page's rows that belong to the selection.
    pub(crate) fn rows<'p>(&self, page: &'p Page) -> impl Iterator<Item = Row<'p>> + use<'p> {
        let admitted: Vec<Admission> = page
            .rows
            .names()
            .iter()
            .map(|name| self.admit(name))
            .collect();
        page.rows
            .iter()
            .enumerate()
            .filter_map(
                move |(index, row)| match admitted[page.rows.name_index(index)] {
                    Admission::None => None,
                    Admission::From(start_ms) => (row.stored_at >= start_ms).then_some(row),
                },
            )
    }

    /// Which rows of a record belong to the selection. A backend that keeps declarations has applied them; for
    /// one that does not, what this run has declared decides about type and expiry.
    fn admit(&self, name: &str) -> Admission {
        if !self.selection.admits(name) {
            return Admission::None;
        }
        let registry = self.recorder.registry();
        let keeps_declarations = self.recorder.backend().keeps_declarations();
        let known = registry.declared(name);
        let of_the_type = match (self.selection.declared_as, known) {
            (None, _) => true,
            (Some(wanted), Some(known)) => known.type_id == wanted.type_id,
            (Some(_), None) => keeps_declarations || self.selection.pattern.exact_key().is_some(),
        };
        if !of_the_type {
            return Admission::None;
        }
        if keeps_declarations {
            return Admission::From(0);
        }
        let retention = known
            .and_then(|declared| declared.retention)
            .unwrap_or(self.recorder.options().retention);
        Admission::From(retention.cutoff_ms(now_ms()).unwrap_or(0))
    }
}

enum Admission {
    None,
    From(u64),
}

/// How a value is made of a row's version and JSON: [`Persist::from_stored`](crate::Persist::from_stored), or this:
pub(crate) type FromStored<T> = fn(u32, &str) -> Result<T, DecodeError>;

/// What any type does that declares nothing.
fn whatever_version<T: DeserializeOwned>(_: u32, json: &str) -> Result<T, DecodeError> {
    decode(json)
}

/// Decodes rows, and keeps count of those that do not decode.
struct Decoder<'a> {
    recorder: &'a Recorder,
    undecodable: Undecodable,
    skipped: usize,
}

impl<'a> Decoder<'a> {
    fn new(recorder: &'a Recorder, undecodable: Undecodable) -> Self {
        Self {
            recorder,
            undecodable,
            skipped: 0,
        }
    }

    fn decode<T>(
        &mut self,
        row: Row<'_>,
        from_stored: FromStored<T>,
    ) -> Result<Option<T>, PersistenceError> {
        let source = match from_stored(row.version, row.json) {
            Ok(value) => return Ok(Some(value)),
            Err(error) => error,
        };
        if self.undecodable == Undecodable::Fail {
            return Err(PersistenceError::Undecodable {
                record_name: row.record_name.to_owned(),
                stored_at: row.stored_at,
                type_name: type_name::<T>(),
                source,
            });
        }
        let event = || PersistenceEvent::Undecodable {
            record_name: row.record_name.to_owned(),
            stored_at: row.stored_at,
            reason: format!("not a `{}`: {source}", type_name::<T>()),
        };
        self.recorder.skip_undecodable(event, self.skipped == 0);
        self.skipped += 1;
        Ok(None)
    }
}

/// Every row of the selection as a `T`, page by page.
pub(crate) async fn values<T: Send>(
    recorder: &Recorder,
    selection: Selection,
    params: QueryParams,
    undecodable: Undecodable,
    from_stored: FromStored<T>,
) -> Result<Vec<T>, PersistenceError> {
    let mut reader = Reader::open(recorder, selection, params).await?;
    let mut decoder = Decoder::new(recorder, undecodable);
    let mut values = Vec::new();
    let mut page = reader.next_page().await?;
    while let Some(at_hand) = page {
        let rows = reader.rows(&at_hand);
        let mut next = pin!(reader.next_page());
        // Asked for now, so that the backend reads it while this one is decoded.
        let ready = poll_once(&mut next).await;
        for row in rows {
            values.extend(decoder.decode(row, from_stored)?);
        }
        page = match ready {
            Some(next) => {
                yield_now().await;
                next?
            }
            None => next.await?,
        };
    }
    Ok(values)
}

/// As [`values`], for a `T` that need not be `Send`: every page is fetched before the first row is decoded.
pub(crate) async fn values_at_once<T: DeserializeOwned>(
    recorder: &Recorder,
    selection: Selection,
    params: QueryParams,
    undecodable: Undecodable,
) -> Result<Vec<T>, PersistenceError> {
    let mut reader = Reader::open(recorder, selection, params).await?;
    let mut pages = Vec::new();
    while let Some(page) = reader.next_page().await? {
        pages.push(page);
    }
    let mut decoder = Decoder::new(recorder, undecodable);
    let mut values = Vec::new();
    for page in &pages {
        for row in reader.rows(page) {
            values.extend(decoder.decode(row, whatever_version::<T>)?);
        }
    }
    Ok(values)
}

/// Every row of the selection as it is stored.
pub(crate) async fn stored_values(
    recorder: &Recorder,
    selection: Selection,
    params: QueryParams,
) -> Result<Vec<StoredValue>, PersistenceError> {
    let bounds = Bounds {
        rows: usize::MAX,
        bytes: usize::MAX,
    };
    let mut values = Vec::new();
    let mut reader = Reader::open(recorder, selection, params).await?;
    read_values(&mut reader, bounds, &mut values).await?;
    Ok(values)
}

/// How much an answer may hold.
#[derive(Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) rows: usize,
    pub(crate) bytes: usize,
}

/// Appends rows up to the bounds; says whether there were more.
pub(crate) async fn read_values(
    reader: &mut Reader<'_>,
    bounds: Bounds,
    values: &mut Vec<StoredValue>,
) -> Result<bool, PersistenceError> {
    let mut decoder = Decoder::new(reader.recorder, Undecodable::Skip);
    let mut bytes = 0_usize;
    while let Some(page) = reader.next_page().await? {
        for row in reader.rows(&page) {
            bytes = bytes.saturating_add(row.record_name.len() + row.json.len());
            if values.len() == bounds.rows || bytes > bounds.bytes {
                return Ok(true);
            }
            if let Some(value) = decoder.decode(row, whatever_version)? {
                let record_name = row.record_name.to_owned();
                values.push(StoredValue {
                    record_name,
                    value,
                    stored_at: row.stored_at,
                });
            }
        }
        yield_now().await;
    }
    Ok(false)
}

/// What a type declares, with the identity that tells generic instances apart.
pub(crate) fn declared_as<T: 'static>(declaration: &crate::declaration::Declaration) -> DeclaredAs {
    DeclaredAs {
        type_id: TypeId::of::<T>(),
        template: declaration.template(),
        retention: declaration.retention(),
        version: declaration.version(),
        restore: declaration.restore(),
        fields: declaration.fields(),
    }
}
