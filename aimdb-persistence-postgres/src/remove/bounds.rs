//! Sweeping without deleting: the bound from which on a series is visible is raised, and partitions drop that lie below the bounds
//! of all.

use std::collections::BTreeMap;

use aimdb_persistence_backend::{Retention, SweepRequest};

use crate::error::Failure;
use crate::layout::declared::FOREVER;
use crate::layout::tables::{self, PLAIN, Tables, class_of};
use crate::remove::expired::{Expiry, Target};
use crate::write::recording::Recording;

const COUNT: &str = "SELECT count(*) FROM unnest($2::int4[], $3::int8[]) k(series, bound) \
     JOIN series s ON s.source = $1 AND s.id = k.series \
     JOIN $rows h ON h.source = $1 AND h.series = k.series AND h.stored_at < k.bound \
         AND h.stored_at >= CASE WHEN s.is_late THEN 0 ELSE s.visible_from_ms END \
         AND (h.stored_at >= s.visible_from_ms OR h.sequence >= s.visible_sequence)";

const RAISE: &str = "UPDATE series s SET visible_from_ms = k.bound, visible_sequence = $4, is_late = false \
     FROM unnest($2::int4[], $3::int8[]) k(series, bound) \
     WHERE s.source = $1 AND s.id = k.series AND (s.visible_from_ms < k.bound OR s.is_late)";

/// A source that nobody holds any more would keep every partition for ever. Its rows are swept as it was declared, by the
/// server's clock.
const RAISE_OF_SILENT: &str = "WITH silent AS (UPDATE source SET generation = generation + 1 \
         WHERE seen_at < now() - interval '1 day' AND EXISTS (SELECT 1 FROM series WHERE source = source.id AND class > 0) \
         RETURNING id, next_sequence, (extract(epoch FROM now()) * 1000)::int8 AS now_ms, default_retention_ms) \
     UPDATE series s SET visible_from_ms = silent.now_ms - coalesce(s.retention_ms, silent.default_retention_ms), \
         visible_sequence = silent.next_sequence, is_late = false \
     FROM silent WHERE s.source = silent.id AND s.class > 0 AND NOT (0::int2 = ANY(s.former)) \
         AND coalesce(s.retention_ms, silent.default_retention_ms) >= 0 \
         AND silent.now_ms - coalesce(s.retention_ms, silent.default_retention_ms) > s.visible_from_ms";

const SET_DEFAULT: &str = "UPDATE source SET default_retention_ms = $2 WHERE id = $1";

const CHANGE_CLASS: &str = "UPDATE series SET former = array_append(array_remove(former, $2), class), class = $2 \
     WHERE source = $1 AND retention_ms IS NULL AND keep_last = 0 AND max_rows IS NULL AND class <> $2";

/// Of a class that a series has left, and in which it has no rows any more.
const LEAVE: &str = "UPDATE series s SET former = array_remove(former, $2) WHERE source = $1 AND $2 = ANY(former) \
     AND NOT EXISTS (SELECT 1 FROM $table h WHERE h.source = s.source AND h.series = s.id)";

const DOING: &str = "sweeping expired rows";

/// Series without a retention of their own go to the class of the program's.
pub(crate) async fn settle_classes(
    recording: &mut Recording,
    request: &SweepRequest,
) -> Result<(), Failure> {
    let default = match request.default_retention {
        Retention::Forever => FOREVER,
        Retention::Milliseconds(length) => i64::try_from(length).unwrap_or(i64::MAX),
    };
    let source = recording.source;
    if recording.default_retention_ms != Some(default) {
        recording.begin_change(DOING).await?;
        let changed = change_classes(recording, default).await;
        recording.end_change(DOING, changed).await?;
        recording.default_retention_ms = Some(default);
        recording.series.clear();
    }
    for class in Tables::ALL.classes() {
        let leave = LEAVE.replace("$table", tables::table(class));
        recording
            .session
            .execute(&leave, &[&source, &class], DOING)
            .await?;
    }
    Ok(())
}

async fn change_classes(recording: &mut Recording, default: i64) -> Result<(), Failure> {
    let (source, class) = (recording.source, class_of(Some(default)));
    let session = &mut recording.session;
    session
        .execute(SET_DEFAULT, &[&source, &default], DOING)
        .await?;
    session
        .execute(CHANGE_CLASS, &[&source, &class], DOING)
        .await
        .map(drop)
}

/// Takes the targets out for which a bound is all that is needed, and raises theirs. Says how many rows have become invisible.
pub(crate) async fn raise(
    recording: &mut Recording,
    expiry: &Expiry,
    targets: &mut Vec<Target>,
) -> Result<u64, Failure> {
    let mut bounds: BTreeMap<Tables, (Vec<i32>, Vec<i64>)> = BTreeMap::new();
    targets.retain(|target| match target.bound_ms(expiry) {
        Some(bound_ms) => {
            let (series, times) = bounds.entry(target.tables).or_default();
            series.push(target.series);
            times.push(bound_ms);
            false
        }
        None => true,
    });
    if bounds.is_empty() {
        return Ok(0);
    }
    recording.begin_change(DOING).await?;
    let raised = raise_all(recording, &bounds).await;
    let removed = recording.end_change(DOING, raised).await?;
    recording.series.clear();
    Ok(removed)
}

async fn raise_all(
    recording: &mut Recording,
    bounds: &BTreeMap<Tables, (Vec<i32>, Vec<i64>)>,
) -> Result<u64, Failure> {
    let Recording {
        source,
        next_sequence,
        ..
    } = *recording;
    let mut removed = 0;
    for (tables, (series, bounds)) in bounds {
        let count = COUNT.replace("$rows", &tables.sql());
        let session = &mut recording.session;
        let counted = session
            .query(&count, &[&source, series, bounds], DOING)
            .await?;
        removed += counted
            .first()
            .map_or(0, |row| row.get::<_, i64>(0))
            .unsigned_abs();
        session
            .execute(RAISE, &[&source, series, bounds, &next_sequence], DOING)
            .await?;
    }
    Ok(removed)
}

/// Raises the bounds of sources that nobody holds any more, and drops what lies below all bounds. Where that fails, the next sweep
/// does it.
pub(crate) async fn maintain(recording: &mut Recording) -> Result<(), Failure> {
    let session = &mut recording.session;
    session
        .execute(RAISE_OF_SILENT, &[], "sweeping silent sources")
        .await?;
    session
        .run("SELECT maintain()", "dropping partitions")
        .await
}

impl Tables {
    fn classes(self) -> impl Iterator<Item = i16> {
        PLAIN..self.each().count() as i16
    }
}
