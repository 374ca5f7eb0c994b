//! Reading: pages from the backend, decoded straight from their JSON text into the type asked for.

use std::any::type_name;
use std::future::ready;

use aimdb_persistence_backend::{
    BoxFuture, Page, PersistenceError, QueryParams, ReadRequest, Row, StoredValue,
};
use futures_lite::future::{poll_once, yield_now};
use serde::de::DeserializeOwned;

use crate::archive::event::PersistenceEvent;
use crate::declaration::versions::{FromStored, whatever_version};
use crate::query::selection::{Admission, Selection};
use crate::recorder::Recorder;

/// A page is decoded in one go: small enough to give other tasks of the executor their turn in between.
const PAGE_ROWS: usize = 1_000;
const PAGE_BYTES: usize = 256 * 1024;

/// Whether a row that does not decode ends the query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Undecodable {
    Skip,
    Fail,
}

/// Reads page after page: the next one while the caller is at work on the one before.
pub(crate) struct Reader<'a> {
    recorder: &'a Recorder,
    selection: Selection,
    request: ReadRequest,
    /// The page that is being read; `None` after the last.
    reading: Option<BoxFuture<'a, Result<Page, PersistenceError>>>,
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
            reading: Some(recorder.backend().read(request.clone())),
            request,
            has_seen_rows: false,
        })
    }

    /// The next page, or `None` after the last.
    pub(crate) async fn next_page(&mut self) -> Result<Option<Page>, PersistenceError> {
        let Some(reading) = self.reading.take() else {
            return match self.selection.malformed.take() {
                Some(error) if !self.has_seen_rows => Err(error.into()),
                _ => Ok(None),
            };
        };
        let page = reading.await?;
        self.has_seen_rows |= page.rows.names().iter().any(|n| self.selection.admits(n));
        if let Some(after) = &page.next {
            self.request.after = Some(after.clone());
            let mut reading = self.recorder.backend().read(self.request.clone());
            // The first poll hands the request over.
            self.reading = Some(match poll_once(&mut reading).await {
                Some(page) => Box::pin(ready(page)),
                None => reading,
            });
        }
        Ok(Some(page))
    }

    /// The page's rows that belong to the selection.
    pub(crate) fn rows<'p>(&self, page: &'p Page) -> impl Iterator<Item = Row<'p>> + use<'p> {
        let admitted: Vec<Admission> = page
            .rows
            .names()
            .iter()
            .map(|name| self.selection.admission(name, self.recorder))
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

/// Every row of the selection as a `T`, which need not be `Send`: every page is fetched before the first row is decoded.
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
