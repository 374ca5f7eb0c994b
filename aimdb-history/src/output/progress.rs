//! How far a long command has come, on a terminal.

use std::io::{self, IsTerminal};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// A bar on a terminal, and nothing elsewhere: it would leave control characters in a file.
#[derive(Debug, Clone)]
pub struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// Of so many things; of 0, their number is not known.
    pub fn new(doing: &str, total: u64) -> Self {
        if !io::stderr().is_terminal() {
            return Self::hidden();
        }
        let (bar, template) = match total {
            0 => (
                ProgressBar::new_spinner(),
                "{spinner} {prefix}  {human_pos}  {per_sec}  {msg}",
            ),
            total => (
                ProgressBar::new(total),
                "{prefix}  {bar:30} {human_pos} of {human_len}  {per_sec}  {eta}  {msg}",
            ),
        };
        let style = ProgressStyle::with_template(template)
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .progress_chars("━╸ ");
        bar.set_style(style);
        bar.set_prefix(doing.to_owned());
        bar.enable_steady_tick(Duration::from_millis(200));
        Self { bar }
    }

    /// Shows nothing.
    pub fn hidden() -> Self {
        Self {
            bar: ProgressBar::hidden(),
        }
    }

    /// Whether it is of so many things.
    pub fn is_of(&self, total: u64) -> bool {
        self.bar.is_hidden() || self.bar.length() == Some(total)
    }

    /// So many are done.
    pub fn at(&self, done: u64) {
        self.bar.set_position(done);
    }

    /// What is being done now.
    pub fn say(&self, what: &str) {
        self.bar.set_message(what.to_owned());
    }
}

/// What follows stands where the bar was.
impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
