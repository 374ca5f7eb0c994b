//! Conditions on fields that are known by their stored names alone.

use serde::Serialize;

use crate::declaration::stored_field::{Place, StoredField};
use crate::query::filter::Filter;
use crate::query::filter::condition::{Comparison, Condition, TextTest};
use crate::query::filter::operand::scalar_of;

/// Conditions, as a [`Field`](crate::Field) has them. What the field is compared with may be of any type that JSON has a
/// form for: a number holds for numbers, a text for texts. A field that holds something else is not equal, not less and
/// not greater.
impl StoredField {
    /// Equal to this value.
    pub fn eq<T>(&self, value: impl Serialize) -> Filter<T> {
        self.compare(Comparison::Equal, &value)
    }

    /// Not equal to this value, or not there.
    pub fn ne<T>(&self, value: impl Serialize) -> Filter<T> {
        !self.eq(value)
    }

    /// Less than this value.
    pub fn lt<T>(&self, value: impl Serialize) -> Filter<T> {
        self.compare(Comparison::Less, &value)
    }

    /// Less than this value, or equal to it.
    pub fn le<T>(&self, value: impl Serialize) -> Filter<T> {
        self.compare(Comparison::LessOrEqual, &value)
    }

    /// Greater than this value.
    pub fn gt<T>(&self, value: impl Serialize) -> Filter<T> {
        self.compare(Comparison::Greater, &value)
    }

    /// Greater than this value, or equal to it.
    pub fn ge<T>(&self, value: impl Serialize) -> Filter<T> {
        self.compare(Comparison::GreaterOrEqual, &value)
    }

    /// Equal to one of these values.
    pub fn is_in<T, V: Serialize>(&self, values: impl IntoIterator<Item = V>) -> Filter<T> {
        let values = values.into_iter().map(|value| scalar_of(&value)).collect();
        Filter::new(Condition::is_in(Place::from(self), values))
    }

    /// There, and not `null`.
    pub fn is_there<T>(&self) -> Filter<T> {
        Filter::new(Condition::is_there(Place::from(self)))
    }

    /// A text that begins with this one.
    pub fn starts_with<T>(&self, text: impl Into<Box<str>>) -> Filter<T> {
        self.test_text(TextTest::StartsWith, text)
    }

    /// A text that ends with this one.
    pub fn ends_with<T>(&self, text: impl Into<Box<str>>) -> Filter<T> {
        self.test_text(TextTest::EndsWith, text)
    }

    /// A text that contains this one.
    pub fn contains<T>(&self, text: impl Into<Box<str>>) -> Filter<T> {
        self.test_text(TextTest::Contains, text)
    }

    fn test_text<T>(&self, test: TextTest, text: impl Into<Box<str>>) -> Filter<T> {
        Filter::new(Condition::text(Place::from(self), test, text.into()))
    }

    fn compare<T>(&self, comparison: Comparison, value: &impl Serialize) -> Filter<T> {
        let value = scalar_of(value);
        Filter::new(Condition::compare(Place::from(self), comparison, value))
    }
}
