//! The rows of one remote answer: some of each series, so that none starves the others.

use std::time::Instant;

use aimdb_persistence_backend::{
    Cursor, Order, Page, Pattern, PersistenceError, QueryParams, ReadRequest, Row, Rows,
    StoredValue,
};
use futures_lite::future::yield_now;
use serde_json::Value;

use crate::archive::Archive;
use crate::declaration::versions::whatever_version;
use crate::query::decoding::{Decoded, Decoder};
use crate::query::remote::place::{Open, Place};
use crate::query::remote::room::{Room, row_bytes};
use crate::time::within;

/// What a place of a series takes in a cursor beside its name, roughly.
const LEAST_PLACE_BYTES: usize = 64;

/// What a remote client gets.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    /// By record, then newest first.
    pub(crate) rows: Vec<StoredValue>,
    /// There are more.
    pub(crate) is_truncated: bool,
    /// With this for a name, a client goes on.
    pub(crate) cursor: Option<String>,
    /// Rows that no answer has room for.
    pub(crate) too_large: u64,
    /// The first of them.
    pub(crate) first_too_large: Option<(String, u64)>,
}

/// An answer that is being put together.
pub(crate) struct Answering<'a> {
    pub(crate) archive: &'a Archive,
    pub(crate) place: Place,
    pub(crate) room: Room,
    pub(crate) until: Instant,
    pub(crate) ran_late: bool,
    pub(crate) answer: Answer,
    decoder: Decoder<Value>,
    /// What the cursor takes for series that have more.
    cursor_bytes: usize,
}

/// How much one series may take. Its first row may take more.
struct Share {
    rows: usize,
    bytes: usize,
    is_empty: bool,
}

/// What is left of a series.
enum Rest {
    Nothing,
    More(Open),
    /// None of it was taken.
    Everything,
}

impl<'a> Answering<'a> {
    pub(crate) fn new(archive: &'a Archive, place: Place, room: Room, until: Instant) -> Self {
        Self {
            archive,
            place,
            room,
            until,
            ran_late: false,
            answer: Answer::default(),
            decoder: Decoder::new(whatever_version::<Value>, false),
            cursor_bytes: 0,
        }
    }

    /// First the series that no answer has shown anything of, then those that have more, the one that waits longest
    /// first.
    pub(crate) async fn fill(&mut self, new: &Rows) -> Result<(), PersistenceError> {
        let old = std::mem::take(&mut self.place.open);
        self.cursor_bytes = old.iter().map(Open::text_bytes).sum();
        let mut waiting = new.len() + old.len();
        let mut more = Vec::new();
        for row in new.iter() {
            match self.begin_series(row, waiting).await? {
                Rest::Everything => {
                    self.answer.is_truncated = true;
                    break;
                }
                Rest::More(open) => {
                    self.cursor_bytes += open.text_bytes();
                    more.push(open);
                }
                Rest::Nothing => {}
            }
            self.place.after = Some(row.record_name.to_owned());
            waiting -= 1;
        }
        for open in old {
            match self.go_on(open.clone(), waiting).await? {
                Rest::Everything => more.push(open),
                Rest::More(open) => more.push(open),
                Rest::Nothing => {}
            }
            waiting = waiting.saturating_sub(1);
        }
        self.answer.is_truncated |= !more.is_empty();
        self.place.open = more;
        self.decoder.report(self.archive)
    }

    async fn begin_series(
        &mut self,
        newest: Row<'_>,
        waiting: usize,
    ) -> Result<Rest, PersistenceError> {
        let mut share = self.share(waiting);
        let limit = self.place.params.limit_per_record;
        let place_bytes = newest.record_name.len() + 2 * LEAST_PLACE_BYTES;
        if limit == Some(1) || place_bytes > self.room.cursor_bytes {
            if !self.take(newest, &mut share) {
                return Ok(Rest::Everything);
            }
            if limit != Some(1) {
                // No cursor has room for the name, so the newest row is all that a client gets.
                self.leave_out(newest);
            }
            return Ok(Rest::Nothing);
        }
        if self.cursor_bytes + place_bytes > self.room.cursor_bytes {
            return Ok(Rest::Everything);
        }
        self.take_series(newest.record_name, None, limit, share)
            .await
    }

    async fn go_on(&mut self, open: Open, waiting: usize) -> Result<Rest, PersistenceError> {
        let share = self.share(waiting);
        let (key, left) = (open.cursor.record_name().to_owned(), open.left);
        self.take_series(&key, Some(open.cursor), left, share).await
    }

    /// Takes rows of one series while there is room.
    async fn take_series(
        &mut self,
        key: &str,
        mut after: Option<Cursor>,
        mut left: Option<usize>,
        mut share: Share,
    ) -> Result<Rest, PersistenceError> {
        let mut rest = Rest::Everything;
        while self.room.rows > 0 && (share.is_empty || share.rows > 0) {
            let rows = share.rows.max(1).min(left.unwrap_or(usize::MAX));
            let from = after.clone();
            let Some(page) = self.read(key, from, rows, share.bytes.max(1)).await? else {
                break;
            };
            let before = self.answer.rows.len();
            let taken = page
                .rows
                .iter()
                .take_while(|row| self.take(*row, &mut share));
            let taken = taken.count();
            let mut next = page.next;
            if taken < page.rows.len() {
                if taken == 0 {
                    break;
                }
                // The place behind the last row that had room.
                let Some(up_to_there) = self.read(key, after, taken, usize::MAX).await? else {
                    self.answer.rows.truncate(before);
                    break;
                };
                next = up_to_there.next;
            }
            left = left.map(|left| left.saturating_sub(taken));
            let Some(cursor) = next.filter(|_| left != Some(0)) else {
                return Ok(Rest::Nothing);
            };
            after = Some(cursor.clone());
            rest = Rest::More(Open { cursor, left });
            if taken < page.rows.len() {
                break;
            }
            yield_now().await;
        }
        Ok(rest)
    }

    fn share(&self, waiting: usize) -> Share {
        let (rows, bytes) = self.room.shared_by(waiting);
        Share {
            rows,
            bytes,
            is_empty: true,
        }
    }

    /// Takes a row; false if there is no room for it.
    fn take(&mut self, row: Row<'_>, share: &mut Share) -> bool {
        let Decoded::Value(value) = self.decoder.decode(row) else {
            return true;
        };
        let bytes = row_bytes(row.record_name, &value);
        if bytes > self.room.largest_row {
            self.leave_out(row);
            share.take(0);
            return true;
        }
        let share_has_room = share.rows > 0 && bytes <= share.bytes;
        if self.room.rows == 0 || bytes > self.room.bytes || !(share_has_room || share.is_empty) {
            return false;
        }
        share.take(bytes);
        self.room.take(bytes);
        self.answer.rows.push(StoredValue {
            record_name: row.record_name.to_owned(),
            value,
            stored_at: row.stored_at,
        });
        true
    }

    /// Tells of a row that no answer has room for.
    fn leave_out(&mut self, row: Row<'_>) {
        let first = || (row.record_name.to_owned(), row.stored_at);
        self.answer.first_too_large.get_or_insert_with(first);
        self.answer.too_large += 1;
    }

    /// `None` if there is no time left.
    async fn read(
        &mut self,
        key: &str,
        after: Option<Cursor>,
        rows: usize,
        bytes: usize,
    ) -> Result<Option<Page>, PersistenceError> {
        let QueryParams {
            start_time,
            end_time,
            ..
        } = self.place.params;
        let mut request = ReadRequest::new(Pattern::exact(key))
            .with_order(Order::NewestFirst)
            .with_times(start_time, end_time)
            .with_page(rows, bytes);
        request.after = after;
        let time = self.until.saturating_duration_since(Instant::now());
        match within(time, self.archive.backend().read(request)).await {
            Some(page) => Ok(Some(page?)),
            None => {
                self.ran_late = true;
                Ok(None)
            }
        }
    }
}

impl Share {
    fn take(&mut self, bytes: usize) {
        self.is_empty = false;
        self.rows = self.rows.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(bytes);
    }
}
