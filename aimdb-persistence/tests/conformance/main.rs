//! The suite for backend authors, tried on backends that keep the promises and on backends that
//! break them.
#![cfg(feature = "conformance")]

mod broken;
mod faults;
mod required_only;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aimdb_persistence::conformance::{self, CHECKS, Check};
use aimdb_persistence::{MemoryBackend, PersistenceBackend};

use broken::Broken;
use faults::{FAULTS, Fault};
use required_only::{RequiredOnly, Undemanding};

/// Runs the check on a backend with this fault, and hands back the message of its panic, if it fails.
fn complaint(check: Check, fault: Fault) -> Option<String> {
    let storage = MemoryBackend::new();
    let is_first = AtomicBool::new(true);
    let open = move || {
        let (storage, is_first) = (storage.clone(), is_first.swap(false, Ordering::Relaxed));
        async move {
            let broken = Broken::start(fault, storage, is_first).await;
            Arc::new(broken) as Arc<dyn PersistenceBackend>
        }
    };
    let run = || conformance::block_on(check.run_reopening(open));
    let panic = catch_unwind(AssertUnwindSafe(run)).err()?;
    let message = panic.downcast_ref::<String>().cloned();
    Some(message.unwrap_or_else(|| "a panic without a message".to_owned()))
}

mod memory_backend {
    use super::*;

    aimdb_persistence::conformance_tests!(|check: Check| {
        let rows = MemoryBackend::new();
        let open = move || {
            let backend: Arc<dyn PersistenceBackend> = Arc::new(rows.clone());
            async { backend }
        };
        conformance::block_on(check.run_reopening(open));
    });
}

mod required_methods_only {
    use super::*;

    aimdb_persistence::conformance_tests!(|check: Check| {
        conformance::block_on(check.run(Arc::new(RequiredOnly::default())));
    });
}

mod required_methods_only_and_no_row_refused {
    use super::*;

    aimdb_persistence::conformance_tests!(|check: Check| {
        conformance::block_on(check.run(Arc::new(Undemanding::default())));
    });
}

#[test]
fn a_backend_without_a_fault_passes_through_the_wrapper_that_breaks_others() {
    for check in CHECKS {
        let complaint = complaint(*check, Fault::None);
        assert_eq!(complaint, None, "{}", check.name());
    }
}

#[test]
fn every_fault_fails_the_checks_that_name_it() {
    for (fault, names) in FAULTS {
        for name in *names {
            let check = conformance::named(name).expect(name);
            let complaint = complaint(check, *fault);
            assert!(complaint.is_some(), "{fault:?} passed `{name}`");
        }
    }
}

#[test]
fn every_check_can_fail() {
    let listed: BTreeSet<_> = CHECKS.iter().map(Check::name).collect();
    let named = FAULTS.iter().flat_map(|(_, names)| *names);
    let can_fail: BTreeSet<_> = named.copied().collect();
    assert_eq!(listed, can_fail);
}

#[test]
fn a_failing_check_says_which_promise_is_broken() {
    for (fault, name, promise) in [
        (
            Fault::LeaksByPrefix,
            "a_pattern_selects_no_row_outside_it",
            "a pattern must select the records of the grammar and no other (`sensors.*`)",
        ),
        (
            Fault::CursorIsIgnored,
            "pages_of_every_size_make_up_the_whole",
            "paging must end",
        ),
        (
            Fault::PagesAreTooLong,
            "pages_of_every_size_make_up_the_whole",
            "a page must end after `max_rows`",
        ),
        (
            Fault::OrderOfTiesIsReversed,
            "of_equal_times_the_row_stored_last_comes_first",
            "the one stored last must come first",
        ),
        (
            Fault::RefusesWithoutSayingWhy,
            "an_invalid_key_does_no_harm",
            "must be refused with an error about this row",
        ),
    ] {
        let check = conformance::named(name).expect(name);
        let complaint = complaint(check, fault).expect("the check fails");
        assert!(complaint.contains(promise), "{fault:?}: {complaint}");
    }
}
