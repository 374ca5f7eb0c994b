//! The wall clock.

use std::time::{SystemTime, UNIX_EPOCH};

/// The current time in Unix milliseconds, as queries take it.
///
/// # Panics
/// If the clock stands before 1970 or after 500 million years.
pub fn now_ms() -> u64 {
    let since_1970 = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("the clock stands after 1970");
    since_1970
        .as_millis()
        .try_into()
        .expect("the clock stands in this geological era")
}
