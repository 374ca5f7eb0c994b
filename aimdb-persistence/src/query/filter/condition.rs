//! Conditions without the type that they are about.

use std::cmp::Ordering;

use crate::declaration::stored_field::Place;
use crate::query::filter::operand::ScalarOperand;
use aimdb_persistence_backend::json::{Projection, Scalar};

/// A condition on the scalars that a projection reads.
#[derive(Debug, Clone)]
pub(crate) enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    At(Box<Place>, Slot, Test),
    /// Why it makes no sense.
    Invalid(String),
}

/// Where a place's scalar is found, once the condition is bound to a projection.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Slot(usize);

#[derive(Debug, Clone)]
pub(crate) enum Test {
    Compare(Comparison, Scalar<'static>),
    IsIn(Vec<Scalar<'static>>),
    IsThere,
    Text(TextTest, Box<str>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextTest {
    StartsWith,
    EndsWith,
    Contains,
}

impl Condition {
    pub(crate) fn compare(place: Place, comparison: Comparison, value: ScalarOperand) -> Self {
        match value.0 {
            Ok(value) => Self::at(place, Test::Compare(comparison, value)),
            Err(reason) => incomparable(place, &reason),
        }
    }

    pub(crate) fn is_in(place: Place, values: Vec<ScalarOperand>) -> Self {
        let values: Result<Vec<_>, _> = values.into_iter().map(|value| value.0).collect();
        match values {
            Ok(values) => Self::at(place, Test::IsIn(values)),
            Err(reason) => incomparable(place, &reason),
        }
    }

    pub(crate) fn is_there(place: Place) -> Self {
        Self::at(place, Test::IsThere)
    }

    pub(crate) fn text(place: Place, test: TextTest, text: Box<str>) -> Self {
        Self::at(place, Test::Text(test, text))
    }

    fn at(place: Place, test: Test) -> Self {
        Self::At(Box::new(place), Slot::default(), test)
    }

    pub(crate) fn and(self, other: Self) -> Self {
        match self {
            Self::All(mut conditions) => {
                conditions.push(other);
                Self::All(conditions)
            }
            this => Self::All(vec![this, other]),
        }
    }

    pub(crate) fn or(self, other: Self) -> Self {
        match self {
            Self::Any(mut conditions) => {
                conditions.push(other);
                Self::Any(conditions)
            }
            this => Self::Any(vec![this, other]),
        }
    }

    pub(crate) fn negated(self) -> Self {
        match self {
            Self::Not(condition) => *condition,
            this => Self::Not(Box::new(this)),
        }
    }

    /// Has its places read by the projection.
    ///
    /// # Errors
    /// Says what makes no sense.
    pub(crate) fn bind(&mut self, projection: &mut Projection) -> Result<(), String> {
        match self {
            Self::All(conditions) | Self::Any(conditions) => {
                conditions.iter_mut().try_for_each(|c| c.bind(projection))
            }
            Self::Not(condition) => condition.bind(projection),
            Self::At(place, slot, _) => {
                slot.0 = place.slot_in(projection);
                Ok(())
            }
            Self::Invalid(reason) => Err(reason.clone()),
        }
    }

    /// Whether it holds for what the projection has read.
    pub(crate) fn holds(&self, scalars: &[Scalar<'_>]) -> bool {
        match self {
            Self::All(conditions) => conditions.iter().all(|c| c.holds(scalars)),
            Self::Any(conditions) => conditions.iter().any(|c| c.holds(scalars)),
            Self::Not(condition) => !condition.holds(scalars),
            Self::At(_, slot, test) => test.holds(&scalars[slot.0]),
            Self::Invalid(_) => false,
        }
    }
}

fn incomparable(place: Place, reason: &str) -> Condition {
    Condition::Invalid(format!("`{place}` cannot be compared with this: {reason}"))
}

impl Test {
    fn holds(&self, scalar: &Scalar<'_>) -> bool {
        match (self, scalar) {
            // A value that is not there is what an `Option`'s `None` is compared with.
            (Self::Compare(Comparison::Equal, Scalar::Null), scalar) => !scalar.is_some(),
            (Self::Compare(_, Scalar::Null), _) => false,
            (Self::Compare(comparison, value), scalar) => comparison.holds(scalar, value),
            (Self::IsIn(values), scalar) => values.iter().any(|value| match value {
                Scalar::Null => !scalar.is_some(),
                value => Comparison::Equal.holds(scalar, value),
            }),
            (Self::IsThere, scalar) => scalar.is_some(),
            (Self::Text(test, text), Scalar::Text(scalar)) => match test {
                TextTest::StartsWith => scalar.starts_with(&**text),
                TextTest::EndsWith => scalar.ends_with(&**text),
                TextTest::Contains => scalar.contains(&**text),
            },
            (Self::Text(..), _) => false,
        }
    }
}

impl Comparison {
    fn holds(self, scalar: &Scalar<'_>, value: &Scalar<'_>) -> bool {
        scalar
            .partial_cmp(value)
            .is_some_and(|ordering| match self {
                Self::Equal => ordering == Ordering::Equal,
                Self::Less => ordering == Ordering::Less,
                Self::LessOrEqual => ordering != Ordering::Greater,
                Self::Greater => ordering == Ordering::Greater,
                Self::GreaterOrEqual => ordering != Ordering::Less,
            })
    }
}
