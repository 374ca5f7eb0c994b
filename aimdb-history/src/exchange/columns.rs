//! The columns of a file: the fields that its rows have, and what they hold.

use std::collections::HashMap;

use crate::exchange::members::each_field;

/// What all values of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holds {
    /// Nothing but `null`.
    Nothing,
    Bool,
    /// Whole numbers of 64 bits.
    Integer,
    /// Numbers.
    Float,
    Text,
    /// Whatever: as JSON.
    Json,
}

impl Holds {
    /// What this one value is.
    pub(crate) fn of(json: &str) -> Self {
        match json.as_bytes().first() {
            Some(b'n') | None => Self::Nothing,
            Some(b't' | b'f') => Self::Bool,
            Some(b'"') => Self::Text,
            Some(b'{' | b'[') => Self::Json,
            Some(_) if json.parse::<i64>().is_ok() => Self::Integer,
            // A whole number of more bits would lose digits as a float.
            Some(_) if !json.contains(['.', 'e', 'E']) => Self::Json,
            Some(_) => Self::Float,
        }
    }

    fn beside(self, other: Self) -> Self {
        match (self, other) {
            (one, other) if one == other => one,
            (Self::Nothing, other) | (other, Self::Nothing) => other,
            (Self::Integer, Self::Float) | (Self::Float, Self::Integer) => Self::Float,
            _ => Self::Json,
        }
    }
}

/// The columns in the order in which they were met.
#[derive(Debug, Clone, Default)]
pub(crate) struct Columns {
    names: Vec<String>,
    holds: Vec<Holds>,
    index_of: HashMap<String, usize>,
}

impl Columns {
    /// Takes the fields of a value in.
    pub(crate) fn learn(&mut self, json: &str) {
        let mut guess = 0;
        each_field(json, |name, value| {
            let holds = Holds::of(value);
            let index = self.index(name, &mut guess).unwrap_or_else(|| {
                let index = self.names.len();
                self.names.push(name.to_owned());
                self.holds.push(Holds::Nothing);
                self.index_of.insert(name.to_owned(), index);
                index
            });
            self.holds[index] = self.holds[index].beside(holds);
        });
    }

    /// The column of this name. Most values have the fields of the one before in the same order, so the next is tried first.
    fn index(&self, name: &str, guess: &mut usize) -> Option<usize> {
        let index = match self.names.get(*guess) {
            Some(guessed) if guessed == name => *guess,
            _ => *self.index_of.get(name)?,
        };
        *guess = index + 1;
        Some(index)
    }

    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// What each column holds.
    #[cfg(feature = "parquet")]
    pub(crate) fn holds(&self) -> &[Holds] {
        &self.holds
    }

    /// Puts the fields of a value in their columns' places. Says whether each has a place that it fits into.
    pub(crate) fn spread<'j>(&self, json: &'j str, places: &mut Vec<Option<&'j str>>) -> bool {
        places.clear();
        places.resize(self.names.len(), None);
        let (mut guess, mut fits) = (0, true);
        each_field(json, |name, value| match self.index(name, &mut guess) {
            Some(index) => {
                let holds = self.holds[index];
                fits &= holds == Holds::Json || holds.beside(Holds::of(value)) == holds;
                places[index] = Some(value);
            }
            None => fits = false,
        });
        fits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_holds_what_all_of_its_values_are() {
        for (values, holds) in [
            (&["1", "-2"][..], Holds::Integer),
            (&["1", "2.5", "null"], Holds::Float),
            (&["1", "18446744073709551615"], Holds::Json),
            (&["true", "null"], Holds::Bool),
            (&["\"a\"", "\"b\""], Holds::Text),
            (&["\"a\"", "1"], Holds::Json),
            (&["[1]"], Holds::Json),
            (&["null"], Holds::Nothing),
        ] {
            let mut columns = Columns::default();
            for value in values {
                columns.learn(&format!("{{\"a\":{value}}}"));
            }
            assert_eq!(columns.holds, [holds], "{values:?}");
        }
    }
}
