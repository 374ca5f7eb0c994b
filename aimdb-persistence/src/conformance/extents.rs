//! The list of series, and how far each of them reaches.

use aimdb_persistence_backend::StoredValue;
use aimdb_persistence_backend::internal::{Lottery, Subject};

use crate::conformance::questions::{Question, history, store_rows};
use crate::query::answers::extent::SeriesExtent;

/// What a list that is by record name says of its series.
fn extents(rows: &[StoredValue]) -> Vec<SeriesExtent> {
    let series = rows.chunk_by(|one, next| one.record_name == next.record_name);
    let extent = |rows: &[StoredValue]| SeriesExtent {
        record_name: rows[0].record_name.clone(),
        first_ms: rows.iter().map(|row| row.stored_at).min().unwrap_or(0),
        last_ms: rows.iter().map(|row| row.stored_at).max().unwrap_or(0),
        rows: Some(rows.len() as u64),
    };
    series.map(extent).collect()
}

pub(crate) async fn series_are_listed_with_how_far_they_reach(subject: Subject) {
    let nothing = history(&subject, "#").series().await;
    assert_eq!(
        nothing.expect("an empty backend can be asked"),
        [],
        "an empty backend has no series"
    );
    let mut lottery = Lottery::new(9);
    let rows = store_rows(&subject, &mut lottery, 1_500).await;
    for _ in 0..60 {
        let question = Question::draw(&mut lottery, &rows);
        let mut expected = extents(&question.of_list(&rows));
        let counted = question.of(&subject).counted_series().await;
        assert_eq!(
            counted.expect("series can be counted"),
            expected,
            "each series must be listed with the ends and the number of its rows: {question:?}"
        );
        let series = question.of(&subject).series().await;
        let series = series.expect("series can be listed");
        if series.iter().all(|series| series.rows.is_none()) {
            for series in &mut expected {
                series.rows = None;
            }
        }
        assert_eq!(
            series, expected,
            "each series must be listed with the ends of its rows: {question:?}"
        );
    }
}
