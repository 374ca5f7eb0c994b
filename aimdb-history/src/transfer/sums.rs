//! What tells whether two series hold the same rows: computed by reading them, in whatever order.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use aimdb_persistence_backend::{Pattern, ReadRequest, Row, RowVisitor, Visit};
use serde::Serialize;

use crate::error::HistoryError;
use crate::location::OpenHistory;

/// How many rows there are, their ends, and two sums over time, version and text of each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Sums {
    /// How many rows there are.
    pub rows: u64,
    /// The time of the oldest, in Unix milliseconds.
    pub first_ms: u64,
    /// The time of the newest.
    pub last_ms: u64,
    /// The sum of one hash of each row.
    pub one: u64,
    /// The sum of another one.
    pub other: u64,
}

impl Sums {
    /// Takes a row in.
    pub fn add(&mut self, row: Row<'_>) {
        let at = row.stored_at;
        self.first_ms = match self.rows {
            0 => at,
            _ => self.first_ms.min(at),
        };
        self.last_ms = self.last_ms.max(at);
        self.rows += 1;
        self.one = self.one.wrapping_add(sip(row));
        self.other = self.other.wrapping_add(fnv(row));
    }
}

/// SipHash.
fn sip(row: Row<'_>) -> u64 {
    let mut hasher = DefaultHasher::new();
    (row.stored_at, row.version, row.json).hash(&mut hasher);
    hasher.finish()
}

/// FNV-1a, and what spreads its bits.
fn fnv(row: Row<'_>) -> u64 {
    let numbers = row
        .stored_at
        .to_le_bytes()
        .into_iter()
        .chain(row.version.to_le_bytes());
    let hash = numbers
        .chain(row.json.bytes())
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
    let hash = (hash ^ (hash >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    hash ^ (hash >> 32)
}

/// The sums of each series that is named, over its rows up to a time.
pub(crate) async fn sums(
    history: &OpenHistory,
    pattern: &Pattern,
    up_to_ms: &BTreeMap<String, u64>,
) -> Result<BTreeMap<String, Sums>, HistoryError> {
    let summing = Summing {
        up_to_ms: up_to_ms.clone(),
        sums: BTreeMap::new(),
        series: None,
    };
    let request = ReadRequest::new(pattern.clone());
    let scanned = history
        .backend
        .scan(request, None, Box::new(summing))
        .await?;
    let mut summing: Summing = scanned.into_visitor();
    summing.end_series();
    Ok(summing.sums)
}

struct Summing {
    up_to_ms: BTreeMap<String, u64>,
    sums: BTreeMap<String, Sums>,
    series: Option<(String, u64, Sums)>,
}

impl Summing {
    fn end_series(&mut self) {
        if let Some((name, _, sums)) = self.series.take() {
            self.sums.insert(name, sums);
        }
    }
}

impl RowVisitor for Summing {
    fn begin_series(&mut self, record_name: &str) -> bool {
        self.end_series();
        let up_to_ms = self.up_to_ms.get(record_name);
        self.series = up_to_ms.map(|ms| (record_name.to_owned(), *ms, Sums::default()));
        self.series.is_some()
    }

    fn visit(&mut self, row: Row<'_>) -> Visit {
        if let Some((_, up_to_ms, sums)) = &mut self.series
            && row.stored_at <= *up_to_ms
        {
            sums.add(row);
        }
        Visit::Continue
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_tell_every_change_of_a_row_and_no_other_order() {
        let row = |stored_at, version, json| Row {
            source: None,
            record_name: "a",
            stored_at,
            json,
            version,
        };
        let of = |rows: &[Row<'_>]| {
            let mut sums = Sums::default();
            rows.iter().for_each(|row| sums.add(*row));
            sums
        };
        let rows = [row(1, 0, "1"), row(2, 0, "2"), row(2, 0, "2")];
        let mut turned = rows;
        turned.reverse();
        assert_eq!(of(&rows), of(&turned));
        for changed in [
            [row(1, 0, "1"), row(2, 0, "2"), row(2, 0, "3")],
            [row(1, 0, "1"), row(2, 0, "2"), row(2, 1, "2")],
            [row(1, 0, "1"), row(1, 0, "1"), row(2, 0, "2")],
            [row(1, 0, "2"), row(2, 0, "1"), row(2, 0, "2")],
        ] {
            let (one, other) = (of(&rows), of(&changed));
            assert!(
                one.one != other.one && one.other != other.other,
                "{changed:?}"
            );
        }
    }
}
