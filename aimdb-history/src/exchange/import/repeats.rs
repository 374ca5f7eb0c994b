//! Rows that the history has already.

use std::collections::{BTreeMap, HashMap};

use aimdb_persistence::Ask;
use aimdb_persistence_backend::{Pattern, Rows};
use serde_json::Value;

use crate::error::HistoryError;
use crate::location::OpenHistory;
use crate::question::Selection;

/// How far the series reached before the import.
pub(crate) struct Repeats {
    extents: BTreeMap<String, (u64, u64)>,
}

impl Repeats {
    pub(crate) async fn of(history: &OpenHistory) -> Result<Self, HistoryError> {
        let series = history.archive.history("#").series().await?.into_iter();
        Ok(Self {
            extents: series
                .map(|series| (series.record_name, (series.first_ms, series.last_ms)))
                .collect(),
        })
    }

    /// Which of the rows the history has not: there is none of the same time, version and value, or each such row is
    /// another one's equal.
    pub(crate) async fn are_new(
        &self,
        history: &OpenHistory,
        rows: &Rows,
    ) -> Result<Vec<bool>, HistoryError> {
        let mut ranges = BTreeMap::<&str, (u64, u64)>::new();
        for row in rows.iter() {
            let known = self.extents.get(row.record_name);
            if known.is_some_and(|known| (known.0..=known.1).contains(&row.stored_at)) {
                let at = row.stored_at;
                let range = ranges.entry(row.record_name).or_insert((at, at));
                *range = (range.0.min(at), range.1.max(at));
            }
        }
        let mut stored = HashMap::<(String, u64, u32), Vec<Value>>::new();
        for (record_name, (from_ms, to_ms)) in ranges {
            let mut selection = Selection::of(Pattern::exact(record_name));
            (selection.from_ms, selection.to_ms) = (Some(from_ms), Some(to_ms));
            let mut pages = selection.read(history);
            while let Some(page) = pages.next().await? {
                for row in page.iter() {
                    let place = (row.record_name.to_owned(), row.stored_at, row.version);
                    stored.entry(place).or_default().push(value_of(row.json));
                }
            }
        }
        let is_new = rows.iter().map(|row| {
            let place = (row.record_name.to_owned(), row.stored_at, row.version);
            let Some(equals) = stored.get_mut(&place) else {
                return true;
            };
            let value = value_of(row.json);
            match equals.iter().position(|equal| *equal == value) {
                Some(index) => {
                    equals.swap_remove(index);
                    false
                }
                None => true,
            }
        });
        Ok(is_new.collect())
    }
}

fn value_of(json: &str) -> Value {
    serde_json::from_str(json).unwrap_or(Value::Null)
}
