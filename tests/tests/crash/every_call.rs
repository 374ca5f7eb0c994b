//! Every call of the file system fails in turn, once or for ever, while rows are stored, swept, queried and copied, while a
//! damaged file is set aside, and while one is salvaged. Afterwards everything is there that was said to be.
//!
//! A life that goes wrong is named, and `CRASH_TESTS_FAULT=… cargo test …` repeats it. One pass meets each kind of call with
//! each fault at one place. Each time has two passes, and all of them are at other places.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use aimdb_persistence_tests::crash::Promise;
use aimdb_persistence_tests::crash::errand::Kind;

use crate::errands::{Ground, live};
use crate::times;

const EIO: i32 = 5;
const EMFILE: i32 = 24;
const ENOSPC: i32 = 28;
/// In place of an error.
const SHORT_COUNT: i32 = 0;

/// What may fail, and how.
const CALLS: [(&str, &[i32]); 7] = [
    ("open", &[EIO, ENOSPC, EMFILE]),
    ("read", &[EIO, SHORT_COUNT]),
    ("write", &[EIO, ENOSPC, SHORT_COUNT]),
    ("sync", &[EIO, ENOSPC]),
    ("truncate", &[EIO, ENOSPC]),
    ("rename", &[EIO, ENOSPC]),
    ("unlink", &[EIO]),
];

const ERRANDS: [(&str, Kind); 4] = [
    ("record", Kind::Record),
    ("backup", Kind::BackUp),
    ("quarantine", Kind::Quarantine),
    ("salvage", Kind::Salvage),
];

const DURABILITIES: [(&str, Promise); 3] = [
    ("full", Promise::Full),
    ("grouped", Promise::Grouped),
    ("relaxed", Promise::Relaxed),
];

/// `record:full:write:17:1:5`: while it records, under full durability, the 17th write fails, once, with the error 5.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    errand: usize,
    durability: usize,
    call: String,
    nth: usize,
    /// 0 is for ever.
    times: usize,
    error: i32,
}

impl Fault {
    pub(crate) fn errand(&self) -> Kind {
        ERRANDS[self.errand].1
    }

    pub(crate) fn durability(&self) -> Promise {
        DURABILITIES[self.durability].1
    }

    /// In the words of `tape.c`.
    pub(crate) fn on_tape(&self) -> String {
        let Self {
            call,
            nth,
            times,
            error,
            ..
        } = self;
        format!("{call}:{nth}:{times}:{error}:*")
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (errand, durability) = (ERRANDS[self.errand].0, DURABILITIES[self.durability].0);
        let Self {
            call,
            nth,
            times,
            error,
            ..
        } = self;
        write!(f, "{errand}:{durability}:{call}:{nth}:{times}:{error}")
    }
}

impl FromStr for Fault {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<&str> = text.split(':').collect();
        let [errand, durability, call, nth, times, error] = parts[..] else {
            return Err("a fault has six parts");
        };
        let number = |text: &str| text.parse().map_err(|_| "this is not a number");
        Ok(Self {
            errand: ERRANDS
                .iter()
                .position(|(name, _)| *name == errand)
                .ok_or("no such errand")?,
            durability: DURABILITIES
                .iter()
                .position(|(name, _)| *name == durability)
                .ok_or("no such durability")?,
            call: call.to_owned(),
            nth: number(nth)?,
            times: number(times)?,
            error: error.parse().map_err(|_| "this is no error")?,
        })
    }
}

/// Each kind of call of each errand, with each fault, at as many places as there are passes.
fn faults(ground: &Ground, passes: usize) -> Vec<Fault> {
    if let Ok(fault) = std::env::var("CRASH_TESTS_FAULT") {
        return vec![fault.parse().expect("CRASH_TESTS_FAULT is a fault")];
    }
    let mut random = fastrand::Rng::new();
    let mut faults = Vec::new();
    for (errand, (_, kind)) in ERRANDS.iter().enumerate() {
        let counts: BTreeMap<String, usize> = ground.calls(*kind);
        for (call, errors) in CALLS {
            let count = counts[call];
            for (error, times) in errors.iter().flat_map(|error| [(*error, 1), (*error, 0)]) {
                let places = passes.min(count);
                faults.extend((0..places).map(|place| Fault {
                    errand,
                    durability: random.usize(0..DURABILITIES.len()),
                    call: call.to_owned(),
                    nth: 1 + (place * count + random.usize(0..count)) / places,
                    times,
                    error,
                }));
            }
        }
    }
    random.shuffle(&mut faults);
    faults
}

#[test]
fn every_call_fails_in_turn_and_what_was_answered_is_true() {
    let ground = Ground::prepare();
    let faults = faults(&ground, times(2));
    let (next, promised) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let problems = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(fault) = faults.get(next.fetch_add(1, Ordering::Relaxed)) {
                    match live(&ground, fault) {
                        Ok(rows) => _ = promised.fetch_add(rows, Ordering::Relaxed),
                        Err(problem) => {
                            let problem = format!("CRASH_TESTS_FAULT={fault}: {problem}");
                            eprintln!("{problem}");
                            let problems = problems.lock();
                            problems
                                .unwrap_or_else(PoisonError::into_inner)
                                .push(problem);
                        }
                    }
                }
            });
        }
    });
    let (problems, lives) = (
        problems.into_inner().expect("no thread panics"),
        faults.len(),
    );
    println!(
        "{lives} lives, {} rows promised",
        promised.load(Ordering::Relaxed)
    );
    let failed = problems.len();
    assert!(
        failed == 0,
        "{failed} of {lives} lives went wrong:\n{}",
        problems.join("\n")
    );
    assert!(
        promised.load(Ordering::Relaxed) > lives,
        "nothing was tested"
    );
}
