//! A year of real hourly temperatures under a deadband of half a degree.

use std::sync::Arc;

use aimdb_persistence_tests::backends::sqlite;

use super::{counts, database, flush, half_a_degree, produce, rows};

/// Degrees Celsius, hour by hour, as measured in Seattle.
fn year() -> Vec<(u64, f64)> {
    let csv = include_str!("../../../../examples/data/seattle-temps.csv");
    let fahrenheit = csv.lines().skip(1).map(|line| {
        let (_, temperature) = line.split_once(',').expect("two columns");
        temperature.trim().parse::<f64>().expect("a number")
    });
    let celsius = fahrenheit.map(|fahrenheit| (fahrenheit - 32.0) / 1.8);
    (0..).step_by(3_600_000).zip(celsius).collect()
}

#[tokio::test]
async fn a_year_loses_nothing_that_is_half_a_degree_away_from_what_is_stored() {
    let folder = tempfile::tempdir().unwrap();
    let backend = sqlite(folder.path());
    let db = database(Arc::new(backend.clone()), half_a_degree()).await;
    let year = year();
    assert!(year.len() > 8_700, "a year of hours");
    produce(&db, year.iter().copied()).await;
    flush(&db).await;

    let stored = rows(&backend).await;
    for pair in stored.windows(2) {
        assert!((pair[1].1 - pair[0].1).abs() >= 0.5, "{pair:?}");
    }
    let mut following = stored.iter().copied().peekable();
    let mut last_stored = stored[0];
    for hour in &year {
        match following.next_if_eq(hour) {
            Some(row) => last_stored = row,
            None => assert!(
                (hour.1 - last_stored.1).abs() < 0.5,
                "{hour:?}, {last_stored:?}"
            ),
        }
    }
    assert_eq!(following.next(), None, "a row that was never produced");
    let counts = counts(&db);
    assert_eq!(counts.stored, stored.len() as u64);
    assert_eq!(counts.suppressed, (year.len() - stored.len()) as u64);
    let kept = 100.0 * stored.len() as f64 / year.len() as f64;
    println!(
        "{} of {} hours are stored: {kept:.1} %",
        stored.len(),
        year.len()
    );
    assert!(kept < 80.0, "it is worth having: {kept} %");
}
