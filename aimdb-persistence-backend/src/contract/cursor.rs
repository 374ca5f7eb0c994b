//! Where a page ended, in terms that only the backend knows.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// Where a page ended, and where the next one begins.
///
/// It is opaque to all but the backend that made it: beside the record of the page's last row it holds bytes whose meaning
/// is the backend's own. It is good for that backend and for the request that it came from. Given with another request it
/// leads to some of the rows that the other one selects, and to no row outside.
///
/// As text it can be handed to a client and come back later; a text that was damaged on the way is an error.
///
/// ```
/// use aimdb_persistence_backend::Cursor;
///
/// // A backend puts what it needs into a cursor, under a mark of its own, and finds it there again.
/// let cursor = Cursor::of_numbers("temperature.sf", "mine", [1_700_000_000_000, 42]);
/// let text = cursor.to_string();
/// let back: Cursor = text.parse()?;
/// assert_eq!(back, cursor);
/// assert_eq!(back.numbers::<2>("mine")?, [1_700_000_000_000, 42]);
///
/// // Another backend's cursor is none of its business, and neither is a damaged one.
/// assert!(back.numbers::<2>("theirs").is_err());
/// assert!(text.replacen('2', "3", 1).parse::<Cursor>().is_err());
/// # Ok::<(), aimdb_persistence_backend::CursorError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    record_name: Arc<str>,
    place: Box<[u8]>,
}

/// Why a cursor cannot be gone on from.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the cursor leads nowhere: {reason}; ask again without it")]
pub struct CursorError {
    reason: String,
}

impl CursorError {
    /// For a cursor that a backend has not made, or cannot go on from any more.
    pub fn new(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
        }
    }
}

impl Cursor {
    /// Behind a row of this record, at a place that the backend can read.
    pub fn new(record_name: impl Into<Arc<str>>, place: impl Into<Box<[u8]>>) -> Self {
        Self {
            record_name: record_name.into(),
            place: place.into(),
        }
    }

    /// Behind a row of this record, at a place that some numbers tell. The mark tells the backend's cursors from others'.
    pub fn of_numbers<const N: usize>(
        record_name: impl Into<Arc<str>>,
        mark: &str,
        numbers: [u64; N],
    ) -> Self {
        let mut place = mark.as_bytes().to_vec();
        place.extend(numbers.iter().flat_map(|number| number.to_be_bytes()));
        Self::new(record_name, place)
    }

    /// The record of the page's last row: the next page goes on within it, or behind it.
    pub fn record_name(&self) -> &str {
        &self.record_name
    }

    /// What the backend has put in.
    pub fn place(&self) -> &[u8] {
        &self.place
    }

    /// The numbers of a cursor that was made [of so many](Self::of_numbers), with the same mark.
    ///
    /// # Errors
    /// If the cursor is another one.
    pub fn numbers<const N: usize>(&self, mark: &str) -> Result<[u64; N], CursorError> {
        let foreign = || CursorError::new("this backend has not made it");
        let bytes = self.place.strip_prefix(mark.as_bytes());
        let (numbers, rest) = bytes.ok_or_else(foreign)?.as_chunks::<8>();
        let numbers: &[[u8; 8]; N] = numbers.try_into().map_err(|_| foreign())?;
        match rest {
            [] => Ok(numbers.map(u64::from_be_bytes)),
            _ => Err(foreign()),
        }
    }

    /// Tells a damaged text from a whole one (FNV-1a); no protection against one that was made up.
    fn checksum(&self) -> u32 {
        let bytes = self.place.iter().chain(self.record_name.as_bytes());
        bytes.fold(0x811c_9dc5, |sum, byte| {
            (sum ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
        })
    }
}

/// The place and a checksum in hexadecimal digits, and the record.
impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in &self.place {
            write!(f, "{byte:02x}")?;
        }
        write!(f, "-{:08x}@{}", self.checksum(), self.record_name)
    }
}

impl FromStr for Cursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let damaged = || CursorError::new("it is not a cursor, or not all of one");
        let (numbers, record_name) = text.split_once('@').ok_or_else(damaged)?;
        let (place, checksum) = numbers.split_once('-').ok_or_else(damaged)?;
        let cursor = Self::new(record_name, bytes_of(place).ok_or_else(damaged)?);
        match bytes_of(checksum) {
            Some(sum) if *sum == cursor.checksum().to_be_bytes() => Ok(cursor),
            _ => Err(damaged()),
        }
    }
}

/// Of pairs of hexadecimal digits.
fn bytes_of(digits: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    let byte = |[high, low]: &[u8; 2]| u8::try_from(digit(high)? << 4 | digit(low)?).ok();
    rest.is_empty().then(|| pairs.iter().map(byte).collect())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cursor_comes_back_from_its_text() {
        for name in ["", "a.b", "odd@name-with::all\n\0", "東京"] {
            for place in [&[][..], &[0], &[255, 0, 16], b"mark"] {
                let cursor = Cursor::new(name, place);
                assert_eq!(cursor.to_string().parse(), Ok(cursor));
            }
        }
    }

    #[test]
    fn a_text_that_is_damaged_anywhere_is_refused() {
        let text = Cursor::of_numbers("a.b", "mark", [1, u64::MAX]).to_string();
        for end in 0..text.len() {
            assert!(text[..end].parse::<Cursor>().is_err(), "{}", &text[..end]);
        }
        for index in 0..text.len() {
            for by in ["", "0", "1", "z", "@", "-", "é"] {
                let damaged = format!("{}{by}{}", &text[..index], &text[index + 1..]);
                let is_refused = damaged.parse::<Cursor>().is_err();
                assert_eq!(is_refused, damaged != text, "{damaged}");
            }
        }
    }

    #[test]
    fn numbers_are_read_only_by_who_has_written_them() {
        let cursor = Cursor::of_numbers("a", "mark", [1, 2]);
        assert_eq!(cursor.numbers("mark"), Ok([1, 2]));
        assert!(cursor.numbers::<1>("mark").is_err());
        assert!(cursor.numbers::<3>("mark").is_err());
        assert!(cursor.numbers::<2>("mar").is_err());
        assert!(cursor.numbers::<2>("other").is_err());
        assert!(Cursor::new("a", *b"mark123").numbers::<0>("mark").is_err());
    }
}
