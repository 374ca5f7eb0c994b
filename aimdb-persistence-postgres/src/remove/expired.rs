//! The rows of each series that are to be removed.

use std::collections::{BTreeMap, HashSet};

use aimdb_persistence_backend::{Retention, SweepRequest};

use crate::error::Failure;
use crate::layout::declared::FOREVER;
use crate::layout::tables::Tables;
use crate::write::recording::{Place, Recording};

/// What is to be removed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Expiry {
    /// Per series, by its retention and by how many rows it is to keep.
    Retention(SweepRequest),
    /// Everything before this time.
    Before(u64),
}

/// A series that may have rows to be removed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target {
    pub(crate) series: i32,
    pub(crate) tables: Tables,
    /// Rows before this time are invisible already.
    visible_from_ms: i64,
    /// Rows up to here have expired, if there are any.
    expired: Option<Place>,
    cutoff_ms: Option<i64>,
    keep_last: i64,
    /// The newest row of those to keep has this time at most.
    latest_ms: i64,
    max_rows: Option<i64>,
}

/// The rows of a series between two places, both inclusive.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Range {
    pub(crate) series: i32,
    pub(crate) tables: Tables,
    pub(crate) start: Place,
    pub(crate) end: Place,
}

const SERIES: &str = "SELECT id, retention_ms, keep_last, max_rows, class, former, visible_from_ms FROM series WHERE source = $1";

/// Of these series those with rows before their times.
const WITH_EXPIRED_ROWS: &str = "SELECT k.series FROM unnest($2::int4[], $3::int8[]) k(series, last) \
     JOIN series s ON s.source = $1 AND s.id = k.series \
     WHERE EXISTS (SELECT 1 FROM $rows h WHERE h.source = $1 AND h.series = k.series AND h.stored_at <= k.last \
         AND (h.stored_at >= s.visible_from_ms OR h.sequence >= s.visible_sequence))";

/// The row so many rows below the newest one up to a time.
const NTH_NEWEST: &str = "SELECT stored_at, sequence FROM $rows h WHERE source = $1 AND series = $2 AND stored_at <= $3 \
         AND (stored_at >= (SELECT visible_from_ms FROM series WHERE source = $1 AND id = $2) \
             OR sequence >= (SELECT visible_sequence FROM series WHERE source = $1 AND id = $2)) \
     ORDER BY stored_at DESC, sequence DESC OFFSET $4 LIMIT 1";

const DOING: &str = "looking for expired rows";

/// The series that may have rows to be removed, each with what is known of them at once.
pub(crate) async fn targets(
    recording: &mut Recording,
    expiry: &Expiry,
) -> Result<Vec<Target>, Failure> {
    let source = recording.source;
    let series = recording.session.query(SERIES, &[&source], DOING).await?;
    let targets = series.iter().map(|row| match expiry {
        Expiry::Before(cutoff_ms) => Target {
            cutoff_ms: None,
            series: row.get(0),
            tables: Tables::of(row.get(4), &row.get::<_, Vec<i16>>(5)),
            visible_from_ms: row.get(6),
            expired: before(*cutoff_ms),
            keep_last: 0,
            latest_ms: i64::MAX,
            max_rows: None,
        },
        Expiry::Retention(request) => Target {
            cutoff_ms: cutoff_ms(request, row.get(1)).and_then(|ms| i64::try_from(ms).ok()),
            series: row.get(0),
            tables: Tables::of(row.get(4), &row.get::<_, Vec<i16>>(5)),
            visible_from_ms: row.get(6),
            expired: cutoff_ms(request, row.get(1)).and_then(before),
            keep_last: row.get(2),
            latest_ms: latest_ms(request),
            max_rows: row.get(3),
        },
    });
    let targets: Vec<Target> = targets.collect();
    let mut by_tables: BTreeMap<Tables, (Vec<i32>, Vec<i64>)> = BTreeMap::new();
    for target in &targets {
        if let Some(last) = target.expired {
            let (series, times) = by_tables.entry(target.tables).or_default();
            series.push(target.series);
            times.push(last.stored_at);
        }
    }
    let mut expired = HashSet::new();
    for (tables, (series, last)) in by_tables {
        let sql = WITH_EXPIRED_ROWS.replace("$rows", &tables.sql());
        let found = recording
            .session
            .query(&sql, &[&source, &series, &last], DOING)
            .await?;
        expired.extend(found.iter().map(|row| row.get::<_, i32>(0)));
    }
    let has_any = |target: Target| Target {
        expired: target.expired.filter(|_| expired.contains(&target.series)),
        ..target
    };
    let mut targets: Vec<_> = targets.into_iter().map(has_any).collect();
    // A bound is raised where no row has expired as well: partitions wait for it.
    targets.retain(|target| {
        target.expired.is_some() || target.max_rows.is_some() || target.bound_ms(expiry).is_some()
    });
    Ok(targets)
}

fn cutoff_ms(request: &SweepRequest, retention_ms: Option<i64>) -> Option<u64> {
    let retention = match retention_ms {
        None => request.default_retention,
        Some(FOREVER) => Retention::Forever,
        Some(length) => u64::try_from(length).map_or(Retention::Forever, Retention::Milliseconds),
    };
    retention.cutoff_ms(request.now_ms)
}

fn latest_ms(request: &SweepRequest) -> i64 {
    let latest_ms = request.now_ms.saturating_add(request.max_ahead_ms);
    i64::try_from(latest_ms).unwrap_or(i64::MAX)
}

/// The last place before a time.
fn before(cutoff_ms: u64) -> Option<Place> {
    let last = cutoff_ms.checked_sub(1)?;
    Some(Place::last_at(i64::try_from(last).unwrap_or(i64::MAX)))
}

impl Target {
    /// The time before which nothing of it is to be visible, where that is all that has to be said: its rows are kept by their
    /// age alone, and lie in partitions.
    pub(crate) fn bound_ms(&self, expiry: &Expiry) -> Option<i64> {
        let by_age_alone =
            self.keep_last == 0 && self.max_rows.is_none() && !self.tables.has_plain();
        let is_sweep = matches!(expiry, Expiry::Retention(_));
        self.cutoff_ms
            .filter(|ms| is_sweep && by_age_alone && *ms >= self.visible_from_ms)
    }

    /// What is to be removed of it.
    pub(crate) async fn range(self, recording: &mut Recording) -> Result<Option<Range>, Failure> {
        let mut end = self.expired;
        if self.keep_last > 0 && end.is_some() {
            let floor = self
                .nth_newest(recording, self.latest_ms, self.keep_last)
                .await?;
            end = end.min(floor);
        }
        if let Some(rows) = self.max_rows {
            end = end.max(self.nth_newest(recording, i64::MAX, rows).await?);
        }
        let start = Place::first_at(0);
        Ok(end.map(|end| Range {
            series: self.series,
            tables: self.tables,
            start,
            end,
        }))
    }

    async fn nth_newest(
        self,
        recording: &mut Recording,
        latest_ms: i64,
        rows: i64,
    ) -> Result<Option<Place>, Failure> {
        let source = recording.source;
        let found = recording
            .session
            .query(
                &NTH_NEWEST.replace("$rows", &self.tables.sql()),
                &[&source, &self.series, &latest_ms, &rows],
                DOING,
            )
            .await?;
        Ok(found.first().map(|row| Place::of(row, 0)))
    }
}
