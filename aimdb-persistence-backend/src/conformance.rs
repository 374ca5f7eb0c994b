//! The promises of [`PersistenceBackend`], as checks that a backend author runs against theirs
//! (feature `conformance`).
//!
//! A backend author writes one function: it makes an empty backend, runs the check that it is given
//! on it, and takes down what it set up. [`conformance_tests!`](crate::conformance_tests) makes one
//! test of each check, so that a failure names the promise that is broken.
//!
//! ```
//! // tests/conformance.rs
//! use std::sync::Arc;
//! use aimdb_persistence_backend::{MemoryBackend, conformance};
//!
//! fn on_a_fresh_backend(check: conformance::Check) {
//!     let backend = Arc::new(MemoryBackend::new());
//!     conformance::block_on(check.run(backend));
//! }
//!
//! aimdb_persistence_backend::conformance_tests!(on_a_fresh_backend);
//! # conformance::CHECKS.iter().copied().for_each(on_a_fresh_backend);
//! ```
//!
//! A backend that needs a runtime runs the check on that instead of [`block_on`]; one that needs a
//! folder makes it in the function, which outlives the check.
//!
//! # What is asked of whom
//! The three required methods are enough to pass. What they cannot do is asked only of backends
//! that [keep declarations](PersistenceBackend::keeps_declarations): to select by template, to
//! sweep by each series' own retention, and to refuse invalid keys, and times beyond `i64::MAX`,
//! with an error about this one row (`InvalidKey`, `Unstorable` or `Serialization`), so that a
//! recorder does not try again. Other backends may store such rows if they then answer with them
//! unchanged.
//!
//! What goes beyond that is asked of backends that say they [support](PersistenceBackend::supports) it.
//!
//! The module of the same name in `aimdb-persistence` has these checks, and those that ask by typed queries.

mod batches;
mod concurrency;
mod cursors;
mod declarations;
mod features;
mod last_stored;
mod limits;
pub(crate) mod lottery;
mod managing;
mod order;
mod pages;
mod patterns;
mod refusals;
mod removal;
mod reopening;
mod scans;
pub(crate) mod subject;
mod values;

use std::fmt;
use std::sync::Arc;

pub use futures_lite::future::block_on;

use crate::conformance::subject::{Open, Subject};
use crate::contract::backend::{BoxFuture, PersistenceBackend};

/// One promise of the contract, and how to see whether it is kept.
#[derive(Clone, Copy)]
pub struct Check {
    name: &'static str,
    run: fn(Subject) -> BoxFuture<'static, ()>,
}

impl Check {
    /// The promise in words: `of_equal_times_the_row_stored_last_comes_first`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// For the suite that goes on where this one ends.
    #[doc(hidden)]
    pub const fn new(name: &'static str, run: fn(Subject) -> BoxFuture<'static, ()>) -> Self {
        Self { name, run }
    }

    /// Initializes `backend`, which must be without rows and declarations, and tries it.
    ///
    /// # Panics
    /// If the promise is broken; the message says how.
    pub async fn run(self, backend: Arc<dyn PersistenceBackend>) {
        (self.run)(Subject::initialize(backend).await).await;
    }

    /// The same for a backend whose rows outlast it. `open` opens the storage, which must be empty the first time. A check
    /// of what is kept lets go of the backend and opens it again: the new one may have to wait for the old one to close.
    ///
    /// # Panics
    /// If the promise is broken; the message says how.
    pub async fn run_reopening<B>(self, open: impl Fn() -> B + Send + Sync + 'static)
    where
        B: Future<Output = Arc<dyn PersistenceBackend>> + Send + 'static,
    {
        let open: Open = Box::new(move || Box::pin(open()));
        (self.run)(Subject::open(open).await).await;
    }
}

/// The check of this name, if there is one in [`CHECKS`].
pub fn named(name: &str) -> Option<Check> {
    CHECKS.iter().find(|check| check.name == name).copied()
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Check").field(&self.name).finish()
    }
}

/// Makes the list of checks, and the macro that makes tests of them, from one enumeration.
macro_rules! checks {
    ($dollar:tt $($module:ident { $($name:ident,)+ })+) => {
        /// Every check there is.
        pub const CHECKS: &[Check] = &[$($(Check::new(
            stringify!($name),
            |subject| Box::pin($module::$name(subject)),
        ),)+)+];

        /// Makes a `#[test]` of every [check](crate::conformance::Check): its argument is a
        /// function that takes one and runs it on a fresh, empty backend.
        ///
        /// See the [module](crate::conformance) for an example. For several backends in one file,
        /// call it in a module for each.
        #[macro_export]
        macro_rules! conformance_tests {
            ($dollar on_a_fresh_backend:expr) => {
                $($(
                    #[test]
                    fn $name() {
                        let check = $crate::conformance::named(stringify!($name));
                        ($dollar on_a_fresh_backend)(check.expect("the check is listed"));
                    }
                )+)+
            };
        }
    };
}

checks! { $
    values {
        an_empty_backend_answers_empty,
        a_stored_value_comes_back_as_it_was,
        a_deeply_nested_value_does_no_harm,
        the_first_and_the_last_storable_time_are_kept,
        initializing_again_keeps_every_row,
        a_flush_ends_and_keeps_every_row,
    }
    order {
        rows_come_by_record_name_then_newest_first,
        of_equal_times_the_row_stored_last_comes_first,
        equal_rows_are_each_kept,
        oldest_first_is_the_exact_reverse_within_each_record,
    }
    limits {
        the_limit_holds_for_each_record,
        the_limit_takes_the_newest_within_the_bounds,
        a_limit_of_zero_returns_nothing_and_a_huge_one_everything,
        time_bounds_include_their_ends,
        a_range_that_ends_before_it_starts_is_empty,
        time_bounds_beyond_every_row_are_answered,
    }
    patterns {
        a_pattern_selects_no_row_outside_it,
        the_lone_wildcards_select_every_record,
        an_exact_key_is_literal,
        wildcards_are_the_only_special_characters,
        a_malformed_pattern_selects_nothing,
    }
    removal {
        cleanup_removes_what_is_older_and_says_how_many,
        cleanup_at_the_end_of_time_removes_everything,
        a_sweep_follows_the_retentions,
        a_sweep_removes_nothing_that_is_kept_for_ever,
    }
    refusals {
        a_time_that_cannot_be_stored_does_no_harm,
        an_invalid_key_does_no_harm,
    }
    batches {
        a_batch_is_stored_like_its_rows_one_by_one,
        of_equal_times_the_last_row_of_a_batch_comes_first,
        an_empty_batch_is_settled_at_once,
        an_unstorable_row_holds_up_no_other,
    }
    pages {
        pages_of_every_size_make_up_the_whole,
        pages_of_every_byte_budget_make_up_the_whole,
        the_limit_holds_over_all_pages_together,
        the_bounds_hold_on_every_page,
        rows_written_between_pages_do_not_show,
        rows_removed_between_pages_disturb_no_other,
    }
    cursors {
        a_foreign_cursor_is_refused,
        a_cursor_leads_to_no_row_outside_the_request,
    }
    scans {
        a_scan_shows_what_pages_show,
        a_scan_goes_on_where_it_stopped,
        a_visitor_may_leave_a_series_early,
        a_scan_without_json_shows_every_row,
    }
    managing {
        erasing_removes_the_rows_of_one_series_between_two_times,
        a_renamed_series_keeps_its_rows,
        a_renamed_series_takes_a_copy_of_its_declaration_along,
    }
    declarations {
        declaring_changes_no_row,
        a_template_selects_the_series_declared_with_it,
        the_latest_declaration_of_a_series_counts,
        a_declaration_without_a_template_leaves_the_one_that_is_known,
        what_is_declared_comes_back_with_its_texts,
        declarations_are_selected_by_pattern,
        the_latest_declaration_of_a_series_comes_back,
    }
    features {
        the_version_of_a_row_comes_back_with_it,
        a_sweep_leaves_the_newest_rows_however_old,
        a_sweep_removes_rows_beyond_the_greatest_number,
        of_rows_with_one_time_as_many_are_kept_as_declared,
        rows_ahead_of_the_clock_are_none_of_the_newest_to_keep,
    }
    last_stored {
        the_row_stored_last_is_told_whatever_its_time,
        a_row_that_replaces_another_is_as_old_as_that,
        of_removed_rows_none_is_the_last_stored,
    }
    reopening {
        rows_outlast_the_backend,
        declarations_outlast_the_backend,
    }
    concurrency {
        concurrent_stores_lose_nothing,
        a_query_while_storing_sees_every_answered_row,
        a_dropped_future_does_no_harm,
    }
}
