//! What held when, found out millisecond by millisecond: nothing here knows how an answer is made.

use aimdb_persistence_backend::StoredValue;
use serde_json::Value;

/// One series with all of its rows, and what is asked of it.
pub(crate) struct Model<'a> {
    /// Oldest first; of one time, in the order of storing.
    pub(crate) rows: Vec<&'a StoredValue>,
    pub(crate) filter: Option<fn(&Value) -> bool>,
    pub(crate) holds_ms: u64,
    /// The rows that are answered for.
    pub(crate) own: Vec<&'a StoredValue>,
    pub(crate) start_ms: u64,
    pub(crate) end_ms: u64,
    /// The answer has a row before it: it is not confined to the newest rows.
    pub(crate) reaches_back: bool,
    /// It has a row after it: it is not confined to the oldest.
    pub(crate) reaches_on: bool,
}

/// Means over time, as sums over milliseconds.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub(crate) struct OverTime {
    pub(crate) area: f64,
    pub(crate) magnitude: f64,
    pub(crate) known_ms: u64,
}

impl Model<'_> {
    fn counts(&self, row: &StoredValue) -> bool {
        self.filter.is_none_or(|holds| holds(&row.value))
    }

    /// The rows that the answer can see.
    fn visible(&self) -> impl Iterator<Item = &StoredValue> + '_ {
        let rows = self.rows.iter().copied();
        rows.filter(|row| {
            (self.reaches_back || row.stored_at >= self.start_ms)
                && (self.reaches_on || row.stored_at <= self.end_ms)
        })
    }

    /// What was in force at a time: the newest row at or before it, if the filter lets it through and it has not ceased to hold.
    pub(crate) fn in_force(&self, at_ms: u64) -> Option<&StoredValue> {
        let newest = self.visible().filter(|row| row.stored_at <= at_ms).last()?;
        let holds = at_ms - newest.stored_at < self.holds_ms;
        (holds && self.counts(newest)).then_some(newest)
    }

    pub(crate) fn number_in_force(&self, at_ms: u64) -> Option<f64> {
        self.in_force(at_ms)?.value["v"].as_f64()
    }

    /// In the middle of the millisecond that begins then, on the line between two rows.
    pub(crate) fn on_line(&self, at_ms: f64) -> Option<f64> {
        let before = self
            .visible()
            .filter(|row| row.stored_at as f64 <= at_ms)
            .last()?;
        let after = self.visible().find(|row| row.stored_at as f64 > at_ms)?;
        let length = after.stored_at - before.stored_at;
        let both = self.counts(before) && self.counts(after) && length <= self.holds_ms;
        let (from, to) = (before.value["v"].as_f64()?, after.value["v"].as_f64()?);
        let part = (at_ms - before.stored_at as f64) / length as f64;
        both.then_some(from * (1.0 - part) + to * part)
    }

    pub(crate) fn steps(&self, start_ms: u64, end_ms: u64) -> OverTime {
        sum((start_ms..end_ms).map(|at| self.number_in_force(at)))
    }

    pub(crate) fn lines(&self, start_ms: u64, end_ms: u64) -> OverTime {
        sum((start_ms..end_ms).map(|at| self.on_line(at as f64 + 0.5)))
    }

    /// What a meter has counted until each of the answer's readings, with their times.
    pub(crate) fn increases(&self) -> Vec<(u64, f64)> {
        let is_reading = |row: &&&StoredValue| self.counts(row) && row.value["v"].is_number();
        let own: Vec<_> = self.own.iter().filter(is_reading).collect();
        let before = self.visible().filter(|row| row.stored_at < self.start_ms);
        let before = before.filter(|row| is_reading(&row)).last();
        let mut last = before.and_then(|row| row.value["v"].as_f64());
        let mut increases = Vec::new();
        for row in own {
            let number = row.value["v"].as_f64().unwrap_or_default();
            let counted = match last {
                None => 0.0,
                Some(last) if number < last => number,
                Some(last) => number - last,
            };
            increases.push((row.stored_at, counted));
            last = Some(number);
        }
        increases
    }
}

fn sum(numbers: impl Iterator<Item = Option<f64>>) -> OverTime {
    numbers
        .flatten()
        .fold(OverTime::default(), |all, number| OverTime {
            area: all.area + number,
            magnitude: all.magnitude + number.abs(),
            known_ms: all.known_ms + 1,
        })
}
