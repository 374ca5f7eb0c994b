//! The gate against a model that looks back over everything that has happened.

mod restarts;

use proptest::prelude::*;

use crate::declaration::field::Field;
use crate::declaration::policy::{Deadband, Policy};
use crate::thinning::gate::*;
use crate::thinning::sample::Sample;

const WHOLE: Field<(), f64> = Field::at(&[]);
const WAY: Way = Way(0);

fn criteria(policy: &Policy) -> Arc<Criteria> {
    Arc::new(Criteria::new(policy, &[]))
}

/// What a source and a backend may do.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// A value of this number, so much later than the one before.
    Value { number: i8, later_ms: i64 },
    /// One of the values under way is stored, or is not.
    Settle { which: usize, is_stored: bool },
    /// The end of the interval on the runtime's clock, or that of the database.
    EndInterval,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (-5_i8..5, -4_i64..12).prop_map(|(number, later_ms)| Step::Value { number, later_ms }),
        // Now and then a clock that was far from right.
        1 => (-5_i8..5, -90_i64..90).prop_map(|(number, later_ms)| Step::Value { number, later_ms }),
        4 => (0_usize..4, prop::bool::weighted(0.7))
            .prop_map(|(which, is_stored)| Step::Settle { which, is_stored }),
        1 => Just(Step::EndInterval),
    ]
}

fn policy() -> impl Strategy<Value = Policy> {
    let compared = prop_oneof![
        Just(Policy::new()),
        Just(Policy::new().on_change()),
        Just(Policy::new().deadband(WHOLE, Deadband::Absolute(2.0))),
        Just(Policy::new().deadband(WHOLE, Deadband::Relative(0.5))),
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
        if !self.is_of_interval(new, began) {
            self.end_interval();
            self.value_outside(new);
        } else if self.is_silent(new) {
            self.interval = None;
            self.decided.push((held, Fate::Suppressed));
            self.decided.push((new, Fate::UnderWay));
        } else if self.begins_before(new, began) {
            self.decided.push((new, Fate::Suppressed));
        } else {
            self.interval = Some((began, new));
            self.decided.push((held, Fate::Suppressed));
        }
    }

    /// In the interval of an earlier value, or before it by less than an interval: the clock was set back.
    fn is_of_interval(&self, new: usize, earlier: usize) -> bool {
        let Some(interval) = self.policy.min_interval else {
            return false;
        };
        let [new, earlier] = [new, earlier].map(|value| self.arrived[value].at_ms);
        let begin = earlier - earlier % interval.ms;
        let is_within = (begin..begin + interval.ms).contains(&new);
        is_within || (new < earlier && earlier - new < interval.ms)
    }

    /// In an interval before that of the other.
    fn begins_before(&self, new: usize, other: usize) -> bool {
        let interval = self.policy.min_interval.expect("one is under way");
        let other = self.arrived[other].at_ms;
        self.arrived[new].at_ms < other - other % interval.ms
    }

    fn value_outside(&mut self, new: usize) {
        if self.is_silent(new) {
            return self.decided.push((new, Fate::UnderWay));
        }
        let is_held = self
            .policy
            .min_interval
            .is_some_and(|interval| interval.keep == Keep::Last);
        let is_early = self
            .last()
            .is_some_and(|last| self.is_of_interval(new, last));
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

    /// What becomes of a value on its way.
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

fn settled(is_stored: bool) -> Settled {
    match is_stored {
        true => Settled::Added,
        false => Settled::NotStored,
    }
}

/// The gate, and what it has said of each value.
struct Tried {
    gate: Gate<usize>,
    criteria: Arc<Criteria>,
    arrived: usize,
    /// Of each value whether it was to be stored.
    decided: Vec<(usize, bool)>,
    under_way: Vec<(Ticket, usize)>,
}

impl Tried {
    fn value(&mut self, number: f64, at_ms: u64) {
        let new = self.arrived;
        let sample = Sample::of(&number.to_string(), &self.criteria);
        let mark = Mark { at_ms, sample };
        self.arrived += 1;
        let admission = self.gate.admit(mark, WAY, || new);
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
        self.gate.settle(ticket, settled(is_stored));
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
            gate: Gate::new(criteria(&policy)),
            criteria: criteria(&policy),
            arrived: 0,
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
                    let released = tried.gate.end_interval(WAY);
                    tried.note(released);
                }
            }
            prop_assert_eq!(&tried.decided, &model.verdicts());
        }
        // Each value has ended in exactly one way.
        let mut values: Vec<_> = tried.decided.iter().map(|(value, _)| *value).collect();
        values.sort_unstable();
        prop_assert_eq!(values, (0..tried.arrived).collect::<Vec<_>>());
    }

    #[test]
    fn what_waits_for_the_backend_is_no_more_than_what_is_under_way(
        settles in prop::collection::vec((0_usize..8, any::<bool>()), 0..40),
    ) {
        let mut gate = Gate::<()>::new(criteria(&Policy::new()));
        let mut tickets = Vec::new();
        for (which, is_stored) in settles {
            let mark = Mark { at_ms: 0, sample: Sample::Any };
            let Verdict::Store(ticket) = gate.admit(mark, WAY, || ()).verdict else {
                panic!("everything is stored")
            };
            tickets.push(ticket);
            let ticket = tickets.remove(which % tickets.len());
            gate.settle(ticket, settled(is_stored));
            let oldest = tickets.first();
            let kept = gate.under_way.iter().filter(|one| Some(&one.ticket) < oldest).count();
            prop_assert_eq!(kept, 0, "what is older than all that is under way is forgotten");
        }
        tickets.into_iter().for_each(|ticket| gate.settle(ticket, Settled::Added));
        prop_assert!(gate.under_way.is_empty());
    }
}

#[test]
fn small_steps_in_one_direction_add_up() {
    let criteria = criteria(&Policy::new().deadband(WHOLE, Deadband::Absolute(1.0)));
    let mut gate = Gate::<()>::new(Arc::clone(&criteria));
    let mut stored = Vec::new();
    for step in 0..100 {
        let number = f64::from(step) / 8.0;
        let sample = Sample::of(&number.to_string(), &criteria);
        if let Verdict::Store(ticket) = gate.admit(Mark { at_ms: 0, sample }, WAY, || ()).verdict {
            gate.settle(ticket, Settled::Added);
            stored.push(step);
        }
    }
    assert_eq!(stored, Vec::from_iter((0..100).step_by(8)));
}

#[test]
fn what_was_stored_before_a_restart_is_what_the_first_value_is_compared_with() {
    let criteria = criteria(&Policy::new().on_change().min_interval_ms(10, Keep::First));
    let mark = |at_ms, json: &str| Mark {
        at_ms,
        sample: Sample::of(json, &criteria),
    };
    let verdict = |gate: &mut Gate<()>, mark| gate.admit(mark, WAY, || ()).verdict;
    let mut gate = Gate::<()>::new(Arc::clone(&criteria));
    gate.learn(Some(mark(100, "1")));
    assert_eq!(verdict(&mut gate, mark(200, "1")), Verdict::Suppress);
    assert_eq!(verdict(&mut gate, mark(105, "2")), Verdict::Suppress);
    let later = verdict(&mut gate, mark(110, "2"));
    assert!(matches!(later, Verdict::Store(_)));
    // Of another version of the type: nothing is known but its time.
    let mut gate = Gate::<()>::new(Arc::clone(&criteria));
    gate.learn(Some(Mark {
        at_ms: 100,
        sample: Sample::Unknown,
    }));
    assert_eq!(verdict(&mut gate, mark(105, "1")), Verdict::Suppress);
    let later = verdict(&mut gate, mark(110, "1"));
    assert!(matches!(later, Verdict::Store(_)));
}

#[test]
fn values_that_come_by_two_ways_at_once_are_compared_with_what_the_backend_says_came_last() {
    let criteria = criteria(&Policy::new().on_change());
    let mark = |json: &str| Mark {
        at_ms: 0,
        sample: Sample::of(json, &criteria),
    };
    let mut gate = Gate::<()>::new(Arc::clone(&criteria));
    let store =
        |gate: &mut Gate<()>, json, way| match gate.admit(mark(json), Way(way), || ()).verdict {
            Verdict::Store(ticket) => ticket,
            other => panic!("{json} by {way}: {other:?}"),
        };
    let one = store(&mut gate, "1", 0);
    let two = store(&mut gate, "2", 1);
    gate.settle(two, Settled::Added);
    assert!(!gate.is_to_learn(), "one is still on its way");
    // Whichever came last, this may differ from it.
    let three = store(&mut gate, "2", 1);
    gate.settle(one, Settled::Added);
    gate.settle(three, Settled::NotStored);
    assert!(gate.is_to_learn());
    gate.learn(Some(mark("1")));
    assert!(!gate.is_to_learn());
    assert_eq!(gate.admit(mark("1"), WAY, || ()).verdict, Verdict::Suppress);
    store(&mut gate, "2", 0);
}
