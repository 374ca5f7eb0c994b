//! Where a reading goes on, as a cursor carries it from one page to the next.

use aimdb_persistence_backend::{Cursor, CursorError};

use crate::write::recording::Place;

/// Behind which row a page ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct After {
    pub(crate) record_name: Box<str>,
    pub(crate) source: i32,
    pub(crate) place: Place,
    /// So many rows of the series have been shown.
    pub(crate) shown: u64,
    /// Names the moment at which the reading began: rows that were stored later do not show.
    pub(crate) moment: u64,
}

/// Tells the cursors of this backend from others'.
const MARK: &str = "postgres";

impl After {
    /// What the cursor says. It may come from anywhere: what no cursor of this backend says leads to rows of the request, or
    /// nowhere.
    pub(crate) fn of(cursor: &Cursor) -> Result<Self, CursorError> {
        let [stored_at, sequence, shown, source, moment] = cursor.numbers(MARK)?;
        Ok(Self {
            record_name: cursor.record_name().into(),
            source: i32::try_from(source).unwrap_or(-1),
            place: Place {
                stored_at: stored_at.cast_signed(),
                sequence: sequence.cast_signed(),
            },
            shown,
            moment,
        })
    }

    pub(crate) fn into_cursor(self) -> Cursor {
        let Place {
            stored_at,
            sequence,
        } = self.place;
        let numbers = [
            stored_at.cast_unsigned(),
            sequence.cast_unsigned(),
            self.shown,
            u64::try_from(self.source).unwrap_or(u64::MAX),
            self.moment,
        ];
        Cursor::of_numbers(self.record_name, MARK, numbers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_goes_on_where_it_was_made() {
        let after = After {
            record_name: "temperature.sf".into(),
            source: 7,
            place: Place {
                stored_at: 5,
                sequence: 9,
            },
            shown: 3,
            moment: u64::MAX,
        };
        assert_eq!(After::of(&after.clone().into_cursor()), Ok(after));
    }
}
