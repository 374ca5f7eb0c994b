//! PostgreSQL, beside the same work by hand with tokio-postgres in the same run. Without a server, nothing is measured.

use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use aimdb_persistence::backend::{ReadRequest, Rows, SeriesDeclaration, SweepRequest};
use aimdb_persistence::{Archive, Pattern, Persist, PersistenceBackend, Retention};
use aimdb_persistence_postgres::PostgresBackend;
use aimdb_persistence_test_server::Server;
use aimdb_persistence_workload::{
    Latencies, ROWS_PER_COMMIT, Reading, SERIES, START_MS, median, series_key,
};
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, NoTls};

use crate::bench::{Bench, Outcome, runtime};
use crate::history::{PATTERN, Temperature};
use crate::report::Report;

const BY_HAND: &str = "by hand";

const TABLE: &str = "CREATE TABLE plain (stored_at int8 NOT NULL, sequence int8 NOT NULL, source int4 NOT NULL, series int4 NOT NULL, \
         version int4, value text NOT NULL); \
     CREATE INDEX plain_place ON plain (source, series, stored_at, sequence)";

const COPY: &str = "COPY plain FROM STDIN BINARY";

const INSERT: &str = "INSERT INTO plain SELECT r.stored_at, r.sequence, 1, r.series, NULL, r.value \
     FROM unnest($1::int8[], $2::int8[], $3::int4[], $4::text[]) r(stored_at, sequence, series, value)";

const NEWEST: &str = "SELECT stored_at, value FROM plain WHERE source = 1 AND series = $1 ORDER BY stored_at DESC, sequence DESC LIMIT 1";

const NEWEST_OF_ALL: &str = "SELECT k.series, h.stored_at, h.value FROM unnest($1::int4[]) k(series) CROSS JOIN LATERAL \
     (SELECT stored_at, value FROM plain WHERE source = 1 AND series = k.series ORDER BY stored_at DESC, sequence DESC LIMIT 1) h";

pub(super) fn run(bench: &Bench, report: &mut Report) -> Outcome {
    let Some(server) = aimdb_persistence_test_server::server() else {
        return Ok(());
    };
    runtime()?.block_on(async {
        let (backend, hand) = (open(&server, "gateway").await?, by_hand(&server).await?);
        let declared = (0..SERIES).map(|n| {
            let declared =
                SeriesDeclaration::new(series_key(n)).with_template("temperature.{station}");
            declared.with_retention(Some(Retention::Milliseconds(366 * 86_400_000)))
        });
        backend.declare(&declared.collect::<Vec<_>>()).await?;
        let rows = bench.size(1_000_000, 200_000);
        store(&backend, &hand, rows, report).await?;
        store_small(&backend, &hand, bench.size(400, 100), report).await?;
        hand.batch_execute("VACUUM ANALYZE").await?;
        newest(&backend, &hand, bench.size(2_000, 500), report).await?;
        scan(&backend, &hand, report).await?;
        drop_expired(&backend, rows, report).await
    })
}

async fn open(server: &Server, source: &str) -> Outcome<PostgresBackend> {
    Ok(PostgresBackend::builder(&server.url())
        .source(source)
        .connect()
        .await?)
}

async fn by_hand(server: &Server) -> Outcome<Client> {
    let (client, connection) = tokio_postgres::connect(&server.url(), NoTls).await?;
    tokio::spawn(connection);
    client.batch_execute(TABLE).await?;
    Ok(client)
}

fn json(n: u64) -> Outcome<String> {
    Ok(serde_json::to_string(&Reading::nth(n))?)
}

fn at(n: u64) -> u64 {
    START_MS + n / SERIES * 1_000
}

fn batch(rows: std::ops::Range<u64>) -> Outcome<Arc<Rows>> {
    let mut batch = Rows::new();
    for n in rows {
        batch.push(&series_key(n % SERIES), at(n), &json(n)?);
    }
    Ok(Arc::new(batch))
}

/// Commits of many rows, one after the other; the two take turns.
async fn store(
    backend: &PostgresBackend,
    hand: &Client,
    rows: u64,
    report: &mut Report,
) -> Outcome {
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let types = [
        Type::INT8,
        Type::INT8,
        Type::INT4,
        Type::INT4,
        Type::INT4,
        Type::TEXT,
    ];
    for first in (0..rows).step_by(ROWS_PER_COMMIT as usize) {
        let these = batch(first..first + ROWS_PER_COMMIT)?;
        let began = Instant::now();
        let outcome = backend.store_batch(these).await;
        ours.push(ROWS_PER_COMMIT as f64 / began.elapsed().as_secs_f64());
        if let Some(error) = outcome.stopped_by {
            return Err(error.into());
        }
        let texts: Vec<String> = (first..first + ROWS_PER_COMMIT)
            .map(json)
            .collect::<Outcome<_>>()?;
        let began = Instant::now();
        let sink = hand.copy_in(COPY).await?;
        let mut writer = pin!(BinaryCopyInWriter::new(sink, &types));
        let mut order: Vec<u64> = (first..first + ROWS_PER_COMMIT).collect();
        order.sort_by_key(|n| (n % SERIES, *n));
        for n in order {
            let series = (n % SERIES) as i32;
            let text = &texts[(n - first) as usize];
            let row: [&(dyn tokio_postgres::types::ToSql + Sync); 6] = [
                &(at(n) as i64),
                &(n as i64),
                &1_i32,
                &series,
                &None::<i32>,
                text,
            ];
            writer.as_mut().write(&row).await?;
        }
        writer.finish().await?;
        theirs.push(ROWS_PER_COMMIT as f64 / began.elapsed().as_secs_f64());
    }
    let hand = (BY_HAND, median(theirs));
    report.beside(
        "commits of 10,000 rows, one writer",
        "rows/s",
        median(ours),
        hand,
    );
    Ok(())
}

async fn store_small(
    backend: &PostgresBackend,
    hand: &Client,
    commits: u64,
    report: &mut Report,
) -> Outcome {
    let insert = hand.prepare(INSERT).await?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for commit in 0..commits {
        let first = 100_000_000 + commit * 100;
        let these = batch(first..first + 100)?;
        let began = Instant::now();
        let outcome = backend.store_batch(these).await;
        ours.push(100.0 / began.elapsed().as_secs_f64());
        if let Some(error) = outcome.stopped_by {
            return Err(error.into());
        }
        let texts: Vec<String> = (first..first + 100).map(json).collect::<Outcome<_>>()?;
        let times: Vec<i64> = (first..first + 100).map(|n| at(n) as i64).collect();
        let sequences: Vec<i64> = (first as i64..).take(100).collect();
        let series: Vec<i32> = (first..first + 100).map(|n| (n % SERIES) as i32).collect();
        let began = Instant::now();
        hand.execute(&insert, &[&times, &sequences, &series, &texts])
            .await?;
        theirs.push(100.0 / began.elapsed().as_secs_f64());
    }
    let hand = (BY_HAND, median(theirs));
    report.beside(
        "commits of 100 rows, one writer",
        "rows/s",
        median(ours),
        hand,
    );
    Ok(())
}

async fn newest(
    backend: &PostgresBackend,
    hand: &Client,
    repeats: u64,
    report: &mut Report,
) -> Outcome {
    let (newest, of_all) = (
        hand.prepare(NEWEST).await?,
        hand.prepare(NEWEST_OF_ALL).await?,
    );
    let all: Vec<i32> = (0..SERIES as i32).collect();
    let (mut one, mut one_by_hand) = (Latencies::new(), Latencies::new());
    let (mut every, mut every_by_hand) = (Latencies::new(), Latencies::new());
    let everything = ReadRequest::new(Pattern::parse(PATTERN)?).with_limit(1);
    for n in 0..repeats {
        let request = ReadRequest::new(Pattern::exact(series_key(n % SERIES))).with_limit(1);
        let began = Instant::now();
        backend.read(request).await?;
        one.push_since(began);
        let began = Instant::now();
        hand.query(&newest, &[&((n % SERIES) as i32)]).await?;
        one_by_hand.push_since(began);
        if n % 10 == 0 {
            let began = Instant::now();
            backend.read(everything.clone()).await?;
            every.push_since(began);
            let began = Instant::now();
            hand.query(&of_all, &[&all]).await?;
            every_by_hand.push_since(began);
        }
    }
    let hand = (BY_HAND, one_by_hand.median_us());
    report.beside("newest row of one series, p50", "µs", one.median_us(), hand);
    let hand = (BY_HAND, every_by_hand.median_us());
    report.beside(
        "newest row of 100 series, p50",
        "µs",
        every.median_us(),
        hand,
    );
    Ok(())
}

async fn scan(backend: &PostgresBackend, hand: &Client, report: &mut Report) -> Outcome {
    use futures_util::TryStreamExt as _;
    let archive = Archive::open(Arc::new(backend.clone())).await?;
    let began = Instant::now();
    let values = Temperature::history(&archive).values().await?;
    let ours = values.len() as f64 / began.elapsed().as_secs_f64();
    let began = Instant::now();
    let sql =
        "SELECT value FROM plain WHERE source = 1 ORDER BY series, stored_at DESC, sequence DESC";
    let rows = hand.query_raw(sql, None::<i32>).await?;
    let mut rows = pin!(rows);
    let mut found: Vec<Reading> = Vec::new();
    while let Some(row) = rows.try_next().await? {
        found.push(serde_json::from_str(row.get(0))?);
    }
    let theirs = found.len() as f64 / began.elapsed().as_secs_f64();
    report.beside("typed scan of every row", "rows/s", ours, (BY_HAND, theirs));
    Ok(())
}

async fn drop_expired(backend: &PostgresBackend, rows: u64, report: &mut Report) -> Outcome {
    let request = SweepRequest {
        now_ms: at(rows) + 366 * 86_400_000 + 1,
        default_retention: Retention::Forever,
        longest_retention: Retention::Forever,
        max_ahead_ms: 0,
        clock_is_trusted: true,
    };
    let began = Instant::now();
    let swept = backend.sweep(request).await?;
    let took = began.elapsed().as_secs_f64();
    report.alone(
        format!("dropping {} expired rows", swept.removed),
        "s",
        took,
    );
    Ok(())
}
