//! The sweep: removes expired rows at the start and then at intervals, unless the clock has jumped.

use std::sync::Arc;
use std::time::{Duration, Instant};

use aimdb_persistence_backend::{PersistenceError, Retention, SweepReport, SweepRequest};
use futures_lite::future::or;

use crate::archive::event::PersistenceEvent;
use crate::recorder::recording::Recorder;
use crate::time::{duration_ms, now_ms};

const DAY: Duration = Duration::from_secs(86_400);
const SHORTEST_INTERVAL: Duration = Duration::from_secs(1);

/// By how much the wall clock may run ahead of the monotonic one between two sweeps: clocks are corrected and drift,
/// but do not leap. A quarter of the shortest retention, where that is less.
const TOLERATED_LEAP: Duration = Duration::from_secs(3_600);

/// A clock that has leapt is believed when it has run evenly for so long since.
const PROBATION: Duration = DAY;

/// A clock that is not believed is looked at again after so long: it may be set right soon after the start.
const NEXT_LOOK: Duration = Duration::from_secs(600);

/// Sweeps until nothing more can be produced.
pub(crate) async fn sweep_at_intervals(recorder: Arc<Recorder>) {
    let interval = interval(&recorder);
    let mut clock = ClockWatch::new(interval.min(TOLERATED_LEAP));
    let mut put_off = None;
    loop {
        let was_put_off = std::mem::replace(&mut put_off, sweep(&recorder, &mut clock).await);
        if let (Some(elapsed_ms), None) = (put_off, was_put_off) {
            recorder.report(&PersistenceEvent::SweepPutOff { elapsed_ms });
        }
        let ended = async {
            recorder.end().await;
        };
        let pause = match put_off.is_some() || clock.is_doubted {
            true => interval.min(NEXT_LOOK),
            false => interval,
        };
        or(recorder.clock().sleep(pause), ended).await;
        if recorder.is_over() {
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
    let declared = recorder.archive().registry().retentions();
    declared.into_iter().chain([recorder.options().retention])
}

/// Sweeps. If the clock cannot be believed, answers how much time seems to have passed.
async fn sweep(recorder: &Recorder, clock: &mut ClockWatch) -> Option<u64> {
    let now_ms = now_ms();
    let trust = match clock.observe(now_ms, Instant::now()) {
        Ok(trust) => trust,
        Err(elapsed_ms) => return Some(elapsed_ms),
    };
    // A retention that was refused removes nothing.
    if recorder.options().check().is_err() {
        return None;
    }
    let sweep = async || try_sweep(recorder, now_ms, trust == Trust::Observed).await;
    let swept = recorder.call(sweep).await;
    recorder.archive().report_health();
    match swept {
        Ok(report) => {
            recorder.archive().count_swept(report.removed);
            clock.is_doubted = report.clock_is_behind;
            report.put_off
        }
        // Its owner has closed it, and the database may go on without a history for a moment.
        Err(PersistenceError::BackendShutdown) => None,
        Err(error) => {
            let error = error.to_string();
            recorder.report(&PersistenceEvent::SweepFailed { error });
            None
        }
    }
}

async fn try_sweep(
    recorder: &Recorder,
    now_ms: u64,
    clock_is_trusted: bool,
) -> Result<SweepReport, PersistenceError> {
    recorder.archive().prepare().await?;
    let default_retention = recorder.options().retention;
    let longest_retention = all_retentions(recorder).fold(default_retention, Retention::max);
    let request = SweepRequest {
        now_ms,
        default_retention,
        longest_retention,
        max_ahead_ms: recorder.options().max_ahead_ms,
        clock_is_trusted,
    };
    recorder.backend().sweep(request).await
}

/// Compares the wall clock with the monotonic one from sweep to sweep.
#[derive(Debug)]
struct ClockWatch {
    tolerance_ms: u64,
    begun: Option<Instant>,
    /// The last reading that was believed.
    believed: Option<Reading>,
    /// The reading since which a clock that has leapt runs evenly.
    leapt: Option<Reading>,
    /// What the history holds lies far ahead of the last reading. So it says nothing against a later one.
    is_doubted: bool,
}

#[derive(Debug, Clone, Copy)]
struct Reading {
    wall_ms: u64,
    at: Instant,
}

impl Reading {
    /// What the wall clock should say at `at`.
    fn expected_ms(self, at: Instant) -> u64 {
        self.wall_ms
            .saturating_add(duration_ms(at.saturating_duration_since(self.at)))
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Trust {
    /// It has not been watched for long.
    Unknown,
    /// It has been watched for a day, and has run evenly.
    Observed,
}

impl ClockWatch {
    fn new(tolerance: Duration) -> Self {
        Self {
            tolerance_ms: duration_ms(tolerance),
            begun: None,
            believed: None,
            leapt: None,
            is_doubted: false,
        }
    }

    fn has_leapt(&self, now: Reading) -> bool {
        self.believed.is_some_and(|believed| {
            let latest_ms = believed.expected_ms(now.at);
            now.wall_ms > latest_ms.saturating_add(self.tolerance_ms)
        })
    }

    /// How far the reading can be believed. If it cannot, how much time seems to have passed.
    fn observe(&mut self, wall_ms: u64, at: Instant) -> Result<Trust, u64> {
        let now = Reading { wall_ms, at };
        if self.is_doubted && self.has_leapt(now) {
            *self = Self::new(Duration::from_millis(self.tolerance_ms));
        }
        let begun = *self.begun.get_or_insert(at);
        let believed = *self.believed.get_or_insert(now);
        if self.has_leapt(now) {
            let leapt = *self.leapt.get_or_insert(now);
            let is_even = wall_ms.abs_diff(leapt.expected_ms(at)) <= self.tolerance_ms;
            if !is_even {
                self.leapt = Some(now);
            }
            if !is_even || at.saturating_duration_since(leapt.at) < PROBATION {
                return Err(wall_ms - believed.wall_ms);
            }
        }
        (self.believed, self.leapt) = (Some(now), None);
        let watched = at.saturating_duration_since(begun);
        Ok(if watched < PROBATION {
            Trust::Unknown
        } else {
            Trust::Observed
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3_600);
    const YEAR_MS: u64 = 365 * 24 * 3_600_000;

    /// A clock that says how late it is after so much time, with a leap of so many milliseconds.
    fn observe(
        clock: &mut ClockWatch,
        start: Instant,
        elapsed: Duration,
        leap_ms: u64,
    ) -> Result<Trust, u64> {
        clock.observe(
            50 * YEAR_MS + duration_ms(elapsed) + leap_ms,
            start + elapsed,
        )
    }

    #[test]
    fn a_clock_that_runs_evenly_is_trusted_after_a_day() {
        let (start, mut clock) = (Instant::now(), ClockWatch::new(HOUR));
        assert_eq!(
            observe(&mut clock, start, Duration::ZERO, 0),
            Ok(Trust::Unknown)
        );
        assert_eq!(observe(&mut clock, start, HOUR, 0), Ok(Trust::Unknown));
        assert_eq!(observe(&mut clock, start, DAY, 0), Ok(Trust::Observed));
        assert_eq!(
            observe(&mut clock, start, DAY + HOUR, 1_000),
            Ok(Trust::Observed),
            "drift"
        );
    }

    #[test]
    fn a_leap_is_believed_only_after_a_day_however_often_it_is_looked_at() {
        let (start, mut clock) = (Instant::now(), ClockWatch::new(Duration::from_secs(22)));
        observe(&mut clock, start, Duration::ZERO, 0).unwrap();
        for minutes in 1..(24 * 60) {
            let elapsed = Duration::from_secs(60) * minutes;
            assert!(
                observe(&mut clock, start, elapsed, YEAR_MS).is_err(),
                "{minutes} minutes"
            );
        }
        let later = DAY + Duration::from_secs(60);
        assert_eq!(
            observe(&mut clock, start, later, YEAR_MS),
            Ok(Trust::Observed)
        );
    }

    #[test]
    fn a_leap_that_is_taken_back_is_forgotten() {
        let (start, mut clock) = (Instant::now(), ClockWatch::new(HOUR));
        observe(&mut clock, start, Duration::ZERO, 0).unwrap();
        assert!(observe(&mut clock, start, HOUR, YEAR_MS).is_err());
        assert_eq!(observe(&mut clock, start, 2 * HOUR, 0), Ok(Trust::Unknown));
        assert!(
            observe(&mut clock, start, 30 * HOUR, YEAR_MS).is_err(),
            "a new leap, a new probation"
        );
    }

    #[test]
    fn a_leap_is_measured_against_what_the_shortest_retention_can_bear() {
        let (start, mut clock) = (Instant::now(), ClockWatch::new(Duration::from_secs(450)));
        observe(&mut clock, start, Duration::ZERO, 0).unwrap();
        let (ten_minutes, elapsed_ms) = (600_000, 3_600_000 + 600_000);
        assert_eq!(
            observe(&mut clock, start, HOUR, ten_minutes),
            Err(elapsed_ms)
        );
    }

    #[test]
    fn a_clock_that_leaps_away_from_a_reading_that_the_history_contradicts_is_watched_anew() {
        let (start, mut clock) = (Instant::now(), ClockWatch::new(HOUR));
        observe(&mut clock, start, Duration::ZERO, 0).unwrap();
        clock.is_doubted = true;
        observe(&mut clock, start, DAY, 0).unwrap();
        let set_right = observe(&mut clock, start, DAY + HOUR, YEAR_MS);
        assert_eq!(
            set_right,
            Ok(Trust::Unknown),
            "what it said before counts for nothing"
        );
        assert!(observe(&mut clock, start, DAY + 2 * HOUR, 2 * YEAR_MS).is_err());
        clock = ClockWatch::new(HOUR);
        observe(&mut clock, start, Duration::ZERO, 0).unwrap();
        clock.is_doubted = true;
        observe(&mut clock, start, HOUR, YEAR_MS).unwrap();
        let later = observe(&mut clock, start, HOUR + DAY, YEAR_MS);
        assert_eq!(later, Ok(Trust::Observed));
    }

    #[test]
    fn a_clock_that_goes_on_leaping_is_never_believed() {
        let (start, mut clock) = (Instant::now(), ClockWatch::new(HOUR));
        observe(&mut clock, start, Duration::ZERO, 0).unwrap();
        for days in 1..10 {
            assert!(observe(&mut clock, start, DAY * days, YEAR_MS * u64::from(days)).is_err());
        }
    }
}
