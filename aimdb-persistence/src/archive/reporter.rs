//! To whom events are reported: a callback, and `tracing` or stderr.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use aimdb_persistence_backend::on_one_line;

use crate::archive::event::PersistenceEvent;

/// The callback that hears of every event.
pub(crate) type EventListener = Arc<dyn Fn(&PersistenceEvent) + Send + Sync>;

/// Tells the log, and the callback if there is one.
pub(crate) struct Reporter {
    listener: Option<EventListener>,
}

impl Reporter {
    pub(crate) fn new(listener: Option<EventListener>) -> Self {
        Self { listener }
    }

    /// A callback that panics misses this event. Nothing else happens.
    pub(crate) fn report(&self, event: &PersistenceEvent) {
        log(event);
        if let Some(listener) = &self.listener
            && catch_unwind(AssertUnwindSafe(|| listener(event))).is_err()
        {
            warn("the on_event callback panicked");
        }
    }
}

impl fmt::Debug for Reporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reporter").finish_non_exhaustive()
    }
}

fn log(event: &PersistenceEvent) {
    match event {
        #[cfg(feature = "tracing")]
        PersistenceEvent::BackendRecovered | PersistenceEvent::HistoryBegun { .. } => {
            tracing::info!("{event}")
        }
        _ => warn(&event.to_string()),
    }
}

/// One line for whoever runs the program. What names and foreign errors bring along ends no line and moves no cursor.
pub(crate) fn warn(message: &str) {
    let message = on_one_line(message);
    #[cfg(feature = "tracing")]
    tracing::warn!("{message}");
    #[cfg(not(feature = "tracing"))]
    {
        use std::io::Write as _;
        // Closing stderr is a choice. `eprintln!` would panic in the recorder's task.
        let _ = writeln!(std::io::stderr(), "aimdb-persistence: {message}");
    }
}
