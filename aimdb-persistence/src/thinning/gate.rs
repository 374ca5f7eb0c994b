//! Which values of one series become rows: the state that a policy needs, in order of arrival.
//!
//! Nothing in here waits, reads a clock or knows where rows go. Times are those of the values: their event time, or when
//! they were received. A value is compared with the row stored last, whatever its time: after a clock was set back that is
//! not the newest one.

mod interval;

use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::sync::Arc;

use crate::declaration::policy::{Keep, MinInterval};
use crate::thinning::criteria::Criteria;
use crate::thinning::gate::interval::{Interval, is_within};
use crate::thinning::sample::Mark;

/// What becomes of a value now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is to be stored; whoever stores it says later whether it was.
    Store(Ticket),
    Suppress,
    /// It waits for the end of its interval.
    Hold,
}

/// Names a value that is on its way to the backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ticket(u64);

/// The way that values take to the backend. Those of one way get there in their order; of two ways nobody knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Way(pub(crate) u64);

/// What has become of a value that was on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Settled {
    /// It is the row stored last.
    Added,
    /// It has taken the place of a row of the same time.
    Replaced,
    NotStored,
}

/// A value that waited, and what becomes of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Released<P> {
    pub(crate) value: P,
    /// `Store` or `Suppress`.
    pub(crate) verdict: Verdict,
}

impl<P> Released<P> {
    fn suppressed(value: P) -> Self {
        Self {
            value,
            verdict: Verdict::Suppress,
        }
    }
}

/// What a value brings about.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Admission<P> {
    /// Comes first in order of arrival.
    pub(crate) released: Option<Released<P>>,
    pub(crate) verdict: Verdict,
}

/// The state of one series. `P` is what is kept of a value that waits.
#[derive(Debug)]
pub(crate) struct Gate<P> {
    criteria: Arc<Criteria>,
    /// The row that the backend has stored last.
    stored: Option<Mark>,
    /// Another row may be the last: `stored` is but the best that is known. Every value is news until the backend is asked,
    /// or a value is stored that was given a later ticket than this.
    doubt: Option<Ticket>,
    /// Values on their way to the backend, in order of arrival. Those that it has stored stay while older ones are still
    /// on their way.
    under_way: VecDeque<UnderWay>,
    interval: Option<Interval<P>>,
    intervals: u64,
    next_ticket: u64,
}

#[derive(Debug)]
struct UnderWay {
    ticket: Ticket,
    way: Way,
    mark: Mark,
    settled: Option<Settled>,
}

impl<P> Gate<P> {
    pub(crate) fn new(criteria: Arc<Criteria>) -> Self {
        Self {
            criteria,
            stored: None,
            doubt: None,
            under_way: VecDeque::new(),
            interval: None,
            intervals: 0,
            next_ticket: 0,
        }
    }

    /// Learns the row that the backend has stored last, if there is one. While values are on their way it is not known
    /// whether that is before or after them.
    pub(crate) fn learn(&mut self, stored: Option<Mark>) {
        if self.under_way.is_empty() {
            (self.stored, self.doubt) = (stored, None);
        }
    }

    /// The backend cannot say which row it has stored last.
    pub(crate) fn doubt(&mut self) {
        self.doubt = Some(Ticket(self.next_ticket));
    }

    /// Whether the backend is to be asked which row it has stored last.
    pub(crate) fn is_to_learn(&self) -> bool {
        self.doubt.is_some() && self.under_way.is_empty()
    }

    /// Judges the next value. `value` is asked for what is kept of it where it has to wait.
    pub(crate) fn admit(
        &mut self,
        mark: Mark,
        way: Way,
        value: impl FnOnce() -> P,
    ) -> Admission<P> {
        let ended = self.end_interval_before(mark.at_ms, way);
        if self.is_silent_before(&mark) {
            let waited = self.interval.take().map(|interval| interval.value);
            return Admission {
                released: ended.or(waited.map(Released::suppressed)),
                verdict: self.store(mark, way),
            };
        }
        if let Some(interval) = &mut self.interval {
            // By a clock that was set back it is of an interval that has had its row.
            if !interval.has_begun_by(mark.at_ms, self.criteria.min_interval) {
                return Admission {
                    released: None,
                    verdict: Verdict::Suppress,
                };
            }
            interval.last = mark;
            let waited = std::mem::replace(&mut interval.value, value());
            return Admission {
                released: Some(Released::suppressed(waited)),
                verdict: Verdict::Hold,
            };
        }
        Admission {
            released: ended,
            verdict: self.judge(mark, way, value),
        }
    }

    /// Judges a value while no interval is under way.
    fn judge(&mut self, mark: Mark, way: Way, value: impl FnOnce() -> P) -> Verdict {
        if !self.is_news(&mark) {
            return Verdict::Suppress;
        }
        match self.criteria.min_interval {
            // The interval has its row.
            Some(MinInterval { ms, .. }) if self.is_within_last(ms, &mark) => Verdict::Suppress,
            Some(MinInterval {
                keep: Keep::Last, ..
            }) => {
                self.intervals += 1;
                self.interval = Some(Interval {
                    began_ms: mark.at_ms,
                    last: mark,
                    value: value(),
                });
                Verdict::Hold
            }
            _ => self.store(mark, way),
        }
    }

    fn end_interval_before(&mut self, at_ms: u64, way: Way) -> Option<Released<P>> {
        let length_ms = self.criteria.min_interval?.ms;
        let began_ms = self.interval.as_ref()?.began_ms;
        if is_within(length_ms, began_ms, at_ms) {
            return None;
        }
        self.end_interval(way)
    }

    /// The number of the interval under way, and how long it is from its first value to its end.
    pub(crate) fn interval(&self) -> Option<(u64, u64)> {
        let length_ms = self.criteria.min_interval?.ms;
        let interval = self.interval.as_ref()?;
        Some((self.intervals, interval.left_ms(length_ms)))
    }

    /// Ends the interval under way, if there is one: its time is up, or nothing is to wait any longer.
    pub(crate) fn end_interval(&mut self, way: Way) -> Option<Released<P>> {
        let Interval { last, value, .. } = self.interval.take()?;
        let verdict = match self.is_silent_before(&last) || self.is_news(&last) {
            true => self.store(last, way),
            false => Verdict::Suppress,
        };
        Some(Released { value, verdict })
    }

    /// Learns what has become of a value on its way. One that was not stored is forgotten: what comes next is compared
    /// with what was stored before it.
    pub(crate) fn settle(&mut self, ticket: Ticket, settled: Settled) {
        let Ok(index) = self
            .under_way
            .binary_search_by_key(&ticket, |under_way| under_way.ticket)
        else {
            return;
        };
        match settled {
            Settled::NotStored => {
                self.under_way.remove(index);
            }
            stored => self.under_way[index].settled = Some(stored),
        }
        while let Some(settled) = self.under_way.front().and_then(|oldest| oldest.settled) {
            if let Some(UnderWay { ticket, mark, .. }) = self.under_way.pop_front() {
                self.is_stored(ticket, mark, settled);
            }
        }
    }

    fn is_stored(&mut self, ticket: Ticket, mark: Mark, settled: Settled) {
        let is_last = match (&self.stored, settled) {
            // The row that was replaced is the newest of its time: the last one, if that has this time.
            (Some(last), Settled::Replaced) => last.at_ms == mark.at_ms,
            (None, Settled::Replaced) => {
                self.doubt();
                false
            }
            (_, Settled::Added | Settled::NotStored) => {
                self.doubt.take_if(|doubt| ticket > *doubt);
                true
            }
        };
        if is_last {
            self.stored = Some(mark);
        }
    }

    /// Rows of these times were deleted: nothing that comes is compared with them.
    pub(crate) fn forget(&mut self, times_ms: &RangeInclusive<u64>) {
        let is_gone = |mark: &Mark| times_ms.contains(&mark.at_ms);
        // Of one on its way it is not known which came first.
        let any_under_way = self.under_way.iter().any(|one| is_gone(&one.mark));
        self.stored.take_if(|stored| is_gone(stored));
        if any_under_way || self.stored.is_none() {
            self.doubt();
        }
    }

    fn store(&mut self, mark: Mark, way: Way) -> Verdict {
        self.next_ticket += 1;
        let ticket = Ticket(self.next_ticket);
        if self.under_way.iter().any(|earlier| earlier.way != way) {
            self.doubt();
        }
        self.under_way.push_back(UnderWay {
            ticket,
            way,
            mark,
            settled: None,
        });
        Verdict::Store(ticket)
    }

    /// The last value that is stored, or is going to be.
    fn last(&self) -> Option<&Mark> {
        let under_way = self.under_way.back().map(|under_way| &under_way.mark);
        under_way.or(self.stored.as_ref())
    }

    fn is_news(&self, mark: &Mark) -> bool {
        let last = self.last();
        self.doubt.is_some()
            || last.is_none_or(|last| mark.sample.differs_from(&last.sample, &self.criteria))
    }

    /// Whether nothing was stored for so long that the value has to be.
    fn is_silent_before(&self, mark: &Mark) -> bool {
        let (Some(silence_ms), Some(last)) = (self.criteria.max_silence_ms, self.last()) else {
            return false;
        };
        mark.at_ms.abs_diff(last.at_ms) >= silence_ms
    }

    /// Whether a value lies in the interval of the last row.
    fn is_within_last(&self, length_ms: u64, mark: &Mark) -> bool {
        self.last()
            .is_some_and(|last| is_within(length_ms, last.at_ms, mark.at_ms))
    }
}

#[cfg(test)]
mod tests;
