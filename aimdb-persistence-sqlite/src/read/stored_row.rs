//! A row as its source hands it out.

use crate::layout::place::Place;

/// A row as it lies in the file.
pub(crate) struct StoredRow<'a> {
    pub(crate) place: Place,
    pub(crate) content: Content<'a>,
}

pub(crate) enum Content<'a> {
    /// With the seal that the value was stored with.
    Sealed {
        /// Text, of which only a file from elsewhere may hold some that is not UTF-8. `None` where the row is not there: damage
        /// hides it, or its long value, or another program has deleted it.
        json: Option<&'a [u8]>,
        seal: i64,
    },
    /// Of a chunk whose checksum fits.
    Packed { json: &'a str, version: u32 },
    /// So many packed rows that cannot be read, and what is said of them.
    Damaged { rows: u64, what: &'a str },
}
