//! The time that an answer over time is about, and for how long values hold in it.

use crate::archive::Archive;
use crate::declaration::declared::Declaration;
use crate::declaration::policy::Policy;
use crate::query::history::{Question, Take};
use crate::thinning::criteria::Criteria;
use crate::time::now_ms;
use aimdb_persistence_packed::statistics::Window;

/// The time that a question is about.
///
/// It ends at `until`; with `since` alone now; with neither, at the newest row. Where `until` lies ahead of now, it ends at
/// the later of now and the newest row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Range {
    pub(crate) start_ms: Option<u64>,
    until_ms: Option<u64>,
    now_ms: u64,
    take: Take,
}

impl Range {
    pub(crate) fn of(question: &Question) -> Self {
        Self {
            start_ms: question.start_ms,
            until_ms: question.end_ms,
            now_ms: now_ms(),
            take: question.take,
        }
    }

    /// Of a series with rows of these times. `None` where it has none, and the question no bounds.
    pub(crate) fn of_series(&self, rows: &RowTimes) -> Option<Window> {
        let newest_ms = rows.all.map(|(_, newest)| newest);
        let end_ms = match (self.start_ms, self.until_ms) {
            _ if matches!(self.take, Take::Oldest(_)) => newest_ms?,
            (_, Some(until)) if until <= self.now_ms => until,
            (None, None) => newest_ms?,
            _ => newest_ms.unwrap_or(0).max(self.now_ms),
        };
        let start_ms = match self.take {
            Take::Latest(_) => rows.first_own_ms?,
            Take::All | Take::Oldest(_) => self.start_ms.or(rows.all.map(|(first, _)| first))?,
        };
        let is_in_order = start_ms <= end_ms;
        is_in_order.then_some(Window { start_ms, end_ms })
    }

    /// The end alone, which is known as soon as the newest row is.
    pub(crate) fn end_with(&self, newest_ms: u64) -> u64 {
        let mut rows = RowTimes::default();
        rows.add(newest_ms, true);
        self.of_series(&rows)
            .map_or(newest_ms, |window| window.end_ms)
    }

    /// The row before the range is part of the answer: not of one that is confined to the newest rows.
    pub(crate) fn before_ms(&self) -> Option<u64> {
        let reaches_back = match self.take {
            Take::All => true,
            Take::Oldest(rows) => rows > 0,
            Take::Latest(_) => false,
        };
        self.start_ms.filter(|_| reaches_back)?.checked_sub(1)
    }

    /// So is the row after it: not of one that is confined to the oldest rows.
    pub(crate) fn after_ms(&self) -> Option<u64> {
        let reaches_on = match self.take {
            Take::All => true,
            Take::Latest(rows) => rows > 0,
            Take::Oldest(_) => false,
        };
        self.until_ms.filter(|_| reaches_on)?.checked_add(1)
    }
}

/// The times of the first and the newest row of a series within the bounds of the question.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct RowTimes {
    /// Of all rows.
    all: Option<(u64, u64)>,
    /// The first of those for which the condition holds, and which decode.
    first_own_ms: Option<u64>,
}

impl RowTimes {
    pub(crate) fn add(&mut self, at_ms: u64, is_own: bool) {
        let (first, newest) = self.all.unwrap_or((at_ms, at_ms));
        self.all = Some((first.min(at_ms), newest.max(at_ms)));
        if is_own {
            let first_ms = self.first_own_ms.unwrap_or(at_ms);
            self.first_own_ms = Some(first_ms.min(at_ms));
        }
    }

    pub(crate) fn are_none(&self) -> bool {
        self.all.is_none()
    }
}

/// What is declared of a series, as far as answers depend on it.
pub(crate) struct TermsOfSeries {
    archive: Archive,
    declaration: Option<Declaration>,
    holds_ms: Option<u64>,
}

impl TermsOfSeries {
    /// `None` where the database has no history.
    pub(crate) fn of(question: &Question) -> Option<Self> {
        Some(Self {
            archive: question.archive().ok()?.clone(),
            declaration: question.declaration.map(|declaration| declaration()),
            holds_ms: question.holds_ms,
        })
    }

    /// A series' own policy comes before that of its type.
    fn policy(&self, record_name: &str) -> Policy {
        let known = self.archive.registry().known(record_name);
        let of_type = || self.declaration.map(|declaration| declaration.policy());
        known
            .map(|record| record.policy())
            .or_else(of_type)
            .unwrap_or_default()
    }

    /// For how long a value holds.
    pub(crate) fn holds_ms(&self, record_name: &str) -> u64 {
        let declared = || {
            let max_silence_ms = self.policy(record_name).max_silence_ms?;
            Some(max_silence_ms.saturating_mul(2))
        };
        self.holds_ms.or_else(declared).unwrap_or(u64::MAX)
    }

    /// What compares two values of a series: its event time and the fields that its policy ignores make no difference.
    pub(crate) fn identity(&self, record_name: &str) -> Criteria {
        let policy = self.policy(record_name);
        let known = self.archive.registry().known(record_name);
        let of_record = known.as_ref().and_then(|record| record.gated());
        let of_record = of_record.map(|rules| rules.apart()).unwrap_or_default();
        let of_type = self
            .declaration
            .map(|declaration| declaration.event_time_fields());
        let event_time = of_type.unwrap_or_default().iter().chain(of_record);
        Criteria::of_changes(policy.ignored().chain(event_time.copied()))
    }
}
