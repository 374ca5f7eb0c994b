//! What is on the disk after a crash of the process, and after a power cut: everything that was promised, in order.
//!
//! `CRASH_TESTS_TIMES=50 cargo test -p aimdb-persistence-tests --test crash` does everything fifty times over. Where a test
//! that fails names a seed, `CRASH_TESTS_SEED=… cargo test …` takes the same decisions again.

#![cfg(unix)]

mod child;
#[cfg(all(target_os = "linux", target_env = "gnu", target_pointer_width = "64"))]
mod errands;
#[cfg(all(target_os = "linux", target_env = "gnu", target_pointer_width = "64"))]
mod every_call;
mod history;
#[cfg(all(target_os = "linux", target_env = "gnu", target_pointer_width = "64"))]
mod io_faults;
mod kills;
#[cfg(all(target_os = "linux", target_env = "gnu", target_pointer_width = "64"))]
mod power_cuts;

/// How often to do something that is done `count` times on every change.
fn times(count: usize) -> usize {
    match std::env::var("CRASH_TESTS_TIMES") {
        Ok(times) => {
            count
                * times
                    .parse::<usize>()
                    .expect("CRASH_TESTS_TIMES is a number")
        }
        Err(_) => count,
    }
}

/// The seeds of so many stories; the one that is asked for, if any.
fn seeds(count: usize) -> Vec<u64> {
    match std::env::var("CRASH_TESTS_SEED") {
        Ok(seed) => vec![seed.parse().expect("CRASH_TESTS_SEED is a number"); times(1)],
        Err(_) => (0..times(count)).map(|_| fastrand::u64(..)).collect(),
    }
}
