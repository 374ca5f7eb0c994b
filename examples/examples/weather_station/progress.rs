//! How far the replay has come: a bar per station in a terminal, a line per month elsewhere.

use std::io::{self, IsTerminal, Write};

use aimdb_persistence_examples::readings::{Reading, date_of};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressFinish, ProgressStyle};

pub(crate) struct Progress {
    /// `None` where nobody watches: bars would leave control characters in a file.
    bars: Option<MultiProgress>,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Self {
            bars: io::stderr().is_terminal().then(MultiProgress::new),
        }
    }

    /// The progress of one series, of which some values are stored already.
    pub(crate) fn station(&self, series: &str, readings: usize, stored: usize) -> StationProgress {
        let bar = self.bars.as_ref().map(|bars| {
            let bar = bars.add(ProgressBar::new(readings as u64));
            bar.with_position(stored as u64)
                .with_style(style())
                .with_prefix(series.to_owned())
                // The bar stays as it is when its producer is done.
                .with_finish(ProgressFinish::Abandon)
        });
        StationProgress {
            series: series.to_owned(),
            bar,
            month: String::new(),
        }
    }

    /// Draws no more after Ctrl-C: the `^C` that the terminal echoes shifts the bars, so that another drawing would
    /// leave a broken copy behind. The text goes on below.
    pub(crate) fn interrupt(&self) {
        if let Some(bars) = &self.bars {
            bars.set_draw_target(ProgressDrawTarget::hidden());
            eprintln!();
        }
    }
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("  {prefix:20} {bar:30} {human_pos:>6} of {human_len}  {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("━╸ ")
}

pub(crate) struct StationProgress {
    series: String,
    bar: Option<ProgressBar>,
    /// The month of the last line.
    month: String,
}

impl StationProgress {
    /// These readings were produced.
    pub(crate) fn advance(&mut self, readings: &[Reading]) {
        let Some(last) = readings.last() else { return };
        let date = date_of(last.at);
        if let Some(bar) = &self.bar {
            bar.set_message(date[..10].to_owned());
            bar.inc(readings.len() as u64);
        } else if date[..7] != self.month {
            self.month = date[..7].to_owned();
            // A reader of this output that has gone must not end the recording.
            let _ = writeln!(io::stderr(), "  {:<20} {}", self.series, self.month);
        }
    }
}
