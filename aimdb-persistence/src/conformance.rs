//! The promises of [`PersistenceBackend`](crate::PersistenceBackend), as checks that a backend author runs against
//! theirs (feature `conformance`).
//!
//! A backend author writes one function: it makes an empty backend, runs the check that it is given
//! on it, and takes down what it set up. [`conformance_tests!`](crate::conformance_tests) makes one
//! test of each check, so that a failure names the promise that is broken.
//!
//! ```
//! // tests/conformance.rs
//! use std::sync::Arc;
//! use aimdb_persistence::{MemoryBackend, conformance};
//!
//! fn on_a_fresh_backend(check: conformance::Check) {
//!     let backend = Arc::new(MemoryBackend::new());
//!     conformance::block_on(check.run(backend));
//! }
//!
//! aimdb_persistence::conformance_tests!(on_a_fresh_backend);
//! # conformance::CHECKS.iter().copied().for_each(on_a_fresh_backend);
//! ```
//!
//! These are the checks of the [contract](crate::backend::conformance), where it says what is asked of whom, and those
//! that ask by typed queries: sums, buckets, the list of series.

mod aggregates;
mod by_hand;
mod conditions;
mod extents;
mod managing;
mod model;
mod over_time;
mod questions;
mod states;

pub use aimdb_persistence_backend::conformance::{Check, block_on};

use aimdb_persistence_backend::conformance::CHECKS as OF_THE_CONTRACT;

/// The check of this name, if there is one in [`CHECKS`].
pub fn named(name: &str) -> Option<Check> {
    CHECKS.iter().find(|check| check.name() == name).copied()
}

/// A macro that is expanded elsewhere finds the contract's own here.
#[doc(hidden)]
pub use aimdb_persistence_backend::conformance_tests as contract_tests;

/// Makes the list of checks, and the macro that makes tests of them, from one enumeration.
macro_rules! checks {
    ($dollar:tt $($module:ident { $($name:ident,)+ })+) => {
        /// The checks that ask by queries.
        const OF_QUERIES: &[Check] = &[$($(Check::new(
            stringify!($name),
            |subject| Box::pin($module::$name(subject)),
        ),)+)+];

        /// Makes a `#[test]` of every [check](crate::conformance::CHECKS): its argument is a function that takes one
        /// and runs it on a fresh, empty backend.
        ///
        /// See the [module](crate::conformance) for an example. For several backends in one file,
        /// call it in a module for each.
        #[macro_export]
        macro_rules! conformance_tests {
            ($dollar on_a_fresh_backend:expr) => {
                $crate::conformance::contract_tests!($dollar on_a_fresh_backend);
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
    questions {
        questions_are_answered_like_a_list_would,
        a_stream_is_the_answer_in_pages,
        the_value_in_force_is_the_newest_up_to_then,
    }
    aggregates {
        numbers_are_summed_up_like_those_of_a_list,
        few_points_are_some_of_all_and_the_ends_and_extremes_among_them,
    }
    over_time {
        means_over_time_begin_with_what_was_in_force,
        buckets_are_those_of_a_list,
    }
    states {
        states_are_those_of_a_list,
        runs_are_those_of_a_list,
    }
    by_hand {
        a_door_stays_as_it_is_until_it_is_moved,
        a_range_ends_at_its_bound_or_now_or_with_the_newest_row,
        a_mean_over_time_weighs_every_number_by_its_time,
        a_meter_counts_from_the_reading_before,
        numbers_beyond_all_floats_are_told_apart,
        gaps_are_filled_from_the_rows_around_the_range,
        a_variant_that_carries_data_is_a_state_by_its_name,
    }
    managing {
        what_is_deleted_is_what_was_said_and_nothing_else,
    }
    extents {
        series_are_listed_with_how_far_they_reach,
    }
}

/// Every check there is: those of the contract, and those that ask by queries.
pub const CHECKS: &[Check] = &all();

const fn all() -> [Check; OF_THE_CONTRACT.len() + OF_QUERIES.len()] {
    let mut checks = [OF_QUERIES[0]; OF_THE_CONTRACT.len() + OF_QUERIES.len()];
    let mut index = 0;
    while index < OF_THE_CONTRACT.len() {
        checks[index] = OF_THE_CONTRACT[index];
        index += 1;
    }
    while index < checks.len() {
        checks[index] = OF_QUERIES[index - OF_THE_CONTRACT.len()];
        index += 1;
    }
    checks
}
