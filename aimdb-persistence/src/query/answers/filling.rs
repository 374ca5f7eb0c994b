//! Buckets, as they are filled.

use std::collections::BTreeMap;

use crate::aggregate::percentiles::Values;
use crate::aggregate::summary::{Sample, Summary};
use crate::aggregate::width::Width;
use crate::query::answers::bucket::{Bucket, Gaps};
use crate::query::answers::numbers::Sink;
use aimdb_persistence_backend::PersistenceError;
use aimdb_persistence_backend::json::Number;
use aimdb_persistence_packed::statistics::{Reading, on_line};
use aimdb_persistence_packed::statistics::{Stretch, Window};

/// An answer has no more buckets than this: they are all in memory.
const MOST_BUCKETS: usize = 100_000;

/// By the time at which they begin.
type Cells = BTreeMap<u64, Cell>;

/// What is known of a bucket.
#[derive(Debug, Default)]
struct Cell {
    summary: Summary,
    end_ms: u64,
    /// What was in force when it began.
    held: Mean,
    /// What lies on a straight line at its middle.
    line: Mean,
}

/// Of the series that have something to say.
#[derive(Debug, Default)]
struct Mean {
    sum: f64,
    count: u32,
}

pub(crate) struct Filling {
    width: Width,
    gaps: Gaps,
    in_force: bool,
    combined: bool,
    /// The bucket of the last row.
    open: Option<Window>,
    values: Values,
    of_series: Cells,
    total: Cells,
    /// The time of all series, where they are combined.
    total_window: Option<Window>,
    buckets: Vec<Bucket>,
    too_many: bool,
}

impl Filling {
    pub(crate) fn new(
        width: Width,
        gaps: Gaps,
        in_force: bool,
        combined: bool,
        percents: &[f64],
    ) -> Self {
        Self {
            width,
            gaps,
            in_force,
            combined,
            open: None,
            values: Values::wanting(percents),
            of_series: BTreeMap::new(),
            total: BTreeMap::new(),
            total_window: None,
            buckets: Vec::new(),
            too_many: false,
        }
    }

    /// # Errors
    /// Where they are too many.
    pub(crate) fn buckets(mut self) -> Result<Vec<Bucket>, PersistenceError> {
        if let Some(window) = self.total_window {
            let cells = std::mem::take(&mut self.total);
            self.push(None, cells, window);
        }
        if self.too_many {
            return Err(PersistenceError::InvalidQuery {
                reason: format!(
                    "the answer has more than {MOST_BUCKETS} buckets; ask for longer ones, a shorter time, or fewer series"
                ),
            });
        }
        self.buckets
            .sort_by(|a, b| (&a.record_name, a.start_ms).cmp(&(&b.record_name, b.start_ms)));
        Ok(self.buckets)
    }

    /// The bucket of a time. The one of the last row is remembered: most rows share it with the next.
    fn bucket_of(&self, at_ms: u64) -> Option<Window> {
        match self.open {
            Some(open) if (open.start_ms..open.end_ms).contains(&at_ms) => Some(open),
            _ => self.width.bucket(at_ms),
        }
    }

    fn cell(&mut self, bucket: Window) -> &mut Cell {
        let cell = self.of_series.entry(bucket.start_ms).or_default();
        cell.end_ms = bucket.end_ms;
        cell
    }

    fn close(&mut self) {
        if let Some(open) = self.open.take() {
            let percentiles = self.values.take_percentiles();
            self.cell(open).summary.percentiles = percentiles;
        }
    }

    fn has_room(&mut self) -> bool {
        let filling = self.of_series.len().max(self.total.len());
        self.too_many |= self.buckets.len() + filling > MOST_BUCKETS;
        !self.too_many
    }

    /// Each bucket that a window reaches into. Where gaps are left out, only the first one and the last one can have a row of
    /// the series in them.
    fn across(&mut self, window: Window, mut visit: impl FnMut(&mut Cell, Window)) {
        let mut at_ms = window.start_ms;
        while at_ms < window.end_ms && self.has_room() {
            // Beyond all calendars there are no buckets.
            let Some(bucket) = self.bucket_of(at_ms) else {
                return;
            };
            visit(self.cell(bucket), bucket);
            let last_ms = window.end_ms - 1;
            at_ms = match self.gaps {
                Gaps::Skip if !self.combined && bucket.end_ms <= last_ms => {
                    match self.bucket_of(last_ms) {
                        Some(last) => last.start_ms.max(bucket.end_ms),
                        None => return,
                    }
                }
                _ => bucket.end_ms,
            };
        }
    }

    /// Appends the buckets of a series that has been seen, or of all of them.
    fn push(&mut self, record_name: Option<&str>, mut cells: Cells, window: Window) {
        let bounds = match self.gaps {
            Gaps::Skip => Vec::new(),
            _ => self.outline(window, &cells),
        };
        let wanted: Vec<u64> = match self.gaps {
            Gaps::Skip => {
                let with_numbers = cells.iter().filter(|(_, cell)| cell.summary.count() > 0);
                with_numbers.map(|(start_ms, _)| *start_ms).collect()
            }
            _ => bounds,
        };
        for start_ms in wanted {
            let Some(bucket) = self.width.bucket(start_ms) else {
                return;
            };
            let mut cell = cells.remove(&start_ms).unwrap_or_default();
            cell.fill(self.gaps, bucket);
            self.buckets.push(Bucket {
                record_name: record_name.map(str::to_owned),
                start_ms: bucket.start_ms,
                end_ms: bucket.end_ms,
                summary: cell.summary,
            });
        }
        self.too_many |= self.buckets.len() > MOST_BUCKETS;
    }

    /// Where the buckets of a time begin. One that only begins at its end has to have a row there.
    fn outline(&mut self, window: Window, cells: &Cells) -> Vec<u64> {
        let mut starts = Vec::new();
        let mut at_ms = window.start_ms;
        while let Some(bucket) = self.width.bucket(at_ms) {
            let has_rows = cells
                .get(&bucket.start_ms)
                .is_some_and(|cell| cell.summary.count() + cell.summary.without_value() > 0);
            let begins_within = bucket.start_ms < window.end_ms || starts.is_empty();
            if !begins_within && !has_rows {
                break;
            }
            starts.push(bucket.start_ms);
            if self.buckets.len() + starts.len() > MOST_BUCKETS {
                self.too_many = true;
                break;
            }
            if bucket.end_ms > window.end_ms || bucket.end_ms <= at_ms {
                break;
            }
            at_ms = bucket.end_ms;
        }
        starts
    }
}

impl Sink for Filling {
    fn row(&mut self, at_ms: u64, number: Option<Number>, ascending: bool) -> bool {
        let Some(bucket) = self.bucket_of(at_ms) else {
            return true;
        };
        if self.open != Some(bucket) {
            self.close();
            self.open = Some(bucket);
        }
        let summary = &mut self.cell(bucket).summary;
        match number {
            Some(number) => {
                summary.of.take(Reading { at_ms, number }, ascending);
                self.values.add(number.to_f64());
            }
            None => summary.of.skip(),
        }
        self.has_room()
    }

    fn stretch(&mut self, stretch: &Stretch<Number>, window: Window, holds_ms: u64) -> bool {
        let (held, line) = (stretch.held(holds_ms), stretch.line(holds_ms));
        let known = line.map_or(held, |line| Window {
            start_ms: held.start_ms,
            end_ms: held.end_ms.max(line.end_ms),
        });
        let in_force = self.in_force;
        self.across(known.within(window), |cell, bucket| {
            let part = bucket.within(window);
            cell.summary.of.stretch(stretch, part, holds_ms);
            if in_force {
                cell.summary.include_held(stretch, part, holds_ms);
            }
            if held.start_ms < part.start_ms && part.start_ms < held.end_ms {
                cell.held.add(stretch.value.to_f64());
            }
            let middle_ms = bucket.start_ms.midpoint(bucket.end_ms);
            if let (Some(line), Some(next)) = (line, stretch.next)
                && line.start_ms <= middle_ms
                && middle_ms <= line.end_ms
            {
                cell.line.add(on_line(stretch, next, middle_ms));
            }
        });
        !self.too_many
    }

    fn count(&mut self, older: Reading, newer: Reading) {
        if let Some(bucket) = self.bucket_of(newer.at_ms) {
            let summary = &mut self.cell(bucket).summary;
            summary.of.meter.count(older.number, newer.number);
        }
    }

    fn meter(&mut self, window: Window) {
        self.across(window, |cell, bucket| {
            let part = bucket.within(window).length_ms();
            cell.summary.metered_ms = cell.summary.metered_ms.saturating_add(part);
        });
    }

    fn end_series(&mut self, record_name: &str, window: Window) {
        self.close();
        let mut cells = std::mem::take(&mut self.of_series);
        if !cells.values().any(|cell| cell.summary.is_known()) {
            return;
        }
        if self.gaps != Gaps::Skip || self.combined {
            for start_ms in self.outline(window, &cells) {
                let end_ms = self
                    .width
                    .bucket(start_ms)
                    .map_or(start_ms, |bucket| bucket.end_ms);
                cells.entry(start_ms).or_default().end_ms = end_ms;
            }
        }
        for (start_ms, cell) in &mut cells {
            let bucket = Window {
                start_ms: *start_ms,
                end_ms: cell.end_ms,
            };
            cell.summary.range_ms = bucket.within(window).length_ms();
        }
        if !self.combined {
            return self.push(Some(record_name), cells, window);
        }
        for (start_ms, cell) in cells {
            self.total.entry(start_ms).or_default().beside(&cell);
        }
        let total = self.total_window.get_or_insert(window);
        total.start_ms = total.start_ms.min(window.start_ms);
        total.end_ms = total.end_ms.max(window.end_ms);
    }
}

impl Cell {
    fn beside(&mut self, other: &Self) {
        self.end_ms = other.end_ms;
        self.summary.beside(&other.summary);
        self.held.merge(&other.held);
        self.line.merge(&other.line);
    }

    /// Where there is no number.
    fn fill(&mut self, gaps: Gaps, bucket: Window) {
        if self.summary.count() > 0 {
            return;
        }
        let value = match gaps {
            Gaps::Skip | Gaps::Null => None,
            Gaps::Previous => self.held.mean(),
            Gaps::Linear => self.line.mean(),
        };
        let middle_ms = bucket.start_ms.midpoint(bucket.end_ms);
        self.summary.filled = value.map(|value| Sample::filled(middle_ms, value));
    }
}

impl Mean {
    fn add(&mut self, value: f64) {
        self.sum += value;
        self.count += 1;
    }

    fn merge(&mut self, other: &Self) {
        self.sum += other.sum;
        self.count += other.count;
    }

    fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / f64::from(self.count))
    }
}
