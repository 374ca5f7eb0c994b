//! The row of every benchmark.

use serde::{Deserialize, Serialize};

/// The time of the first row, in Unix milliseconds.
pub const START_MS: u64 = 1_767_225_600_000;

/// A value of a record: 33 bytes of JSON, whichever it is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// 10.01 to 99.99, never ending in a zero that JSON would leave out.
    pub celsius: f64,
    /// 10.0 to 99.9.
    pub humidity: f64,
}

impl Reading {
    /// The value of row `n`.
    pub fn nth(n: u64) -> Self {
        let hundredths = 1_000 + (n.wrapping_mul(7_919) % 900) * 10 + 1 + n % 9;
        let tenths = 100 + n.wrapping_mul(104_729) % 900;
        Self {
            celsius: hundredths as f64 / 100.0,
            humidity: tenths as f64 / 10.0,
        }
    }
}

/// The key of series `index`.
pub fn series_key(index: u64) -> String {
    format!("temperature.s{index:05}")
}

/// The keys of the first `count` series.
pub fn series_keys(count: u64) -> Vec<String> {
    (0..count).map(series_key).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reading_takes_33_bytes_of_json() {
        for n in 0..100_000 {
            let json = serde_json::to_string(&Reading::nth(n)).unwrap();
            assert_eq!(json.len(), 33, "{json}");
        }
    }
}
