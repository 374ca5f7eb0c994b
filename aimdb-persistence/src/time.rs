//! Times and durations: Unix milliseconds everywhere, and retention as a length of time or for ever.

use std::future::Future;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_lite::future::or;
use futures_timer::Delay;

/// The wall clock in Unix milliseconds; 0 before 1970.
pub(crate) fn now_ms() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, duration_ms)
}

/// A duration in whole milliseconds, saturating.
pub(crate) fn duration_ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// `None` if the work takes longer than that, in real time.
pub(crate) async fn within<T>(time: Duration, work: impl Future<Output = T>) -> Option<T> {
    let late = async {
        Delay::new(time).await;
        None
    };
    or(async { Some(work.await) }, late).await
}
