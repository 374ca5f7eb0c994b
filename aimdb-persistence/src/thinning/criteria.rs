//! What a policy says of values, in as little memory as a record can have it.

use crate::declaration::field_path::FieldPath;
use crate::declaration::policy::{Deadband, MinInterval, Policy};

/// By what values are judged.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Criteria {
    pub(crate) on_change: bool,
    pub(crate) min_interval: Option<MinInterval>,
    pub(crate) max_silence_ms: Option<u64>,
    pub(crate) deadbands: Box<[(FieldPath, Deadband)]>,
    /// Fields that make no difference to `on_change`: those which the policy ignores, and the event time.
    pub(crate) apart: Box<[FieldPath]>,
}

impl Criteria {
    pub(crate) fn new(policy: &Policy, event_time: &[FieldPath]) -> Self {
        let apart = policy.ignored().chain(event_time.iter().copied());
        Self {
            on_change: policy.on_change,
            min_interval: policy.min_interval,
            max_silence_ms: policy.max_silence_ms,
            deadbands: policy.deadbands().collect(),
            apart: match policy.on_change {
                true => apart.collect(),
                false => Box::default(),
            },
        }
    }

    /// Any change of a value counts, but for these fields.
    pub(crate) fn of_changes(apart: impl Iterator<Item = FieldPath>) -> Self {
        Self {
            on_change: true,
            min_interval: None,
            max_silence_ms: None,
            deadbands: Box::default(),
            apart: apart.collect(),
        }
    }

    pub(crate) fn look_at_values(&self) -> bool {
        self.on_change || !self.deadbands.is_empty()
    }
}
