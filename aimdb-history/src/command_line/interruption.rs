//! Ctrl-C: the command is dropped where it waits, and what it had under way is undone.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use event_listener::Event;

use crate::error::HistoryError;

/// Whether somebody has interrupted the program.
#[derive(Debug, Clone, Default)]
pub(crate) struct Interruption {
    came: Arc<AtomicBool>,
    event: Arc<Event>,
}

impl Interruption {
    /// Listens for Ctrl-C, and for the signals that ask a program to end. The second one ends it at once.
    pub(crate) fn listen() -> Result<Self, HistoryError> {
        let interruption = Self::default();
        let heard = interruption.clone();
        let listening = ctrlc::set_handler(move || {
            if heard.came.swap(true, Ordering::SeqCst) {
                std::process::exit(130);
            }
            heard.event.notify(usize::MAX);
        });
        match listening {
            Ok(()) => Ok(interruption),
            // A program that calls this library has a handler of its own.
            Err(ctrlc::Error::MultipleHandlers) => Ok(interruption),
            Err(error) => Err(HistoryError::Output(io::Error::other(error))),
        }
    }

    /// Set when it has come, for work that does not wait.
    pub(crate) fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.came)
    }

    /// Resolves when it comes.
    pub(crate) async fn comes<X>(&self) -> Result<X, HistoryError> {
        loop {
            let listener = self.event.listen();
            if self.came.load(Ordering::SeqCst) {
                return Err(HistoryError::Interrupted);
            }
            listener.await;
        }
    }
}
