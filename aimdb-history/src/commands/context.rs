//! What every command works with.

use std::io::{self, BufRead, IsTerminal, Write};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::error::HistoryError;
use crate::location::{Location, OpenHistory, Purpose};
use crate::output::{Format, Printer, Progress};
use crate::question::Clock;

/// What every command works with.
pub(crate) struct Context {
    pub(crate) location: Location,
    pub(crate) clock: Clock,
    pub(crate) format: Format,
    /// Of the terminal that the output goes to.
    pub(crate) width: Option<u16>,
    quiet: bool,
    interrupted: Arc<AtomicBool>,
    /// What has been opened: it is closed at the end, however that comes.
    opened: Mutex<Vec<OpenHistory>>,
}

/// A file whose last reader or writer is this program takes no longer to close.
const CLOSE_DEADLINE: Duration = Duration::from_secs(30);

impl Context {
    pub(crate) fn new(location: Location, clock: Clock, format: Format) -> Self {
        let is_terminal = io::stdout().is_terminal();
        let width = terminal_size::terminal_size().map(|(width, _)| width.0);
        Self {
            location,
            clock,
            format,
            width: width.filter(|_| is_terminal),
            quiet: false,
            interrupted: Arc::default(),
            opened: Mutex::default(),
        }
    }

    /// Tells nothing but the answer.
    pub(crate) fn quiet(self, quiet: bool) -> Self {
        Self { quiet, ..self }
    }

    pub(crate) fn interrupted_by(self, interrupted: Arc<AtomicBool>) -> Self {
        Self {
            interrupted,
            ..self
        }
    }

    /// Set when the program is to end, for work that does not wait.
    pub(crate) fn interrupted(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.interrupted)
    }

    /// Opens the history that the command is about.
    pub(crate) async fn open(&self, purpose: Purpose) -> Result<OpenHistory, HistoryError> {
        self.open_at(&self.location, purpose).await
    }

    /// Opens another one.
    pub(crate) async fn open_at(
        &self,
        location: &Location,
        purpose: Purpose,
    ) -> Result<OpenHistory, HistoryError> {
        let history = location.open(purpose).await?;
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        opened.push(history.clone());
        Ok(history)
    }

    /// Closes what was opened, so that nothing is left beside the files.
    pub(crate) async fn close(&self) -> Result<(), HistoryError> {
        let opened = {
            let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *opened)
        };
        let close = async {
            for history in opened {
                history.close().await?;
            }
            Ok(())
        };
        let too_late = async {
            futures_timer::Delay::new(CLOSE_DEADLINE).await;
            Ok(())
        };
        futures_lite::future::or(close, too_late).await
    }

    /// Writes an answer.
    pub(crate) fn print<X>(
        &self,
        print: impl FnOnce(&mut Printer<'_>) -> io::Result<X>,
    ) -> Result<X, HistoryError> {
        let stdout = io::stdout();
        let mut out = io::BufWriter::new(stdout.lock());
        let mut printer = Printer {
            format: self.format,
            clock: &self.clock,
            width: self.width,
            out: &mut out,
        };
        let printed = print(&mut printer)?;
        out.flush()?;
        Ok(printed)
    }

    /// Tells a person what was done. A reader of it that has gone is no failure.
    pub(crate) fn say(&self, what: &str) {
        if !self.quiet {
            let _ = writeln!(io::stderr(), "{what}");
        }
    }

    pub(crate) fn progress(&self, doing: &str, total: u64) -> Progress {
        match self.quiet {
            true => Progress::hidden(),
            false => Progress::new(doing, total),
        }
    }

    /// Asks before something is changed.
    ///
    /// # Errors
    /// [`HistoryError::NotConfirmed`] if the answer is not yes, or nobody is there to be asked.
    pub(crate) fn confirm(&self, yes: bool, question: &str) -> Result<(), HistoryError> {
        if yes {
            return Ok(());
        }
        let refused = |why: &str| Err(HistoryError::NotConfirmed(why.to_owned()));
        if !io::stdin().is_terminal() {
            return refused(
                "nothing was changed: nobody can be asked here; --yes does it without asking",
            );
        }
        let mut stderr = io::stderr();
        write!(stderr, "{question} [y/N] ")?;
        stderr.flush()?;
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer)?;
        match &*answer.trim().to_lowercase() {
            "y" | "yes" => Ok(()),
            _ => refused("nothing was changed"),
        }
    }
}

/// There is no such series, and what may be meant.
pub(crate) fn no_series<'k>(pattern: &str, keys: impl Iterator<Item = &'k str>) -> String {
    let nearest = keys
        .map(|key| (strsim::jaro_winkler(key, pattern), key))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|(one, _), (other, _)| one.total_cmp(other));
    match nearest {
        Some((_, key)) => format!("no series is selected by `{pattern}`; did you mean `{key}`?"),
        None => format!("no series is selected by `{pattern}`; `series` lists those there are"),
    }
}
