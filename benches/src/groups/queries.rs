//! What is asked beyond rows, over a million of them, beside SQL by hand over the same file.

use std::path::Path;
use std::time::Instant;

use aimdb_persistence::{Field, Persist};
use aimdb_persistence_workload::{Reading, SERIES, START_MS, median};
use rusqlite::Connection;

use crate::bench::{Bench, Outcome, runtime};
use crate::history::{self, Db, Temperature};
use crate::raw::decoded;
use crate::report::Report;

const SQL: &str = "SQL";
const CELSIUS: Field<Temperature, f64> = Field::at(&["celsius"]);
const VALUE: &str = "json_extract(value, '$.celsius')";
const BUCKET_MS: u64 = 10_000;

pub(super) fn run(bench: &Bench, report: &mut Report) -> Outcome {
    let rows = bench.size(1_000_000, 100_000);
    let path = bench.our_file(rows)?;
    let runtime = runtime()?;
    let backend = history::open(&path)?;
    let db = runtime.block_on(history::asking(&backend))?;
    let sql = Sql::open(&path, rows)?;
    for case in CASES {
        let (mut ours, mut by_hand) = (Vec::new(), Vec::new());
        for _ in 0..bench.runs() {
            let start = Instant::now();
            let found = runtime.block_on(case.ask(&db, rows))?;
            ours.push(start.elapsed().as_secs_f64() * 1e3);
            let start = Instant::now();
            let expected = case.ask_sql(&sql)?;
            by_hand.push(start.elapsed().as_secs_f64() * 1e3);
            if found != expected && case != Case::Downsample {
                return Err(format!("{case:?}: {found}, and {expected} by SQL").into());
            }
        }
        let name = format!("{}, {rows} rows", case.name());
        report.beside(name, "ms", median(ours), (SQL, median(by_hand)));
    }
    runtime.block_on(backend.close())?;
    Ok(())
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Case {
    Summary,
    Buckets,
    Percentile,
    Filter,
    AsOf,
    Downsample,
}

const CASES: [Case; 6] = [
    Case::Summary,
    Case::Buckets,
    Case::Percentile,
    Case::Filter,
    Case::AsOf,
    Case::Downsample,
];

impl Case {
    fn name(self) -> &'static str {
        match self {
            Self::Summary => "count, extremes and mean of each series",
            Self::Buckets => "means of ten seconds of each series",
            Self::Percentile => "95th percentile of all",
            Self::Filter => "values of a hundredth of the rows, by a condition",
            Self::AsOf => "value of each series at a time",
            Self::Downsample => "500 points of each series (SQL: all of them)",
        }
    }

    /// How many answers there are: they must be as many by SQL.
    async fn ask(self, db: &Db, rows: u64) -> Outcome<usize> {
        let all = Temperature::history(db);
        Ok(match self {
            Self::Summary => all.aggregate(CELSIUS).per_series().await?.len(),
            Self::Buckets => {
                let every = std::time::Duration::from_millis(BUCKET_MS);
                all.aggregate(CELSIUS)
                    .every(every)
                    .per_series()
                    .await?
                    .len()
            }
            Self::Percentile => {
                let found = all
                    .aggregate(CELSIUS)
                    .percentiles(&[95.0])
                    .combined()
                    .await?;
                usize::from(found.percentile(95.0)?.is_some())
            }
            Self::Filter => all.filter(CELSIUS.gt(hundredth())).values().await?.len(),
            Self::AsOf => all.as_of(START_MS + rows / 2).values().await?.len(),
            Self::Downsample => all.downsample(CELSIUS, 500).await?.len(),
        })
    }

    fn ask_sql(self, sql: &Sql) -> Outcome<usize> {
        let file = &sql.file;
        Ok(match self {
            Self::Summary => sql.count(&format!(
                "SELECT series, count(*), min({VALUE}), max({VALUE}), avg({VALUE}) FROM row GROUP BY series"
            ))?,
            Self::Buckets => sql.count(&format!(
                "SELECT series, stored_at / {BUCKET_MS}, avg({VALUE}) FROM row GROUP BY 1, 2"
            ))?,
            Self::Percentile => sql.count(&format!(
                "SELECT {VALUE} FROM row ORDER BY 1 LIMIT 1 OFFSET {}",
                sql.rows * 95 / 100
            ))?,
            Self::Filter => {
                let select = format!("SELECT value FROM row WHERE {VALUE} > {}", hundredth());
                let mut select = file.prepare_cached(&select)?;
                let mut found = select.query([])?;
                let mut values: Vec<Reading> = Vec::new();
                while let Some(row) = found.next()? {
                    values.push(decoded(row.get_ref(0)?.as_bytes()?));
                }
                values.len()
            }
            Self::AsOf => {
                let mut values: Vec<Reading> = Vec::new();
                let select = "SELECT value FROM row WHERE series = ?1 AND stored_at <= ?2 ORDER BY stored_at DESC LIMIT 1";
                let mut select = file.prepare_cached(select)?;
                for series in 1..=SERIES {
                    let mut found = select.query((series as i64, (START_MS + sql.rows / 2) as i64))?;
                    if let Some(row) = found.next()? {
                        values.push(decoded(row.get_ref(0)?.as_bytes()?));
                    }
                }
                values.len()
            }
            Self::Downsample => sql.count(&format!("SELECT stored_at, {VALUE} FROM row"))?,
        })
    }
}

/// One in a hundred readings is above.
fn hundredth() -> f64 {
    let mut celsius: Vec<f64> = (0..10_000).map(|n| Reading::nth(n).celsius).collect();
    celsius.sort_by(f64::total_cmp);
    celsius[celsius.len() - celsius.len() / 100]
}

/// A connection of somebody who knows the tables.
struct Sql {
    file: Connection,
    rows: u64,
}

impl Sql {
    fn open(path: &Path, rows: u64) -> Outcome<Self> {
        let file = Connection::open(path)?;
        Ok(Self { file, rows })
    }

    fn count(&self, sql: &str) -> Outcome<usize> {
        let mut select = self.file.prepare_cached(sql)?;
        let mut found = select.query([])?;
        let mut count = 0;
        while let Some(row) = found.next()? {
            std::hint::black_box(row.get_ref(1.min(row.as_ref().column_count() - 1))?);
            count += 1;
        }
        Ok(count)
    }
}
