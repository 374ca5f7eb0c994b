//! One page of rows: series by series, several of them in one round trip.

use std::collections::VecDeque;

use aimdb_persistence_backend::{Order, Page, ReadRequest};
use tokio_postgres::Row;

use crate::connect::session::Session;
use crate::error::Failure;
use crate::layout::tables::Tables;
use crate::read::catalog::{Selected, Visible};
use crate::read::cursor::After;
use crate::read::moments::Moment;
use crate::write::recording::Place;

const ONE_NEWEST: &str = "SELECT stored_at, sequence, version, value FROM $rows r \
     WHERE source = $1 AND series = $2 AND (stored_at >= $8 OR sequence >= $9) \
         AND (stored_at, sequence) < ($3, $4) AND stored_at <= $3 AND stored_at >= $5 AND sequence < $6 \
     ORDER BY stored_at DESC, sequence DESC LIMIT $7";

const ONE_OLDEST: &str = "SELECT stored_at, sequence, version, value FROM $rows r \
     WHERE source = $1 AND series = $2 AND (stored_at >= $8 OR sequence >= $9) \
         AND (stored_at, sequence) > ($3, $4) AND stored_at >= $3 AND stored_at <= $5 AND sequence < $6 \
     ORDER BY stored_at, sequence LIMIT $7";

const SEVERAL_NEWEST: &str = "SELECT h.stored_at, h.sequence, h.version, h.value, k.number \
     FROM unnest($1::int4[], $2::int4[], $3::int8[], $4::int8[], $7::int8[], $8::int8[]) \
         WITH ORDINALITY k(source, series, moment, start, visible_from, visible_sequence, number) \
     CROSS JOIN LATERAL (SELECT stored_at, sequence, version, value FROM $rows r \
         WHERE source = k.source AND series = k.series AND (stored_at >= k.visible_from OR sequence >= k.visible_sequence) \
             AND stored_at >= k.start AND stored_at <= $5 AND sequence < k.moment \
         ORDER BY stored_at DESC, sequence DESC LIMIT $6) h";

const SEVERAL_OLDEST: &str = "SELECT h.stored_at, h.sequence, h.version, h.value, k.number \
     FROM unnest($1::int4[], $2::int4[], $3::int8[], $4::int8[], $7::int8[], $8::int8[]) \
         WITH ORDINALITY k(source, series, moment, start, visible_from, visible_sequence, number) \
     CROSS JOIN LATERAL (SELECT stored_at, sequence, version, value FROM $rows r \
         WHERE source = k.source AND series = k.series AND (stored_at >= k.visible_from OR sequence >= k.visible_sequence) \
             AND stored_at >= k.start AND stored_at <= $5 AND sequence < k.moment \
         ORDER BY stored_at, sequence LIMIT $6) h";

const DOING: &str = "reading rows";

/// So many series are asked for at once.
const MOST_SERIES: usize = 512;

/// A first guess at how long a row's text is.
pub(crate) const USUAL_ROW_BYTES: usize = 128;

/// However long rows seem to be, so many are asked for at once.
const LEAST_ROWS: usize = 16;

/// A page on its way.
pub(crate) struct Filling<'a> {
    pub(crate) session: &'a mut Session,
    pub(crate) request: &'a ReadRequest,
    pub(crate) moment: &'a Moment,
    /// What cursors call the moment.
    pub(crate) moment_id: u64,
    /// How long the text of a row was so far.
    pub(crate) row_bytes: &'a mut usize,
    pub(crate) start: i64,
    pub(crate) end: i64,
    pub(crate) page: Page,
}

/// A series of which some rows have been shown.
struct Begun {
    series: Selected,
    place: Place,
    shown: usize,
}

impl Filling<'_> {
    /// Fills the page with rows of these series, from behind the place in the first of them, if there is one.
    pub(crate) async fn fill(
        mut self,
        series: impl Iterator<Item = Selected>,
        after: Option<&After>,
    ) -> Result<Page, Failure> {
        let mut series = series;
        let limit = self.request.limit_per_record.unwrap_or(usize::MAX);
        let mut waiting = VecDeque::new();
        let mut begun = None;
        if let Some(after) = after
            && let Some(first) = series.next()
        {
            match first.source == after.source && *first.record_name == *after.record_name {
                true => {
                    begun = Some(Begun {
                        series: first,
                        place: after.place,
                        shown: usize::try_from(after.shown).unwrap_or(usize::MAX),
                    })
                }
                false => waiting.push_back(first),
            }
        }
        let mut width = 1;
        loop {
            if let Some(this) = begun.take() {
                if this.shown >= limit {
                    continue;
                }
                match self.go_on(this, limit).await? {
                    Went::Full => return Ok(self.page),
                    Went::OnWithin(this) => begun = Some(this),
                    Went::ToTheEnd => {}
                }
                continue;
            }
            let (wanted, each) = self.shares(limit, width);
            while waiting.len() < wanted
                && let Some(next) = series.next()
            {
                waiting.push_back(next);
            }
            // One statement reads the same tables.
            let of_first = waiting.front().map(|series| series.tables);
            let alike = waiting
                .iter()
                .take_while(|series| Some(series.tables) == of_first);
            let alike = alike.count().min(wanted);
            let group: Vec<_> = waiting.drain(..alike).collect();
            if group.is_empty() || limit == 0 {
                return Ok(self.page);
            }
            match self.several(&group, each, limit).await? {
                Several::Full => return Ok(self.page),
                Several::All => width = (width * 2).min(MOST_SERIES),
                // There may be more of one of them: what came of those behind it is asked for again.
                Several::MoreOf(index, place) => {
                    let mut group = group.into_iter().skip(index);
                    if let Some(series) = group.next() {
                        begun = Some(Begun {
                            series,
                            place,
                            shown: each,
                        });
                    }
                    group.rev().for_each(|series| waiting.push_front(series));
                    width = 1;
                }
            }
        }
    }

    /// How many series to ask for at once, and how many rows of each.
    fn shares(&self, limit: usize, width: usize) -> (usize, usize) {
        let rows = self.rows_wanted();
        match rows / limit.max(1) {
            // All that is wanted of so many fits.
            series @ 1.. if limit < usize::MAX => (series.min(MOST_SERIES), limit),
            _ => (width, (rows / width).clamp(1, limit.max(1))),
        }
    }

    /// How many rows the page has room for, as far as that can be told.
    fn rows_wanted(&self) -> usize {
        let rows = self
            .request
            .max_rows
            .max(1)
            .saturating_sub(self.page.rows.len());
        let bytes = self
            .request
            .max_bytes
            .saturating_sub(self.page.rows.text_bytes());
        rows.min((bytes / (*self.row_bytes).max(1)).max(LEAST_ROWS))
    }

    async fn go_on(&mut self, mut this: Begun, limit: usize) -> Result<Went, Failure> {
        let wanted = self.rows_wanted().min(limit - this.shown);
        let Visible {
            from_ms, sequence, ..
        } = this.series.visible;
        let start = this.series.visible.start(self.start);
        let (sql, place, bound) = match self.request.order {
            Order::NewestFirst => (ONE_NEWEST, this.place.min(Place::last_at(self.end)), start),
            Order::OldestFirst => {
                let first = Place {
                    stored_at: start,
                    sequence: -1,
                };
                (ONE_OLDEST, this.place.max(first), self.end)
            }
        };
        let Selected { source, id, .. } = this.series;
        let sql = sql.replace("$rows", &this.series.tables.sql());
        let (moment, limit_now) = (self.moment_of(source), to_i64(wanted));
        let params: [&(dyn tokio_postgres::types::ToSql + Sync); 9] = [
            &source,
            &id,
            &place.stored_at,
            &place.sequence,
            &bound,
            &moment,
            &limit_now,
            &from_ms,
            &sequence,
        ];
        let mut rows = self.session.stream(&sql, &params, DOING).await?;
        let mut given = 0;
        while let Some(row) = self.session.next(&mut rows, DOING).await? {
            given += 1;
            this.shown += 1;
            this.place = Place::of(&row, 0);
            if self.push(&this.series, &row, this.shown) {
                return Ok(Went::Full);
            }
        }
        self.learn_row_bytes();
        match given < wanted || this.shown >= limit {
            true => Ok(Went::ToTheEnd),
            false => Ok(Went::OnWithin(this)),
        }
    }

    async fn several(
        &mut self,
        group: &[Selected],
        each: usize,
        limit: usize,
    ) -> Result<Several, Failure> {
        let sources: Vec<i32> = group.iter().map(|series| series.source).collect();
        let ids: Vec<i32> = group.iter().map(|series| series.id).collect();
        let moments: Vec<i64> = sources
            .iter()
            .map(|source| self.moment_of(*source))
            .collect();
        let visible = || group.iter().map(|series| series.visible);
        let starts: Vec<i64> = visible().map(|visible| visible.start(self.start)).collect();
        let visible_from: Vec<i64> = visible().map(|visible| visible.from_ms).collect();
        let visible_sequences: Vec<i64> = visible().map(|visible| visible.sequence).collect();
        let sql = match self.request.order {
            Order::NewestFirst => SEVERAL_NEWEST,
            Order::OldestFirst => SEVERAL_OLDEST,
        };
        let most = to_i64(each);
        let params: [&(dyn tokio_postgres::types::ToSql + Sync); 8] = [
            &sources,
            &ids,
            &moments,
            &starts,
            &self.end,
            &most,
            &visible_from,
            &visible_sequences,
        ];
        let tables = group.first().map_or(Tables::NONE, |series| series.tables);
        let sql = sql.replace("$rows", &tables.sql());
        // The server may give the series in another order than they were asked for.
        let mut rows = self.session.query(&sql, &params, DOING).await?;
        rows.sort_by_key(|row| row.get::<_, i64>(4));
        let may_have_more = each < limit;
        let (mut index, mut given, mut last) = (usize::MAX, 0, None);
        for row in &rows {
            let number = usize::try_from(row.get::<_, i64>(4) - 1).unwrap_or(usize::MAX);
            let Some(series) = group.get(number) else {
                continue;
            };
            if number != index {
                if let Some(place) = last.filter(|_| may_have_more && given == each) {
                    return Ok(Several::MoreOf(index, place));
                }
                (index, given) = (number, 0);
            }
            given += 1;
            last = Some(Place::of(row, 0));
            if self.push(series, row, given) {
                return Ok(Several::Full);
            }
        }
        self.learn_row_bytes();
        Ok(match last.filter(|_| may_have_more && given == each) {
            Some(place) => Several::MoreOf(index, place),
            None => Several::All,
        })
    }

    fn moment_of(&self, source: i32) -> i64 {
        self.moment.get(&source).copied().unwrap_or(0)
    }

    /// Appends the row. Says whether the page is full; its cursor then leads behind this row.
    fn push(&mut self, series: &Selected, row: &Row, shown: usize) -> bool {
        let place = Place::of(row, 0);
        let version: Option<i32> = row.get(2);
        let rows = &mut self.page.rows;
        let stored_at = place.stored_at.cast_unsigned();
        let version = version.unwrap_or(0).cast_unsigned();
        rows.push_of_source(
            &series.source_name,
            &series.record_name,
            stored_at,
            row.get(3),
            version,
        );
        let is_full =
            rows.len() >= self.request.max_rows || rows.text_bytes() >= self.request.max_bytes;
        if is_full {
            let after = After {
                record_name: (*series.record_name).into(),
                source: series.source,
                place,
                shown: shown as u64,
                moment: self.moment_id,
            };
            self.page.next = Some(after.into_cursor());
            self.learn_row_bytes();
        }
        is_full
    }

    fn learn_row_bytes(&mut self) {
        let rows = &self.page.rows;
        if let Some(bytes) = rows.text_bytes().checked_div(rows.len()) {
            *self.row_bytes = bytes.max(1);
        }
    }
}

enum Went {
    Full,
    OnWithin(Begun),
    ToTheEnd,
}

enum Several {
    Full,
    /// There is no more of any.
    All,
    /// Of the one with this index there may be more, behind this place.
    MoreOf(usize, Place),
}

fn to_i64(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
