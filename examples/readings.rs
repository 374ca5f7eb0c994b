//! A year of hourly temperatures of two cities, as the files in `data/` hold them.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// A city whose temperatures are known.
#[derive(Debug)]
pub struct Station {
    /// What it is called in a record's key.
    pub name: &'static str,
    /// What people call it.
    pub city: &'static str,
    file: &'static str,
    csv: &'static str,
}

/// The stations, by name.
pub const STATIONS: [Station; 2] = [
    Station {
        name: "seattle",
        city: "Seattle",
        file: "data/seattle-temps.csv",
        csv: include_str!("data/seattle-temps.csv"),
    },
    Station {
        name: "sf",
        city: "San Francisco",
        file: "data/sf-temps.csv",
        csv: include_str!("data/sf-temps.csv"),
    },
];

/// A temperature at an hour.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// Unix milliseconds. The files give local times without a zone, which are taken as UTC.
    pub at: u64,
    /// Degrees Celsius.
    pub celsius: f64,
}

/// What is wrong in a file of readings, and where.
#[derive(Debug, thiserror::Error)]
pub enum ReadingError {
    /// A line is not what its header promises.
    #[error("{file}: {source}")]
    Csv {
        /// The file.
        file: String,
        /// The reader's complaint, with the line.
        source: csv::Error,
    },
    /// A line is well-formed, but its date or temperature makes no sense.
    #[error("{file}, line {line}: {reason}")]
    Line {
        /// The file.
        file: String,
        /// Counted from 1, the header included.
        line: u64,
        /// What is wrong.
        reason: String,
    },
}

impl Station {
    /// The readings of the year, oldest first.
    ///
    /// # Errors
    /// Says which line of the station's file cannot be read.
    pub fn readings(&self) -> Result<Vec<Reading>, ReadingError> {
        parse(self.file, self.csv)
    }
}

/// A line, whichever order the columns have.
#[derive(Deserialize)]
struct Line {
    date: String,
    /// Degrees Fahrenheit.
    temp: f64,
}

/// Reads a CSV text with the columns `date` and `temp` (°F). `file` is what errors call it.
///
/// # Errors
/// Names the line where a column is missing, a value malformed, or a date not later than the one before.
pub fn parse(file: &str, text: &str) -> Result<Vec<Reading>, ReadingError> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let headers = reader.headers().cloned();
    let malformed = |source| ReadingError::Csv {
        file: file.to_owned(),
        source,
    };
    let headers = headers.map_err(malformed)?;
    let mut readings: Vec<Reading> = Vec::new();
    for record in reader.records() {
        let record = record.map_err(malformed)?;
        let line = record.position().map_or(0, csv::Position::line);
        let refused = |reason| ReadingError::Line {
            file: file.to_owned(),
            line,
            reason,
        };
        let reading = record
            .deserialize(Some(&headers))
            .map_err(malformed)
            .and_then(|line| reading(&line).map_err(refused))?;
        if readings.last().is_some_and(|last| last.at >= reading.at) {
            return Err(refused(format!(
                "{} is not later than the line before",
                date_of(reading.at)
            )));
        }
        readings.push(reading);
    }
    Ok(readings)
}

fn reading(line: &Line) -> Result<Reading, String> {
    if !line.temp.is_finite() {
        return Err(format!("`{}` is not a temperature", line.temp));
    }
    Ok(Reading {
        at: unix_ms(&line.date)?,
        celsius: celsius(line.temp),
    })
}

fn celsius(fahrenheit: f64) -> f64 {
    (fahrenheit - 32.0) / 1.8
}

/// Unix milliseconds of a date such as `2010/12/31 23:00`, with or without seconds, in UTC.
fn unix_ms(date: &str) -> Result<u64, String> {
    DateTime::strptime("%Y/%m/%d %H:%M:%S", date)
        .or_else(|_| DateTime::strptime("%Y/%m/%d %H:%M", date))
        .and_then(|time| TimeZone::UTC.to_timestamp(time))
        .ok()
        .and_then(|time| u64::try_from(time.as_millisecond()).ok())
        .ok_or_else(|| format!("`{date}` is not a date since 1970 such as `2010/12/31 23:00`"))
}

/// A time in Unix milliseconds as `2010-12-31 23:00`, in UTC; the bare number where the calendar has no such time.
pub fn date_of(unix_ms: u64) -> String {
    i64::try_from(unix_ms)
        .ok()
        .and_then(|unix_ms| Timestamp::from_millisecond(unix_ms).ok())
        .map_or_else(
            || format!("{unix_ms} ms"),
            |time| time.strftime("%Y-%m-%d %H:%M").to_string(),
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: u64 = 3_600_000;

    fn mean(readings: &[Reading]) -> f64 {
        readings.iter().map(|reading| reading.celsius).sum::<f64>() / readings.len() as f64
    }

    #[test]
    fn the_year_has_8759_hours_and_the_known_mean_in_both_cities() {
        for (station, expected) in STATIONS.iter().zip([11.13, 13.85]) {
            let readings = station.readings().unwrap();
            assert_eq!(readings.len(), 8_759, "{}", station.city);
            let mean = mean(&readings);
            assert!((mean - expected).abs() < 0.005, "{}: {mean}", station.city);
        }
    }

    #[test]
    fn the_one_hour_that_is_missing_is_the_one_that_summer_time_skips() {
        for station in &STATIONS {
            let readings = station.readings().unwrap();
            let gaps: Vec<_> = readings
                .windows(2)
                .filter(|pair| pair[1].at - pair[0].at != HOUR_MS)
                .map(|pair| (date_of(pair[0].at), date_of(pair[1].at)))
                .collect();
            let expected = ("2010-03-14 02:00".to_owned(), "2010-03-14 04:00".to_owned());
            assert_eq!(gaps, [expected], "{}", station.city);
        }
    }

    #[test]
    fn a_date_becomes_unix_milliseconds_and_back() {
        for (date, expected) in [
            ("1970/01/01 00:00", 0),
            ("2010/01/01 00:00", 1_262_304_000_000),
            ("2010/12/31 23:00:00", 1_293_836_400_000),
            ("2012/02/29 12:30", 1_330_518_600_000),
        ] {
            assert_eq!(unix_ms(date), Ok(expected), "{date}");
            assert_eq!(date_of(expected), date[..16].replace('/', "-"));
        }
        assert_eq!(date_of(u64::MAX), "18446744073709551615 ms");
    }

    #[test]
    fn the_columns_may_come_in_any_order() {
        let one = parse("one", "date,temp\n2010/01/01 00:00,50\n").unwrap();
        let other = parse("other", "temp,date\n50,2010/01/01 00:00:00\n").unwrap();
        assert_eq!(one, other);
        assert_eq!(one[0].celsius, 10.0);
    }

    #[test]
    fn a_malformed_line_is_named_with_its_file() {
        for (text, expected) in [
            ("date\n2010/01/01 00:00\n", "missing field `temp`"),
            ("date,temp\n2010/01/01 00:00\n", "line: 2"),
            ("date,temp\n2010/01/01 00:00,warm\n", "line: 2"),
            ("date,temp\n2010/01/01 00:00,NaN\n", "line 2: `NaN`"),
            (
                "date,temp\n2010/02/29 00:00,50\n",
                "line 2: `2010/02/29 00:00`",
            ),
            (
                "date,temp\n1969/12/31 23:00,50\n",
                "line 2: `1969/12/31 23:00`",
            ),
            (
                "date,temp\n2010/01/02 00:00,50\n2010/01/01 00:00,50\n",
                "line 3: 2010-01-01 00:00 is not later",
            ),
        ] {
            let error = parse("attic.csv", text).unwrap_err().to_string();
            assert!(error.starts_with("attic.csv"), "{error}");
            assert!(error.contains(expected), "{error}");
        }
    }
}
