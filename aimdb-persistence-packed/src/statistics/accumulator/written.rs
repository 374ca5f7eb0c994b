//! What is known of a field's numbers, as bytes.
//!
//! Most fields have one number of decimal places. Their sums are written as what they differ by from a guess: that all
//! numbers are the mean.

use super::{Accumulator, Area, Ends, Meter, Reading};
use crate::bytes::{Input, put_signed, put_unsigned, put_wide};
use crate::error::PackedError;
use crate::numbers::{Decimal, Number};
use crate::statistics::exact::{ExactSum, exponent};
use crate::statistics::span::Span;

/// How the numbers of a field are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// All are whole numbers, and so are their sums.
    Whole,
    /// All are decimals of this exponent.
    Decimal(i32),
    /// They differ.
    Mixed,
}

/// Rows at the ends hold no number, and are written apart.
const ENDS_APART: u64 = 4;

impl Accumulator {
    /// Of one series: what several have together is never written.
    pub(crate) fn put(&self, out: &mut Vec<u8>, span: Span) {
        let form = self.form();
        let code = match form {
            Form::Whole => 0,
            Form::Decimal(_) => 1,
            Form::Mixed => 2,
        };
        let ends_are_numbers = self.ends_of_readings() == self.ends;
        put_unsigned(out, code | if ends_are_numbers { 0 } else { ENDS_APART });
        if let Form::Decimal(exponent) = form {
            put_signed(out, exponent.into());
        }
        for number in [self.count, self.without_value, self.meter.resets] {
            put_unsigned(out, number);
        }
        put_signed(
            out,
            self.steps.known_ms.wrapping_sub(span.length_ms()) as i64,
        );
        put_signed(
            out,
            self.lines.known_ms.wrapping_sub(self.steps.known_ms) as i64,
        );
        let mut guess = Guess::default();
        for (part, sum) in self.sums() {
            match form.exponent(part) {
                Some(exponent) => {
                    let units = sum.units_at(exponent).unwrap_or_default();
                    put_wide(out, units.wrapping_sub(guess.of(part, self)));
                    guess.learn(part, units, self.count);
                }
                None => sum.put(out),
            }
        }
        let readings = [self.min, self.max, self.first, self.last];
        for reading in readings.into_iter().flatten() {
            span.put_time(out, reading.at_ms);
            put_number(out, reading.number, form, guess.mean);
        }
        if let Some(ends) = self.ends.filter(|_| !ends_are_numbers) {
            for (at_ms, number) in [ends.first, ends.last] {
                span.put_time(out, at_ms);
                out.push(u8::from(number.is_some()));
                if let Some(number) = number {
                    put_number(out, number, form, guess.mean);
                }
            }
        }
    }

    pub(crate) fn read(input: &mut Input<'_>, span: Span) -> Result<Self, PackedError> {
        let code = input.unsigned()?;
        let form = match code & !ENDS_APART {
            0 => Form::Whole,
            1 => Form::Decimal(exponent(input.signed()?)?),
            2 => Form::Mixed,
            _ => return Err(PackedError::Damaged("there is no such form of statistics")),
        };
        let (count, without_value) = (input.unsigned()?, input.unsigned()?);
        let resets = input.unsigned()?;
        let known_ms = span.length_ms().wrapping_add(input.signed()? as u64);
        let mut read = Self {
            count,
            without_value,
            ..Self::default()
        };
        read.meter.resets = resets;
        read.steps.known_ms = known_ms;
        read.lines.known_ms = known_ms.wrapping_add(input.signed()? as u64);
        let mut guess = Guess::default();
        for part in Part::ALL {
            let sum = match form.exponent(part) {
                Some(exponent) => {
                    let units = input.wide()?.wrapping_add(guess.of(part, &read));
                    guess.learn(part, units, count);
                    ExactSum::of_units(units, exponent)
                }
                None => ExactSum::read(input)?,
            };
            *part.of(&mut read) = sum;
        }
        if count > 0 {
            for index in 0..4 {
                let at_ms = span.read_time(input)?;
                let number = read_number(input, form, guess.mean)?;
                let reading = Some(Reading { at_ms, number });
                *[
                    &mut read.min,
                    &mut read.max,
                    &mut read.first,
                    &mut read.last,
                ][index] = reading;
            }
        }
        read.ends = read.ends_of_readings();
        if code & ENDS_APART != 0 {
            let mut end = || {
                let at_ms = span.read_time(input)?;
                let number = match input.byte()? {
                    0 => None,
                    _ => Some(read_number(input, form, guess.mean)?),
                };
                Ok((at_ms, number))
            };
            let (first, last) = (end()?, end()?);
            read.ends = Some(Ends { first, last });
        }
        Ok(read)
    }

    /// The rows at the ends, if both hold a number.
    fn ends_of_readings(&self) -> Option<Ends> {
        let end = |reading: Reading| (reading.at_ms, Some(reading.number));
        let (first, last) = (self.first.map(end)?, self.last.map(end)?);
        Some(Ends { first, last })
    }

    fn sums(&self) -> [(Part, &ExactSum); 5] {
        let sums = [
            &self.sum,
            &self.squares,
            &self.steps.area,
            &self.lines.area,
            &self.meter.increase,
        ];
        let mut parts = Part::ALL.into_iter();
        sums.map(|sum| (parts.next().unwrap_or(Part::Sum), sum))
    }

    /// The narrowest form that holds all of it.
    fn form(&self) -> Form {
        let readings = [self.min, self.max, self.first, self.last]
            .into_iter()
            .flatten();
        let ends = self
            .ends
            .into_iter()
            .flat_map(|ends| [ends.first.1, ends.last.1])
            .flatten();
        let mut form = None;
        for number in readings.map(|reading| reading.number).chain(ends) {
            let found = match number {
                Number::Integer(_) => Form::Whole,
                Number::Decimal(decimal) => Form::Decimal(decimal.exponent),
                Number::Large(_) => Form::Mixed,
            };
            if *form.get_or_insert(found) != found {
                return Form::Mixed;
            }
        }
        let form = form.unwrap_or(Form::Mixed);
        let fits = |(part, sum): (Part, &ExactSum)| {
            form.exponent(part)
                .is_some_and(|exponent| sum.units_at(exponent).is_some())
        };
        match self.sums().into_iter().all(fits) {
            true => form,
            false => Form::Mixed,
        }
    }
}

/// The sums, in the order in which they are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Sum,
    Squares,
    Steps,
    Lines,
    Increase,
}

impl Part {
    const ALL: [Self; 5] = [
        Self::Sum,
        Self::Squares,
        Self::Steps,
        Self::Lines,
        Self::Increase,
    ];

    fn of(self, accumulator: &mut Accumulator) -> &mut ExactSum {
        let Accumulator {
            sum,
            squares,
            steps: Area { area: steps, .. },
            lines: Area { area: lines, .. },
            meter: Meter { increase, .. },
            ..
        } = accumulator;
        match self {
            Self::Sum => sum,
            Self::Squares => squares,
            Self::Steps => steps,
            Self::Lines => lines,
            Self::Increase => increase,
        }
    }
}

impl Form {
    /// What a sum is a whole number of, where all numbers are alike.
    fn exponent(self, part: Part) -> Option<i32> {
        let exponent = match self {
            Self::Whole => 0,
            Self::Decimal(exponent) => exponent,
            Self::Mixed => return None,
        };
        Some(if part == Part::Squares {
            2 * exponent
        } else {
            exponent
        })
    }
}

/// What the next sum may be, by those before it.
#[derive(Debug, Default)]
struct Guess {
    mean: i128,
    sum: i128,
    steps: i128,
}

impl Guess {
    fn of(&self, part: Part, of: &Accumulator) -> i128 {
        let per_row = |sum: i128| sum / i128::from(of.count.max(1));
        let guess = match part {
            Part::Sum | Part::Increase => None,
            Part::Squares => self.sum.checked_mul(self.sum).map(per_row),
            Part::Steps => self.sum.checked_mul(of.steps.known_ms.into()).map(per_row),
            Part::Lines => self.steps.checked_mul(2),
        };
        guess.unwrap_or(0)
    }

    fn learn(&mut self, part: Part, units: i128, count: u64) {
        match part {
            Part::Sum => {
                self.sum = units;
                self.mean = units / i128::from(count.max(1));
            }
            Part::Steps => self.steps = units,
            Part::Squares | Part::Lines | Part::Increase => {}
        }
    }
}

fn put_number(out: &mut Vec<u8>, number: Number, form: Form, mean: i128) {
    match (form, number) {
        (Form::Whole, Number::Integer(value)) => put_wide(out, value.wrapping_sub(mean)),
        (Form::Decimal(_), Number::Decimal(decimal)) => {
            put_wide(out, i128::from(decimal.digits).wrapping_sub(mean));
        }
        (_, Number::Integer(value)) => {
            out.push(0);
            put_wide(out, value);
        }
        (_, Number::Large(value)) => {
            out.push(1);
            put_wide(out, value as i128);
        }
        (_, Number::Decimal(decimal)) => {
            out.push(2);
            put_signed(out, decimal.exponent.into());
            put_signed(out, decimal.digits);
        }
    }
}

fn read_number(input: &mut Input<'_>, form: Form, mean: i128) -> Result<Number, PackedError> {
    match form {
        Form::Whole => Ok(Number::Integer(input.wide()?.wrapping_add(mean))),
        Form::Decimal(exponent) => {
            let digits = i64::try_from(input.wide()?.wrapping_add(mean));
            decimal(digits.unwrap_or_default(), exponent)
        }
        Form::Mixed => match input.byte()? {
            0 => Ok(Number::Integer(input.wide()?)),
            1 => Ok(Number::Large(input.wide()? as u128)),
            2 => {
                let exponent = exponent(input.signed()?)?;
                decimal(input.signed()?, exponent)
            }
            _ => Err(PackedError::Damaged("there is no such form of a number")),
        },
    }
}

fn decimal(digits: i64, exponent: i32) -> Result<Number, PackedError> {
    let decimal = Decimal::new(digits, exponent).map(Number::Decimal);
    decimal.ok_or(PackedError::Damaged("a number is beyond all floats"))
}

#[cfg(test)]
mod tests;
