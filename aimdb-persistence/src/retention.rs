//! The sweep: removes expired rows at the start and then at intervals, unless the clock has jumped.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_lite::future::or;

use crate::backend::{SweepReport, SweepRequest};
use crate::error::PersistenceError;
use crate::event::PersistenceEvent;
use crate::recorder::{Recorder, Sleep};
use crate::time::{Retention, duration_ms, now_ms};

const DAY: Duration = Duration::from_secs(86_400);
const SHORTEST_INTERVAL: Duration = Duration::from_secs(1);

/// By how much the wall clock may run ahead of the monotonic one between two sweeps: clocks are corrected and drift,
/// but do not leap.
const TOLERATED_LEAP_MS: u64 = 3_600_000;

/// Sweeps until the database is dropped or recording is closed.
pub(crate) async fn sweep_at_intervals(recorder: Arc<Recorder>, sleep: Sleep) {
    let interval = interval(&recorder);
    let mut clock = ClockWatch::default();
    loop {
        sweep(&recorder, &mut clock).await;
        or(sleep(interval), recorder.ending()).await;
        if recorder.is_ending() {
            return;
        }
    }
}

/// Daily, or four times within the shortest retention, so that no row outlives its own by more than a quarter.
fn interval(recorder: &Recorder) -> Duration {
    let of = |retention: Retention| match retention {
        Retention::Forever => DAY,
        Retention::Milliseconds(length) => Duration::from_millis(length / 4),
    };
    let shortest = all_retentions(recorder).map(of).min().unwrap_or(DAY);
    shortest.clamp(SHORTEST_INTERVAL, DAY)
}

fn all_retentions(recorder: &Recorder) -> impl Iterator<Item = Retention> {
    let declared = recorder.registry().retentions();
    declared.into_iter().chain([recorder.options().retention])
}

async fn sweep(recorder: &Recorder, clock: &mut ClockWatch) {
    let now_ms = now_ms();
    let trust = match clock.observe(now_ms, Instant::now()) {
        Ok(trust) => trust,
        Err(leap) => {
            return recorder.report(&PersistenceEvent::SweepPutOff { elapsed_ms: leap });
        }
    };
    let sweep = async || try_sweep(recorder, now_ms, trust == Trust::Observed).await;
    match recorder.call(sweep).await {
        Ok(SweepReport {
            put_off: Some(elapsed_ms),
            ..
        }) => {
            recorder.report(&PersistenceEvent::SweepPutOff { elapsed_ms });
        }
        Ok(_) => {}
        Err(error) => recorder.report(&PersistenceEvent::SweepFailed {
            error: error.to_string(),
        }),
    }
}

async fn try_sweep(
    recorder: &Recorder,
    now_ms: u64,
    clock_is_trusted: bool,
) -> Result<SweepReport, PersistenceError> {
    recorder.prepare().await?;
    let default_retention = recorder.options().retention;
    let longest_retention = all_retentions(recorder).fold(default_retention, Retention::max);
    let request = SweepRequest {
        now_ms,
        default_retention,
        longest_retention,
        clock_is_trusted,
    };
    recorder.backend().sweep(request).await
}

/// Compares the wall clock with the monotonic one from sweep to sweep.
#[derive(Debug, Default)]
struct ClockWatch {
    last: Option<(u64, Instant)>,
}

#[derive(Debug, PartialEq, Eq)]
enum Trust {
    /// The first look: nothing to compare with.
    Unknown,
    /// The wall clock has advanced as time has passed.
    Observed,
}

impl ClockWatch {
    /// How far the reading can be trusted, or by how much the wall clock has leapt ahead since the last look. A leap
    /// is not taken for one twice: if the clock still says so at the next look, it was set right.
    fn observe(&mut self, wall_ms: u64, monotonic: Instant) -> Result<Trust, u64> {
        let Some((last_wall_ms, last_monotonic)) = self.last.replace((wall_ms, monotonic)) else {
            return Ok(Trust::Unknown);
        };
        let wall_elapsed = wall_ms.saturating_sub(last_wall_ms);
        let elapsed = duration_ms(monotonic.saturating_duration_since(last_monotonic));
        if wall_elapsed > elapsed.saturating_add(TOLERATED_LEAP_MS) {
            return Err(wall_elapsed);
        }
        Ok(Trust::Observed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: u64 = 3_600_000;
    const YEAR_MS: u64 = 365 * 24 * HOUR_MS;

    #[test]
    fn a_wall_clock_that_leaps_ahead_puts_one_sweep_off() {
        let start = Instant::now();
        let mut clock = ClockWatch::default();
        assert_eq!(clock.observe(YEAR_MS, start), Ok(Trust::Unknown));
        let next_day = start + DAY;
        assert_eq!(
            clock.observe(2 * YEAR_MS, next_day),
            Err(YEAR_MS),
            "a year within a day"
        );
        let day_after = next_day + DAY;
        assert_eq!(
            clock.observe(2 * YEAR_MS + 24 * HOUR_MS, day_after),
            Ok(Trust::Observed)
        );
    }

    #[test]
    fn a_leap_that_is_taken_back_before_the_next_sweep_erases_nothing() {
        let start = Instant::now();
        let mut clock = ClockWatch::default();
        clock.observe(YEAR_MS, start).unwrap();
        assert!(clock.observe(2 * YEAR_MS, start + DAY).is_err());
        assert_eq!(
            clock.observe(YEAR_MS + 48 * HOUR_MS, start + 2 * DAY),
            Ok(Trust::Observed)
        );
    }

    #[test]
    fn drift_and_corrections_within_an_hour_are_no_leap() {
        let start = Instant::now();
        let mut clock = ClockWatch::default();
        clock.observe(YEAR_MS, start).unwrap();
        assert_eq!(
            clock.observe(YEAR_MS + 25 * HOUR_MS, start + DAY),
            Ok(Trust::Observed)
        );
    }
}
