//! Where a reading goes on, as a cursor carries it from one page or chunk to the next.

use aimdb_persistence::Cursor;

use crate::layout::place::Place;

/// What a cursor says of the series that it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GoOn {
    /// Behind this row; so many rows of the series have been shown.
    Behind { place: Place, shown: usize },
    /// With the next series.
    WithNextSeries,
}

/// No series has so many rows: a cursor that counts them is done with its series.
const ALL_SHOWN: usize = usize::MAX;

impl GoOn {
    pub(crate) fn from_cursor(cursor: &Cursor) -> Self {
        match cursor.taken {
            ALL_SHOWN => Self::WithNextSeries,
            shown => Self::Behind {
                place: Place {
                    stored_at: cursor.stored_at.cast_signed(),
                    sequence: cursor.sequence.cast_signed(),
                },
                shown,
            },
        }
    }

    /// Rows with a higher sequence than `last_sequence` were stored after the reading began.
    pub(crate) fn into_cursor(self, record_name: &str, last_sequence: u64) -> Cursor {
        let (place, taken) = match self {
            Self::Behind { place, shown } => (place, shown),
            Self::WithNextSeries => (Place::first_at(0), ALL_SHOWN),
        };
        Cursor {
            record_name: record_name.to_owned(),
            stored_at: place.stored_at.cast_unsigned(),
            sequence: place.sequence.cast_unsigned(),
            taken,
            last_sequence,
        }
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
            let cursor = go_on.into_cursor("temperature.sf", 9);
            assert_eq!(GoOn::from_cursor(&cursor), go_on);
            assert_eq!(
                (&*cursor.record_name, cursor.last_sequence),
                ("temperature.sf", 9)
            );
        }
    }
}
