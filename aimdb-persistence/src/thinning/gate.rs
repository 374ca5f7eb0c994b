//! Which values of one series become rows: the state that a policy needs, in order of arrival.
//!
//! Nothing in here waits, reads a clock or knows where rows go. Times are those of the values: their event time, or when
//! they were received. The distance of two times counts, whichever is the later: a clock that was wrong silences a
//! series for no longer than one that is right.

use std::collections::VecDeque;
use std::ops::RangeInclusive;

use crate::declaration::policy::{Keep, MinInterval, Policy};
use crate::thinning::sample::Sample;

/// A value as a policy sees it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Mark {
    pub(crate) at_ms: u64,
    pub(crate) sample: Sample,
}

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
    policy: Policy,
    /// The last value that the backend has stored.
    stored: Option<Mark>,
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
    mark: Mark,
    is_stored: bool,
}

/// An interval of which the last value is kept. It is there from its first value to its end.
#[derive(Debug)]
struct Interval<P> {
    began_ms: u64,
    last: Mark,
    value: P,
}

impl<P> Gate<P> {
    pub(crate) fn new(policy: Policy) -> Self {
        Self {
            policy,
            stored: None,
            under_way: VecDeque::new(),
            interval: None,
            intervals: 0,
            next_ticket: 0,
        }
    }

    /// Begins after what a backend holds of the series from before.
    pub(crate) fn go_on_after(&mut self, stored: Option<Mark>) {
        self.stored = stored;
    }

    /// Judges the next value. `value` is asked for what is kept of it where it has to wait.
    pub(crate) fn admit(&mut self, mark: Mark, value: impl FnOnce() -> P) -> Admission<P> {
        let ended = self.end_interval_before(mark.at_ms);
        if self.is_silent_before(&mark) {
            let waited = self.interval.take().map(|interval| interval.value);
            return Admission {
                released: ended.or(waited.map(Released::suppressed)),
                verdict: self.store(mark),
            };
        }
        if let Some(interval) = &mut self.interval {
            interval.last = mark;
            let waited = std::mem::replace(&mut interval.value, value());
            return Admission {
                released: Some(Released::suppressed(waited)),
                verdict: Verdict::Hold,
            };
        }
        Admission {
            released: ended,
            verdict: self.judge(mark, value),
        }
    }

    /// Judges a value while no interval is under way.
    fn judge(&mut self, mark: Mark, value: impl FnOnce() -> P) -> Verdict {
        if !self.is_news(&mark) {
            return Verdict::Suppress;
        }
        match self.policy.min_interval {
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
            Some(MinInterval { ms, .. }) if self.is_within(ms, &mark) => Verdict::Suppress,
            _ => self.store(mark),
        }
    }

    fn end_interval_before(&mut self, at_ms: u64) -> Option<Released<P>> {
        let length_ms = self.policy.min_interval?.ms;
        let began_ms = self.interval.as_ref()?.began_ms;
        if at_ms.abs_diff(began_ms) < length_ms {
            return None;
        }
        self.end_interval()
    }

    /// The number of the interval under way.
    pub(crate) fn interval(&self) -> Option<u64> {
        self.interval.as_ref().map(|_| self.intervals)
    }

    /// Ends the interval under way, if there is one: its time is up, or nothing is to wait any longer.
    pub(crate) fn end_interval(&mut self) -> Option<Released<P>> {
        let Interval { last, value, .. } = self.interval.take()?;
        let verdict = match self.is_silent_before(&last) || self.is_news(&last) {
            true => self.store(last),
            false => Verdict::Suppress,
        };
        Some(Released { value, verdict })
    }

    /// Learns what has become of a value on its way. One that was not stored is forgotten: what comes next is compared
    /// with what was stored before it.
    pub(crate) fn settle(&mut self, ticket: Ticket, is_stored: bool) {
        let Ok(index) = self
            .under_way
            .binary_search_by_key(&ticket, |under_way| under_way.ticket)
        else {
            return;
        };
        if is_stored {
            self.under_way[index].is_stored = true;
        } else {
            self.under_way.remove(index);
        }
        while self
            .under_way
            .front()
            .is_some_and(|oldest| oldest.is_stored)
        {
            self.stored = self.under_way.pop_front().map(|oldest| oldest.mark);
        }
    }

    /// Rows of these times were deleted: nothing that comes is compared with them.
    pub(crate) fn forget(&mut self, times_ms: &RangeInclusive<u64>) {
        let is_gone = |mark: &Mark| times_ms.contains(&mark.at_ms);
        self.stored.take_if(|stored| is_gone(stored));
        // Of one on its way it is not known which came first. At worst a row is stored that says nothing new.
        self.under_way.retain(|under_way| !is_gone(&under_way.mark));
    }

    /// What a backend holds of the series, where nothing is known of that: after rows have come or gone by other ways.
    pub(crate) fn find(&mut self, stored: Mark) {
        self.stored.get_or_insert(stored);
    }

    fn store(&mut self, mark: Mark) -> Verdict {
        self.next_ticket += 1;
        let ticket = Ticket(self.next_ticket);
        self.under_way.push_back(UnderWay {
            ticket,
            mark,
            is_stored: false,
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
        last.is_none_or(|last| mark.sample.differs_from(&last.sample, &self.policy))
    }

    /// Whether nothing was stored for so long that the value has to be.
    fn is_silent_before(&self, mark: &Mark) -> bool {
        let silence_ms = self.policy.max_silence_ms;
        silence_ms.is_some_and(|ms| self.last().is_some() && !self.is_within(ms, mark))
    }

    /// Whether a value is less than so many milliseconds away from the last one.
    fn is_within(&self, ms: u64, mark: &Mark) -> bool {
        self.last()
            .is_some_and(|last| mark.at_ms.abs_diff(last.at_ms) < ms)
    }
}

#[cfg(test)]
mod tests;
