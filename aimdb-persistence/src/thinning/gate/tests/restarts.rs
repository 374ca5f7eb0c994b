//! A gate that goes on after a restart, with what the backend says it has stored last, does what one does that ran on.

use std::collections::BTreeMap;

use aimdb_persistence_backend::OnDuplicate;
use proptest::prelude::*;

use super::{WAY, criteria, policy};
use crate::declaration::policy::Policy;
use crate::thinning::criteria::Criteria;
use crate::thinning::gate::*;
use crate::thinning::sample::Sample;

#[derive(Debug, Clone, Copy)]
enum Step {
    /// A value of this number, so much later than the one before, or earlier: the clock was set.
    Value { number: i8, later_ms: i64 },
    /// The oldest value under way gets to the backend, or is refused by it.
    Settle { is_refused: bool },
    /// Rows from so long ago up to so much later are deleted.
    Delete { ago_ms: u64, length_ms: u64 },
    /// The rows get another name, and a series begins anew.
    Rename,
    /// The program ends, and is started again.
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (-3_i8..3, -6_i64..12).prop_map(|(number, later_ms)| Step::Value { number, later_ms }),
        1 => (-3_i8..3, -200_i64..200).prop_map(|(number, later_ms)| Step::Value { number, later_ms }),
        // Two values of one time.
        2 => (-3_i8..3).prop_map(|number| Step::Value { number, later_ms: 0 }),
        5 => prop::bool::weighted(0.1).prop_map(|is_refused| Step::Settle { is_refused }),
        1 => (0_u64..40, 0_u64..40).prop_map(|(ago_ms, length_ms)| Step::Delete { ago_ms, length_ms }),
        1 => Just(Step::Rename),
        2 => Just(Step::Restart),
    ]
}

/// What a backend keeps of a series: rows by sequence.
#[derive(Default)]
struct Series {
    rows: BTreeMap<u64, (u64, i8)>,
    next_sequence: u64,
}

impl Series {
    fn store(&mut self, on_duplicate: OnDuplicate, at_ms: u64, number: i8) -> Settled {
        let mut newest_first = self.rows.iter_mut().rev();
        let other = newest_first.find(|(_, (at, _))| *at == at_ms);
        match (on_duplicate, other) {
            (OnDuplicate::Ignore, Some(_)) => return Settled::NotStored,
            (OnDuplicate::Replace, Some((_, row))) => {
                row.1 = number;
                return Settled::Replaced;
            }
            _ => {}
        }
        self.rows.insert(self.next_sequence, (at_ms, number));
        self.next_sequence += 1;
        Settled::Added
    }

    fn last(&self) -> Option<(u64, i8)> {
        self.rows.last_key_value().map(|(_, row)| *row)
    }
}

/// One program that records into a series of its own.
struct Program {
    criteria: Arc<Criteria>,
    on_duplicate: OnDuplicate,
    gate: Gate<(u64, i8)>,
    under_way: VecDeque<(Ticket, (u64, i8))>,
    series: Series,
    /// Everything that was ever put into the series.
    written: Vec<(u64, i8, Settled)>,
    is_restarted: bool,
}

impl Program {
    fn new(policy: &Policy, on_duplicate: OnDuplicate, is_restarted: bool) -> Self {
        let criteria = criteria(policy);
        Self {
            gate: Gate::new(Arc::clone(&criteria)),
            criteria,
            on_duplicate,
            under_way: VecDeque::new(),
            series: Series::default(),
            written: Vec::new(),
            is_restarted,
        }
    }

    fn mark(&self, (at_ms, number): (u64, i8)) -> Mark {
        Mark {
            at_ms,
            sample: Sample::of(&number.to_string(), &self.criteria),
        }
    }

    fn value(&mut self, at_ms: u64, number: i8) {
        let value = (at_ms, number);
        let admission = self.gate.admit(self.mark(value), WAY, || value);
        self.release(admission.released);
        self.follow(admission.verdict, value);
    }

    fn release(&mut self, released: Option<Released<(u64, i8)>>) {
        if let Some(Released { value, verdict }) = released {
            self.follow(verdict, value);
        }
    }

    fn follow(&mut self, verdict: Verdict, value: (u64, i8)) {
        if let Verdict::Store(ticket) = verdict {
            self.under_way.push_back((ticket, value));
        }
    }

    fn settle(&mut self, is_refused: bool) {
        let Some((ticket, (at_ms, number))) = self.under_way.pop_front() else {
            return;
        };
        let settled = match is_refused {
            true => Settled::NotStored,
            false => self.series.store(self.on_duplicate, at_ms, number),
        };
        self.written.push((at_ms, number, settled));
        self.gate.settle(ticket, settled);
        self.learn();
    }

    fn learn(&mut self) {
        if self.gate.is_to_learn() {
            let last = self.series.last().map(|row| self.mark(row));
            self.gate.learn(last);
        }
    }

    fn remove(&mut self, times_ms: &RangeInclusive<u64>) {
        self.series.rows.retain(|_, (at, _)| !times_ms.contains(at));
        self.gate.forget(times_ms);
        self.learn();
    }

    /// What waits is stored, and what is under way arrives. Then one program goes on, and the other begins.
    fn restart(&mut self) {
        let released = self.gate.end_interval(WAY);
        self.release(released);
        while !self.under_way.is_empty() {
            self.settle(false);
        }
        if self.is_restarted {
            self.gate = Gate::new(Arc::clone(&self.criteria));
            self.gate
                .learn(self.series.last().map(|row| self.mark(row)));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn a_restarted_gate_stores_what_one_stores_that_ran_on(
        policy in policy(),
        on_duplicate in prop::sample::select(&[OnDuplicate::Keep, OnDuplicate::Replace, OnDuplicate::Ignore][..]),
        steps in prop::collection::vec(step(), 0..120),
    ) {
        let mut programs = [false, true].map(|is_restarted| Program::new(&policy, on_duplicate, is_restarted));
        let mut now_ms = 1_000_u64;
        for step in steps.into_iter().chain([Step::Restart]) {
            if let Step::Value { later_ms, .. } = step {
                now_ms = now_ms.saturating_add_signed(later_ms);
            }
            for program in &mut programs {
                match step {
                    Step::Value { number, .. } => program.value(now_ms, number),
                    Step::Settle { is_refused } => program.settle(is_refused),
                    Step::Delete { ago_ms, length_ms } => {
                        let start_ms = now_ms.saturating_sub(ago_ms);
                        program.remove(&(start_ms..=start_ms + length_ms));
                    }
                    Step::Rename => program.remove(&(0..=u64::MAX)),
                    Step::Restart => program.restart(),
                }
            }
            prop_assert_eq!(&programs[0].written, &programs[1].written);
            for program in &programs {
                if program.under_way.is_empty() {
                    let last = program.series.last().map(|row| program.mark(row));
                    prop_assert_eq!(&program.gate.stored, &last, "the gate knows the row stored last");
                }
            }
        }
    }

    #[test]
    fn an_interval_has_one_row_at_most_while_the_clock_is_not_set_back_by_one(
        policy in policy().prop_filter("with intervals", |policy| policy.min_interval.is_some()),
        steps in prop::collection::vec((-3_i8..3, -30_i64..40, prop::bool::weighted(0.1)), 0..120),
    ) {
        let mut program = Program::new(&policy, OnDuplicate::Keep, true);
        let length_ms = policy.min_interval.expect("it has one").ms;
        let (mut now_ms, mut highest_ms) = (1_000_u64, 1_000);
        for (number, later_ms, is_restart) in steps {
            // A clock that is right but for less than an interval.
            now_ms = now_ms.saturating_add_signed(later_ms).max(highest_ms - length_ms / 2);
            highest_ms = highest_ms.max(now_ms);
            program.value(now_ms, number);
            match is_restart {
                true => program.restart(),
                false => program.settle(false),
            }
        }
        program.restart();
        let mut intervals: Vec<_> = program.written.iter().map(|(at, ..)| at / length_ms).collect();
        intervals.sort_unstable();
        let rows = intervals.len();
        intervals.dedup();
        prop_assert_eq!(intervals.len(), rows);
    }
}
