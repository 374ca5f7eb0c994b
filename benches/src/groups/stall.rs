//! How long a task on the runtime is kept from running while 500 taps record: a heartbeat every millisecond.

use std::sync::Arc;
use std::time::{Duration, Instant};

use aimdb_core::buffer::BufferCfg;
use aimdb_core::{AimDbBuilder, StringKey};
use aimdb_persistence::{AimDbQueryExt, RecordRegistrarPersistExt};
use aimdb_persistence_workload::{Latencies, series_keys};
use aimdb_tokio_adapter::{TokioAdapter, TokioRecordRegistrarExt};
use tokio::runtime::Runtime;
use tokio::time::MissedTickBehavior;

use crate::bench::{Bench, Outcome};
use crate::history::{self, Builder, Db, Temperature};
use crate::report::Report;

const TAPS: u64 = 500;
const BEAT: Duration = Duration::from_millis(1);

/// Every record gets one value so often: 50,000 values a second in all.
const ROUND: Duration = Duration::from_millis(10);

/// Values of each record that its buffer holds.
const RING: usize = 1_024;

pub(super) fn run(bench: &Bench, report: &mut Report) -> Outcome {
    let length = Duration::from_secs(bench.size(10, 2));
    let idle = recording(bench, length, false)?;
    let recording = recording(bench, length, true)?;
    let counting = counting(length)?;
    for (share, name) in [
        (0.5, "median"),
        (0.999, "99.9th percentile"),
        (1.0, "longest"),
    ] {
        let stall = |beats: &Latencies| beats.quantile_us(share) / 1_000.0;
        for (name_of_reference, reference) in
            [("the taps idle", &idle), ("taps that only read", &counting)]
        {
            let case = format!("stall while {TAPS} taps record, {name}");
            report.beside(
                case,
                "ms",
                stall(&recording),
                (name_of_reference, stall(reference)),
            );
        }
    }
    Ok(())
}

/// One thread for everything: a task that blocks stalls the heartbeat for certain.
fn single_thread() -> Outcome<Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?)
}

/// Taps that record, with values or without.
fn recording(bench: &Bench, length: Duration, with_values: bool) -> Outcome<Latencies> {
    let scratch = bench.scratch()?;
    single_thread()?.block_on(async {
        let backend = history::open(&scratch.path().join("history.db"))?;
        let mut builder = history::builder(history::options(&backend));
        for key in series_keys(TAPS) {
            builder.configure::<Temperature>(StringKey::intern(&key), |reg| {
                reg.buffer(BufferCfg::SpmcRing { capacity: RING })
                    .persist(key);
            });
        }
        let db = builder.build().await?;
        db.flush_persistence().await?;
        let beats = heartbeat(&db, length, with_values).await?;
        db.flush_persistence().await?;
        let lost = db.persistence_stats()?.total.lost();
        if lost > 0 {
            return Err(format!("{lost} values were lost").into());
        }
        drop(db);
        backend.close().await?;
        Ok(beats)
    })
}

/// The same values into taps that read them and do nothing: what AimDB and the producer take by themselves.
fn counting(length: Duration) -> Outcome<Latencies> {
    single_thread()?.block_on(async {
        let mut builder: Builder = AimDbBuilder::new().runtime(Arc::new(TokioAdapter));
        for key in series_keys(TAPS) {
            builder.configure::<Temperature>(StringKey::intern(key), |reg| {
                reg.buffer(BufferCfg::SpmcRing { capacity: RING })
                    .tap(|_, consumer| async move {
                        let Ok(mut reader) = consumer.subscribe() else {
                            return;
                        };
                        while reader.recv().await.is_ok() {}
                    });
            });
        }
        let db = builder.build().await?;
        heartbeat(&db, length, true).await
    })
}

/// How much later than due each beat comes.
async fn heartbeat(db: &Db, length: Duration, with_values: bool) -> Outcome<Latencies> {
    let producing = with_values.then(|| tokio::spawn(produce(db.clone(), length)));
    let mut late = Latencies::new();
    let mut beats = tokio::time::interval(BEAT);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let begin = Instant::now();
    let mut last = beats.tick().await;
    while begin.elapsed() < length {
        beats.tick().await;
        let now = tokio::time::Instant::now();
        late.push(now.duration_since(last).saturating_sub(BEAT));
        last = now;
    }
    if let Some(producing) = producing {
        producing.await??;
    }
    Ok(late)
}

async fn produce(db: Db, length: Duration) -> Outcome {
    let keys = series_keys(TAPS);
    let mut rounds = tokio::time::interval(ROUND);
    for round in 0..(length.as_millis() / ROUND.as_millis()) as u64 {
        rounds.tick().await;
        for (index, key) in keys.iter().enumerate() {
            let value = Temperature::nth(round * TAPS + index as u64);
            db.produce(key, value).await?;
            // A source yields now and then; 500 values in a row would be its own stall.
            if index % 50 == 49 {
                tokio::task::yield_now().await;
            }
        }
    }
    Ok(())
}
