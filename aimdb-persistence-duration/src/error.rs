//! What is wrong with a length of time, and what to write instead.

use std::error::Error;
use std::fmt::{self, Display, Formatter};

use crate::purpose::Purpose;
use crate::unit;

/// A text that is no length of time, or none that makes sense for its purpose. Its [`Display`] names the text, says what
/// is wrong with it, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidLength {
    text: String,
    purpose: Purpose,
    problem: Problem,
}

/// What is wrong with a length of time.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// Nothing is written.
    Empty,
    /// It is no time at all: `0s`.
    Zero,
    /// It does not begin with a number: `d`.
    NoNumber,
    /// It has no unit: `7`.
    NoUnit {
        /// The number that is written.
        number: String,
    },
    /// It has spaces before or in the number.
    Spaces {
        /// The same without them.
        write: String,
    },
    /// It begins with a `+`.
    Sign {
        /// The same without it.
        write: String,
    },
    /// It begins with a `-`.
    Negative,
    /// Its unit is written in another way: `7 days`.
    Spelling {
        /// The same in the way that is read.
        write: String,
    },
    /// It has a fraction: `1.5h`.
    Fraction,
    /// It has several numbers and units: `1h30m`.
    Compound,
    /// It counts months, which differ in length.
    Months {
        /// About as long, in days of which a month has 30.
        days: u64,
    },
    /// It counts years where all lengths must be equal.
    Years {
        /// About as long, in days of which a year has 365.
        days: u64,
    },
    /// Its unit is shorter than the shortest that makes sense.
    TooFine,
    /// It is longer than 64 bits of milliseconds.
    TooLong,
    /// It is `forever`, or meant as such.
    Forever,
    /// Its unit is unknown.
    UnknownUnit {
        /// What is written.
        unit: String,
    },
}

impl InvalidLength {
    pub(crate) fn new(text: &str, purpose: Purpose, problem: Problem) -> Self {
        Self {
            text: text.to_owned(),
            purpose,
            problem,
        }
    }

    /// What is wrong.
    pub fn problem(&self) -> &Problem {
        &self.problem
    }
}

impl Error for InvalidLength {}

impl Display for InvalidLength {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (noun, advice) = (self.purpose.noun(), self.explain());
        match self.problem {
            Problem::Empty => write!(f, "{noun} must not be empty; {advice}"),
            _ => write!(f, "`{}` is not {noun}: {advice}", self.text.escape_debug()),
        }
    }
}

impl InvalidLength {
    /// What to write instead, and why.
    fn explain(&self) -> String {
        let purpose = self.purpose;
        let (advice, units) = (purpose.advice(), unit::list(purpose));
        let code = |text: &str| purpose.code(text);
        let example = code(purpose.example());
        let or_forever = match purpose.takes_forever() {
            true => format!(", or {}", code("forever")),
            false => String::new(),
        };
        let half_an_hour_more = format!("{} for an hour and a half", code("90m"));
        match &self.problem {
            Problem::Empty => format!("{advice}, such as {example}{or_forever}"),
            Problem::Zero => {
                let zero = purpose.zero();
                format!("{zero}; {advice}, such as {example}{or_forever}")
            }
            Problem::NoNumber => format!(
                "it must be a whole number and a unit, such as {example}{or_forever}; {units}"
            ),
            Problem::NoUnit { number } => {
                let (symbol, plural) = purpose.likely_unit();
                let write = code(&format!("{number}{symbol}"));
                format!("a number needs a unit; write {write} for {plural}; {units}")
            }
            Problem::Spaces { write } => format!("write {}, without spaces", code(write)),
            Problem::Sign { write } => format!("write {}, without a sign", code(write)),
            Problem::Negative => format!("it cannot be negative; {advice}, such as {example}"),
            Problem::Spelling { write } => format!("write {}", code(write)),
            Problem::Fraction => format!(
                "fractions are not supported; write a whole number of a smaller unit, {half_an_hour_more}"
            ),
            Problem::Compound => {
                format!("write one whole number and one unit, {half_an_hour_more}; {units}")
            }
            Problem::Months { days } => on_months(purpose, *days),
            Problem::Years { days } => format!(
                "years differ in length, and buckets do not; write days, such as {}, or ask for the years of a calendar with \
                 `every_calendar(Calendar::Year, …)`, which needs the feature `jiff`",
                code(&format!("{days}d"))
            ),
            Problem::TooFine => {
                let (unit, shortest) = match purpose.takes_milliseconds() {
                    true => ("millisecond", "1ms"),
                    false => ("second", "1s"),
                };
                format!(
                    "the smallest unit is the {unit}; write {} or more",
                    code(shortest)
                )
            }
            Problem::TooLong if purpose.takes_forever() => format!(
                "it is longer than 64 bits of milliseconds; write {} to keep all rows",
                code("forever")
            ),
            Problem::TooLong => "it is longer than 64 bits of milliseconds".into(),
            Problem::Forever => purpose.advice_on_forever().unwrap_or(advice).into(),
            Problem::UnknownUnit { unit } => format!(
                "`{}` is not a unit; {units}, as in {example}",
                unit.escape_debug()
            ),
        }
    }
}

/// `M` may be meant as months or as minutes.
fn on_months(purpose: Purpose, days: u64) -> String {
    let days = purpose.code(&format!("{days}d"));
    match purpose {
        Purpose::BucketWidth => format!(
            "months differ in length, and buckets do not (and `m` is minutes); write days, such as {days}, or ask for the months \
             of a calendar with `every_calendar(Calendar::Month, …)`, which needs the feature `jiff`"
        ),
        _ => format!(
            "months differ in length, so there is no such unit (and `m` is minutes); write days, such as {days}"
        ),
    }
}
