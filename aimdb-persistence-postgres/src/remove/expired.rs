//! The rows of each series that are to be removed.

use aimdb_persistence_backend::{Retention, SweepRequest};

use crate::error::Failure;
use crate::layout::declared::FOREVER;
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
    series: i32,
    /// Rows up to here have expired.
    expired: Option<Place>,
    keep_last: i64,
    /// The newest row of those to keep has this time at most.
    latest_ms: i64,
    max_rows: Option<i64>,
}

/// The rows of a series between two places, both inclusive.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Range {
    pub(crate) series: i32,
    pub(crate) start: Place,
    pub(crate) end: Place,
}

const SERIES: &str = "SELECT id, retention_ms, keep_last, max_rows FROM series WHERE source = $1";

/// Of these series those with rows before their times.
const WITH_EXPIRED_ROWS: &str = "SELECT k.series FROM unnest($2::int4[], $3::int8[]) k(series, last) \
     WHERE EXISTS (SELECT 1 FROM history WHERE source = $1 AND series = k.series AND stored_at <= k.last)";

/// The row so many rows below the newest one up to a time.
const NTH_NEWEST: &str = "SELECT stored_at, sequence FROM history WHERE source = $1 AND series = $2 AND stored_at <= $3 \
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
            series: row.get(0),
            expired: before(*cutoff_ms),
            keep_last: 0,
            latest_ms: i64::MAX,
            max_rows: None,
        },
        Expiry::Retention(request) => Target {
            series: row.get(0),
            expired: cutoff_ms(request, row.get(1)).and_then(before),
            keep_last: row.get(2),
            latest_ms: latest_ms(request),
            max_rows: row.get(3),
        },
    });
    let targets: Vec<Target> = targets.collect();
    let (series, last): (Vec<i32>, Vec<i64>) = targets
        .iter()
        .filter_map(|target| Some((target.series, target.expired?.stored_at)))
        .unzip();
    let expired = recording
        .session
        .query(WITH_EXPIRED_ROWS, &[&source, &series, &last], DOING)
        .await?;
    let expired: std::collections::HashSet<i32> = expired.iter().map(|row| row.get(0)).collect();
    let has_any = |target: Target| Target {
        expired: target.expired.filter(|_| expired.contains(&target.series)),
        ..target
    };
    let mut targets: Vec<_> = targets.into_iter().map(has_any).collect();
    targets.retain(|target| target.expired.is_some() || target.max_rows.is_some());
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
                NTH_NEWEST,
                &[&source, &self.series, &latest_ms, &rows],
                DOING,
            )
            .await?;
        Ok(found.first().map(|row| Place::of(row, 0)))
    }
}
