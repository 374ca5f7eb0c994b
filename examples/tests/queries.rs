//! What `docs/queries.md` says of the real year, asked again.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use aimdb_core::{AimDb, AimDbBuilder};
use aimdb_persistence::{
    AimDbBuilderPersistExt, Persist,
    answers::{Gaps, SeriesSummary, Summary},
    question::Calendar,
};
use aimdb_persistence_examples::readings::STATIONS;
use aimdb_persistence_sqlite::SqliteBackend;
use aimdb_tokio_adapter::TokioAdapter;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

type Outcome = Result<(), Box<dyn Error>>;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Persist)]
#[persist(key = "temperature.{station}", retention = "forever")]
struct Temperature {
    celsius: f64,
    #[persist(timestamp)]
    at: u64,
}

/// The year of both cities.
async fn history(folder: &TempDir) -> Result<AimDb<TokioAdapter>, Box<dyn Error>> {
    let backend = SqliteBackend::new(folder.path().join("history.db"))?;
    let builder = AimDbBuilder::new().runtime(Arc::new(TokioAdapter::new()?));
    let db = builder
        .with_persistence(Arc::new(backend), Duration::MAX)
        .build()
        .await?;
    for station in &STATIONS {
        let readings = station.readings()?.into_iter();
        let values = readings.map(|reading| Temperature {
            celsius: reading.celsius,
            at: reading.at,
        });
        let series = Temperature::series(station.name);
        let values: Vec<Temperature> = values.collect();
        assert_eq!(series.store_all(&db, values).await?, 8_759);
    }
    Ok(db)
}

fn rounded(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.2}"))
}

#[tokio::test]
async fn the_year_of_san_francisco_has_its_known_mean_extremes_and_months() -> Outcome {
    let folder = TempDir::new()?;
    let db = history(&folder).await?;
    let celsius = Temperature::fields().celsius;
    let year = || Temperature::series("sf").history(&db);

    let summary = year().aggregate(celsius).percentiles(&[50.0, 95.0]);
    let summary = summary.combined().await?;
    assert_eq!(summary.count(), 8_759);
    let figures = [
        summary.mean(),
        summary.min(),
        summary.max(),
        summary.standard_deviation(),
        summary.percentile(50.0)?,
        summary.percentile(95.0)?,
        summary.linear_mean(),
    ];
    assert_eq!(
        figures.map(rounded),
        ["13.85", "7.56", "22.33", "3.39", "13.61", "20.44", "13.85"]
    );

    let months = year().aggregate(celsius);
    let months = months
        .every_calendar(Calendar::Month, TimeZone::UTC)
        .per_series()
        .await?;
    assert_eq!(months.len(), 12);
    let counts = months.iter().map(|month| month.summary.count());
    assert_eq!(counts.sum::<u64>(), 8_759);
    let means: Vec<_> = months.iter().map(|m| rounded(m.summary.mean())).collect();
    assert_eq!(
        means,
        [
            "9.99", "11.25", "12.20", "13.13", "14.43", "15.80", "16.54", "16.89", "16.94",
            "15.70", "12.88", "10.28"
        ]
    );
    Ok(())
}

#[tokio::test]
async fn the_cookbook_says_what_the_history_answers() -> Outcome {
    let folder = TempDir::new()?;
    let db = history(&folder).await?;
    let celsius = Temperature::fields().celsius;
    let hour = 3_600_000;
    // 2010-08-01 12:00
    let noon = 1_280_664_000_000_u64;

    let at_noon = Temperature::history(&db).as_of(noon).values().await?;
    let at_noon: Vec<_> = at_noon.iter().map(|t| rounded(Some(t.celsius))).collect();
    assert_eq!(at_noon, ["21.50", "20.50"]);

    let hot = Temperature::history(&db).filter(celsius.gt(24.0));
    assert_eq!(hot.clone().count().await?, 35);
    let first = hot.first().await?.ok_or("there were hot hours")?;
    assert_eq!(first.record_name, "temperature.seattle");

    let years = Temperature::history(&db).aggregate(celsius);
    let years = years.per_series().await?;
    let mean = |year: &SeriesSummary| rounded(year.summary.mean());
    assert_eq!(
        years.iter().map(mean).collect::<Vec<_>>(),
        ["11.13", "13.85"]
    );

    let day = Temperature::series("sf").history(&db);
    let day = day.between(noon - 12 * hour, noon + 12 * hour - 1);
    let quarters = day
        .clone()
        .aggregate(celsius)
        .every("6h")
        .per_series()
        .await?;
    let means: Vec<_> = quarters.iter().map(|q| rounded(q.summary.mean())).collect();
    assert_eq!(means, ["13.89", "16.72", "20.40", "15.52"]);

    // The hour that clocks skip in March.
    let skipped = Temperature::series("sf").history(&db);
    let skipped = skipped.between(1_268_524_800_000_u64, 1_268_539_200_000_u64);
    let filled = |gaps| {
        skipped
            .clone()
            .aggregate(celsius)
            .every("1h")
            .gaps(gaps)
            .per_series()
    };
    let value = |summary: &Summary| rounded(summary.mean());
    let mut hours = Vec::new();
    for gaps in [Gaps::Skip, Gaps::Null, Gaps::Previous, Gaps::Linear] {
        let buckets = filled(gaps).await?;
        hours.push(
            buckets
                .iter()
                .map(|b| value(&b.summary))
                .collect::<Vec<_>>(),
        );
    }
    assert_eq!(hours[0].len(), 4);
    assert_eq!(hours[1][3], "-");
    assert_eq!(hours[2][3], hours[2][2]);

    let points = Temperature::series("sf")
        .history(&db)
        .downsample(celsius, 500)
        .await?;
    assert_eq!(points.len(), 500);
    let peak = points.iter().map(|p| p.value).fold(f64::MIN, f64::max);
    assert_eq!(rounded(Some(peak)), "22.33", "the peak of the year stays");
    Ok(())
}
