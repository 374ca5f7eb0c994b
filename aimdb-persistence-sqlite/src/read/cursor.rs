//! Where a reading goes on, as a cursor carries it from one page to the next.

use aimdb_persistence_backend::{Cursor, CursorError};

use crate::layout::place::Place;

/// Behind which row a page or a chunk ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct After {
    pub(crate) record_name: Box<str>,
    pub(crate) go_on: GoOn,
    /// Rows with a higher sequence were stored after the reading began.
    pub(crate) last_sequence: i64,
}

/// What a cursor says of the series that it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GoOn {
    /// Behind this row; so many rows of the series have been shown.
    Behind { place: Place, shown: usize },
    /// With the next series.
    WithNextSeries,
}

/// No series has so many rows: a cursor that counts them is done with its series.
const ALL_SHOWN: u64 = u64::MAX;

/// Tells the cursors of this backend from others'.
const MARK: &str = "sqlite";

impl After {
    /// What the cursor says. It may come from anywhere: what no cursor of this backend says leads behind everything, or
    /// nowhere, but not astray.
    pub(crate) fn of(cursor: &Cursor) -> Result<Self, CursorError> {
        let [stored_at, sequence, shown, last_sequence] = cursor.numbers(MARK)?;
        let go_on = match usize::try_from(shown) {
            Ok(shown) if shown as u64 != ALL_SHOWN => GoOn::Behind {
                place: Place {
                    stored_at: stored_at.cast_signed(),
                    sequence: sequence.cast_signed(),
                },
                shown,
            },
            _ => GoOn::WithNextSeries,
        };
        Ok(Self {
            record_name: cursor.record_name().into(),
            go_on,
            last_sequence: i64::try_from(last_sequence).unwrap_or(i64::MAX),
        })
    }

    pub(crate) fn into_cursor(self) -> Cursor {
        let (place, shown) = match self.go_on {
            GoOn::Behind { place, shown } => (place, shown as u64),
            GoOn::WithNextSeries => (Place::first_at(0), ALL_SHOWN),
        };
        let place = [place.stored_at, place.sequence].map(i64::cast_unsigned);
        let numbers = [
            place[0],
            place[1],
            shown,
            self.last_sequence.cast_unsigned(),
        ];
        Cursor::of_numbers(self.record_name, MARK, numbers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_goes_on_where_it_was_made() {
        let place = Place {
            stored_at: 5,
            sequence: 7,
        };
        let behind = GoOn::Behind { place, shown: 3 };
        for go_on in [behind, GoOn::WithNextSeries] {
            let after = After {
                record_name: "temperature.sf".into(),
                go_on,
                last_sequence: 9,
            };
            assert_eq!(After::of(&after.clone().into_cursor()), Ok(after));
        }
    }
}
