//! Conditions on the fields of rows: `Temperature::fields().celsius.gt(30.0)`.

mod condition;
mod operand;

use std::fmt::{self, Debug};
use std::marker::PhantomData;
use std::ops::{BitAnd, BitOr, Bound, Not, RangeBounds};

use crate::declaration::field::Field;
pub(crate) use crate::query::filter::condition::Condition;
use crate::query::filter::condition::{Comparison, TextTest};
pub use crate::query::filter::operand::{Operand, TextField};

/// Which rows a query looks at: a condition on fields of `T`, made of a [`Field`]'s methods and joined with `&`, `|` and `!`.
///
/// ```
/// use aimdb_persistence::{Fields, Persist, question::Filter};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Clone, Debug, Serialize, Deserialize, Persist)]
/// #[persist(key = "room.{number}")]
/// struct Room {
///     celsius: f64,
///     mode: Mode,
///     window: Option<Window>,
/// }
///
/// #[derive(Clone, Debug, Serialize, Deserialize)]
/// enum Mode { Heating, Cooling, Off }
///
/// #[derive(Clone, Debug, Serialize, Deserialize, Fields)]
/// struct Window { open: bool, facing: String }
///
/// let room = Room::fields();
/// let too_hot = room.celsius.gt(26.0) & room.mode.ne(Mode::Cooling);
/// let draughty = room.window.some().then(Window::fields().open).is_true() & room.celsius.within(..17.0);
/// let wanted: Filter<Room> = too_hot | draughty | !room.mode.is_in([Mode::Heating, Mode::Off]);
/// ```
///
/// # What holds
/// Values are compared as JSON holds them: numbers by value, exactly, whether they are integers or floats; texts by
/// their bytes, as `String` is; unit variants of an enum as their name. A condition on a field that a row does not have,
/// or has as `null`, does not hold, and its negation does; so does [`ne`](Field::ne). The compiler checks the types: a
/// field of `f64` is compared with `f64` alone.
///
/// A row of an older version of the type is looked at as it is once lifted.
///
/// A value that JSON has no form for, as a NaN, and one that is an object or an array, cannot be compared with: the query
/// answers [`InvalidQuery`](crate::PersistenceError::InvalidQuery).
#[must_use = "a filter does nothing by itself: give it to a query"]
pub struct Filter<T> {
    condition: Condition,
    of: PhantomData<fn() -> T>,
}

impl<T> Filter<T> {
    fn new(condition: Condition) -> Self {
        Self {
            condition,
            of: PhantomData,
        }
    }

    pub(crate) fn into_condition(self) -> Condition {
        self.condition
    }

    /// Both hold; `&` does the same.
    pub fn and(self, other: Self) -> Self {
        Self::new(self.condition.and(other.condition))
    }

    /// One of the two holds at least; `|` does the same.
    pub fn or(self, other: Self) -> Self {
        Self::new(self.condition.or(other.condition))
    }
}

/// What rows can be filtered by: a [`Filter`] of their type.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a condition on the fields of `{T}`",
    label = "this is to be a condition",
    note = "a condition is made by a field's methods: `fields.celsius.gt(30.0)`, and `fields.on.is_true()` for a `bool`",
    note = "conditions are joined by `&` and `|` and negated by `!`, each in parentheses if need be: `&&` and `||` are for \
            `bool` alone"
)]
pub trait RowFilter<T> {
    #[doc(hidden)]
    fn into_filter(self) -> Filter<T>;
}

impl<T> RowFilter<T> for Filter<T> {
    fn into_filter(self) -> Filter<T> {
        self
    }
}

impl<T, V> Field<T, V> {
    /// Equal to this value.
    pub fn eq(self, value: impl Operand<V>) -> Filter<T> {
        self.compare(Comparison::Equal, value)
    }

    /// Not equal to this value, or not there.
    pub fn ne(self, value: impl Operand<V>) -> Filter<T> {
        !self.eq(value)
    }

    /// Less than this value.
    pub fn lt(self, value: impl Operand<V>) -> Filter<T> {
        self.compare(Comparison::Less, value)
    }

    /// Less than this value, or equal to it.
    pub fn le(self, value: impl Operand<V>) -> Filter<T> {
        self.compare(Comparison::LessOrEqual, value)
    }

    /// Greater than this value.
    pub fn gt(self, value: impl Operand<V>) -> Filter<T> {
        self.compare(Comparison::Greater, value)
    }

    /// Greater than this value, or equal to it.
    pub fn ge(self, value: impl Operand<V>) -> Filter<T> {
        self.compare(Comparison::GreaterOrEqual, value)
    }

    /// Within a range: `10.0..20.0`, `10.0..=20.0`, `..10.0`.
    pub fn within<O: Operand<V> + Clone>(self, range: impl RangeBounds<O>) -> Filter<T> {
        let from = match range.start_bound() {
            Bound::Included(value) => self.ge(value.clone()),
            Bound::Excluded(value) => self.gt(value.clone()),
            Bound::Unbounded => self.is_there(),
        };
        match range.end_bound() {
            Bound::Included(value) => from & self.le(value.clone()),
            Bound::Excluded(value) => from & self.lt(value.clone()),
            Bound::Unbounded => from,
        }
    }

    /// Equal to one of these values.
    pub fn is_in<O: Operand<V>>(self, values: impl IntoIterator<Item = O>) -> Filter<T> {
        let values = values.into_iter().map(Operand::into_scalar).collect();
        Filter::new(Condition::is_in(self.path(), values))
    }

    fn compare(self, comparison: Comparison, value: impl Operand<V>) -> Filter<T> {
        Filter::new(Condition::compare(
            self.path(),
            comparison,
            value.into_scalar(),
        ))
    }

    fn is_there(self) -> Filter<T> {
        Filter::new(Condition::is_there(self.path()))
    }
}

impl<T> Field<T, bool> {
    /// True.
    pub fn is_true(self) -> Filter<T> {
        self.eq(true)
    }

    /// False.
    pub fn is_false(self) -> Filter<T> {
        self.eq(false)
    }
}

impl<T, V> Field<T, Option<V>> {
    /// There, and not `None`.
    pub fn is_some(self) -> Filter<T> {
        self.is_there()
    }

    /// `None`, or not there at all.
    pub fn is_none(self) -> Filter<T> {
        !self.is_there()
    }
}

// The bound stands at the methods, so that the compiler explains it.
impl<T, V> Field<T, V> {
    /// A text that begins with this one.
    pub fn starts_with(self, text: impl Into<Box<str>>) -> Filter<T>
    where
        V: TextField,
    {
        self.test_text(TextTest::StartsWith, text)
    }

    /// A text that ends with this one.
    pub fn ends_with(self, text: impl Into<Box<str>>) -> Filter<T>
    where
        V: TextField,
    {
        self.test_text(TextTest::EndsWith, text)
    }

    /// A text that contains this one.
    pub fn contains(self, text: impl Into<Box<str>>) -> Filter<T>
    where
        V: TextField,
    {
        self.test_text(TextTest::Contains, text)
    }

    fn test_text(self, test: TextTest, text: impl Into<Box<str>>) -> Filter<T> {
        Filter::new(Condition::text(self.path(), test, text.into()))
    }
}

impl<T> BitAnd for Filter<T> {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        self.and(other)
    }
}

impl<T> BitOr for Filter<T> {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        self.or(other)
    }
}

impl<T> Not for Filter<T> {
    type Output = Self;

    fn not(self) -> Self {
        Self::new(self.condition.negated())
    }
}

impl<T> Clone for Filter<T> {
    fn clone(&self) -> Self {
        Self::new(self.condition.clone())
    }
}

impl<T> Debug for Filter<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Filter").field(&self.condition).finish()
    }
}
