//! The gate against a model that looks back over everything that has happened.

use proptest::prelude::*;

use crate::declaration::policy::Deadband;
use crate::thinning::gate::*;

/// What a source and a backend may do.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// A value of this number, so much later than the one before.
    Value { number: i8, later_ms: i64 },
    /// One of the values under way is stored, or is not.
    Settle { which: usize, is_stored: bool },
    /// A flush, or the end of the interval on the runtime's clock.
    EndInterval,
    /// Rows from so long ago up to so much later are deleted, whether they are stored already or on their way.
    Delete { ago_ms: u64, length_ms: u64 },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (-5_i8..5, -4_i64..12).prop_map(|(number, later_ms)| Step::Value { number, later_ms }),
        // Now and then a clock that was far from right.
        1 => (-5_i8..5, -90_i64..90).prop_map(|(number, later_ms)| Step::Value { number, later_ms }),
        4 => (0_usize..4, prop::bool::weighted(0.7))
            .prop_map(|(which, is_stored)| Step::Settle { which, is_stored }),
        1 => Just(Step::EndInterval),
        1 => (0_u64..40, 0_u64..40).prop_map(|(ago_ms, length_ms)| Step::Delete { ago_ms, length_ms }),
    ]
}

fn policy() -> impl Strategy<Value = Policy> {
    let compared = prop_oneof![
        Just(Policy::new()),
        Just(Policy::new().on_change()),
        Just(Policy::new().deadband("", Deadband::Absolute(2.0))),
        Just(Policy::new().deadband("", Deadband::Relative(0.5))),
    ];
    let interval = prop_oneof![
        Just(None),
        (1_u64..20, prop_oneof![Just(Keep::First), Just(Keep::Last)]).prop_map(Some),
    ];
    (compared, interval, prop::option::of(20_u64..60)).prop_map(|(policy, interval, silence)| {
        let policy = interval.map_or(policy, |(ms, keep)| policy.min_interval_ms(ms, keep));
        silence.map_or(policy, |ms| policy.max_silence_ms(ms))
    })
}

/// A value of the model: its place in the order of arrival says which one it is.
#[derive(Debug, Clone, Copy)]
struct Arrived {
    number: f64,
    at_ms: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    UnderWay,
    Stored,
    Failed,
    Suppressed,
    Deleted,
}

/// Everything that has happened, and the rules in plain words.
struct Model {
    policy: Policy,
    arrived: Vec<Arrived>,
    /// Values in the order in which they were decided on.
    decided: Vec<(usize, Fate)>,
    /// The first value of an interval of which the last is kept, and the newest.
    interval: Option<(usize, usize)>,
}

impl Model {
    fn value(&mut self, number: f64, at_ms: u64) {
        let new = self.arrived.len();
        self.arrived.push(Arrived { number, at_ms });
        let Some((began, held)) = self.interval else {
            return self.value_outside(new);
        };
        if self.distance(new, began) >= self.policy.min_interval.unwrap().ms {
            self.end_interval();
            self.value_outside(new);
        } else if self.is_silent(new) {
            self.interval = None;
            self.decided.push((held, Fate::Suppressed));
            self.decided.push((new, Fate::UnderWay));
        } else {
            self.interval = Some((began, new));
            self.decided.push((held, Fate::Suppressed));
        }
    }

    fn value_outside(&mut self, new: usize) {
        if self.is_silent(new) {
            return self.decided.push((new, Fate::UnderWay));
        }
        let is_held = self
            .policy
            .min_interval
            .is_some_and(|interval| interval.keep == Keep::Last);
        let is_early = !is_held
            && self.policy.min_interval.is_some_and(|interval| {
                self.last()
                    .is_some_and(|last| self.distance(new, last) < interval.ms)
            });
        if !self.is_news(new) || is_early {
            self.decided.push((new, Fate::Suppressed));
        } else if is_held {
            self.interval = Some((new, new));
        } else {
            self.decided.push((new, Fate::UnderWay));
        }
    }

    fn end_interval(&mut self) {
        if let Some((_, held)) = self.interval.take() {
            let fate = match self.is_silent(held) || self.is_news(held) {
                true => Fate::UnderWay,
                false => Fate::Suppressed,
            };
            self.decided.push((held, fate));
        }
    }

    fn delete(&mut self, times_ms: &RangeInclusive<u64>) {
        for (value, fate) in &mut self.decided {
            let is_there = matches!(fate, Fate::UnderWay | Fate::Stored);
            if is_there && times_ms.contains(&self.arrived[*value].at_ms) {
                *fate = Fate::Deleted;
            }
        }
    }

    /// What becomes of a value on its way, unless it was deleted there.
    fn settle(&mut self, value: usize, fate: Fate) {
        let mut decided = self.decided.iter_mut();
        let decided = decided.find(|(decided, _)| *decided == value);
        let (_, known) = decided.expect("it was decided on");
        if *known == Fate::UnderWay {
            *known = fate;
        }
    }

    /// Of each value whether it was to be stored.
    fn verdicts(&self) -> Vec<(usize, bool)> {
        let decided = self.decided.iter();
        decided
            .map(|(value, fate)| (*value, *fate != Fate::Suppressed))
            .collect()
    }

    /// The newest value that is in the file.
    fn last_stored(&self) -> Option<usize> {
        let mut stored = self.decided.iter().rev();
        let stored = stored.find(|(_, fate)| *fate == Fate::Stored);
        stored.map(|(value, _)| *value)
    }

    /// The newest value that is in the file or may still come to be.
    fn last(&self) -> Option<usize> {
        let decided = self.decided.iter().rev();
        let mut counting =
            decided.filter(|(_, fate)| matches!(fate, Fate::UnderWay | Fate::Stored));
        counting.next().map(|(value, _)| *value)
    }

    fn is_news(&self, new: usize) -> bool {
        let Some(last) = self.last() else { return true };
        let (new, last) = (self.arrived[new].number, self.arrived[last].number);
        match self.policy.deadbands().next() {
            Some((_, Deadband::Absolute(distance))) => (new - last).abs() >= distance,
            Some((_, Deadband::Relative(part))) => {
                new != last && (new - last).abs() >= part * last.abs()
            }
            None => !self.policy.on_change || new != last,
        }
    }

    fn is_silent(&self, new: usize) -> bool {
        match (self.policy.max_silence_ms, self.last()) {
            (Some(ms), Some(last)) => self.distance(new, last) >= ms,
            _ => false,
        }
    }

    fn distance(&self, one: usize, other: usize) -> u64 {
        self.arrived[one].at_ms.abs_diff(self.arrived[other].at_ms)
    }
}

/// The gate, and what it has said of each value.
struct Tried {
    gate: Gate<usize>,
    policy: Policy,
    arrived: Vec<Mark>,
    /// Of each value whether it was to be stored.
    decided: Vec<(usize, bool)>,
    under_way: Vec<(Ticket, usize)>,
}

impl Tried {
    fn value(&mut self, number: f64, at_ms: u64) {
        let new = self.arrived.len();
        let sample = Sample::of(&number.to_string(), &self.policy, &[]);
        let mark = Mark { at_ms, sample };
        self.arrived.push(mark.clone());
        let admission = self.gate.admit(mark, || new);
        self.note(admission.released);
        if admission.verdict != Verdict::Hold {
            self.decide(new, admission.verdict);
        }
    }

    fn note(&mut self, released: Option<Released<usize>>) {
        if let Some(Released { value, verdict }) = released {
            self.decide(value, verdict);
        }
    }

    fn decide(&mut self, value: usize, verdict: Verdict) {
        if let Verdict::Store(ticket) = verdict {
            self.under_way.push((ticket, value));
        }
        assert_ne!(verdict, Verdict::Hold, "a value is held once");
        self.decided.push((value, verdict != Verdict::Suppress));
    }

    fn settle(&mut self, which: usize, is_stored: bool) -> Option<usize> {
        if self.under_way.is_empty() {
            return None;
        }
        let (ticket, value) = self.under_way.remove(which % self.under_way.len());
        self.gate.settle(ticket, is_stored);
        Some(value)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn every_value_is_judged_as_the_model_does_from_all_that_has_happened(
        policy in policy(),
        steps in prop::collection::vec(step(), 0..80),
    ) {
        let mut model = Model { policy, arrived: Vec::new(), decided: Vec::new(), interval: None };
        let mut tried = Tried {
            gate: Gate::new(policy),
            policy,
            arrived: Vec::new(),
            decided: Vec::new(),
            under_way: Vec::new(),
        };
        let mut now_ms = 1_000_u64;
        for step in steps.into_iter().chain([Step::EndInterval]) {
            match step {
                Step::Value { number, later_ms } => {
                    now_ms = now_ms.saturating_add_signed(later_ms);
                    model.value(f64::from(number), now_ms);
                    tried.value(f64::from(number), now_ms);
                }
                Step::Settle { which, is_stored } => {
                    if let Some(value) = tried.settle(which, is_stored) {
                        let fate = if is_stored { Fate::Stored } else { Fate::Failed };
                        model.settle(value, fate);
                    }
                }
                Step::EndInterval => {
                    model.end_interval();
                    let released = tried.gate.end_interval();
                    tried.note(released);
                }
                Step::Delete { ago_ms, length_ms } => {
                    let start_ms = now_ms.saturating_sub(ago_ms);
                    let times_ms = start_ms..=start_ms + length_ms;
                    model.delete(&times_ms);
                    tried.gate.forget(&times_ms);
                    if let Some(last) = model.last_stored() {
                        tried.gate.find(tried.arrived[last].clone());
                    }
                }
            }
            prop_assert_eq!(&tried.decided, &model.verdicts());
        }
        // Each value has ended in exactly one way.
        let mut values: Vec<_> = tried.decided.iter().map(|(value, _)| *value).collect();
        values.sort_unstable();
        prop_assert_eq!(values, (0..tried.arrived.len()).collect::<Vec<_>>());
    }

    #[test]
    fn what_waits_for_the_backend_is_no_more_than_what_is_under_way(
        settles in prop::collection::vec((0_usize..8, any::<bool>()), 0..40),
    ) {
        let mut gate = Gate::<()>::new(Policy::new());
        let mut tickets = Vec::new();
        for (which, is_stored) in settles {
            let mark = Mark { at_ms: 0, sample: Sample::Any };
            let Verdict::Store(ticket) = gate.admit(mark, || ()).verdict else {
                panic!("everything is stored")
            };
            tickets.push(ticket);
            let ticket = tickets.remove(which % tickets.len());
            gate.settle(ticket, is_stored);
            let oldest = tickets.first();
            let kept = gate.under_way.iter().filter(|one| Some(&one.ticket) < oldest).count();
            prop_assert_eq!(kept, 0, "what is older than all that is under way is forgotten");
        }
        tickets.into_iter().for_each(|ticket| gate.settle(ticket, true));
        prop_assert!(gate.under_way.is_empty());
    }
}

#[test]
fn small_steps_in_one_direction_add_up() {
    let policy = Policy::new().deadband("", Deadband::Absolute(1.0));
    let mut gate = Gate::<()>::new(policy);
    let mut stored = Vec::new();
    for step in 0..100 {
        let number = f64::from(step) / 8.0;
        let sample = Sample::of(&number.to_string(), &policy, &[]);
        if let Verdict::Store(ticket) = gate.admit(Mark { at_ms: 0, sample }, || ()).verdict {
            gate.settle(ticket, true);
            stored.push(step);
        }
    }
    assert_eq!(stored, Vec::from_iter((0..100).step_by(8)));
}

#[test]
fn what_was_stored_before_a_restart_is_what_the_first_value_is_compared_with() {
    let policy = Policy::new().on_change().min_interval_ms(10, Keep::First);
    let mark = |at_ms, json: &str| Mark {
        at_ms,
        sample: Sample::of(json, &policy, &[]),
    };
    let mut gate = Gate::<()>::new(policy);
    gate.go_on_after(Some(mark(100, "1")));
    assert_eq!(gate.admit(mark(200, "1"), || ()).verdict, Verdict::Suppress);
    assert_eq!(gate.admit(mark(105, "2"), || ()).verdict, Verdict::Suppress);
    let later = gate.admit(mark(110, "2"), || ()).verdict;
    assert!(matches!(later, Verdict::Store(_)));
    // Of another version of the type: nothing is known but its time.
    let mut gate = Gate::<()>::new(policy);
    gate.go_on_after(Some(Mark {
        at_ms: 100,
        sample: Sample::Unknown,
    }));
    assert_eq!(gate.admit(mark(105, "1"), || ()).verdict, Verdict::Suppress);
    let later = gate.admit(mark(110, "1"), || ()).verdict;
    assert!(matches!(later, Verdict::Store(_)));
}
