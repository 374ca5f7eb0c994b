//! What can be wrong with a chunk, and what cannot become one.

/// Why bytes are no chunk, or no rows can be read from one.
///
/// A chunk whose checksum is right was written as it is, so all but [`Checksum`](Self::Checksum) and
/// [`Format`](Self::Format) speak of a program that wrote nonsense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PackedError {
    /// It ends before its end.
    #[error("the packed chunk is cut off")]
    Cut,
    /// Its format is one that this version does not know.
    #[error(
        "the packed chunk has format {0}, and only format 1 is known: a later version wrote it, or it is damaged"
    )]
    Format(u8),
    /// Its bytes are not those that were written.
    #[error("the packed chunk is damaged: its checksum does not fit its bytes")]
    Checksum,
    /// It says what no chunk can say.
    #[error("the packed chunk is damaged: {0}")]
    Damaged(&'static str),
}

/// Why rows do not become a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PackError {
    /// There are none.
    #[error("no rows were given to pack")]
    NoRows,
    /// There are more than a chunk holds.
    #[error("{rows} rows are more than a chunk holds ({most})")]
    TooManyRows {
        /// So many were given.
        rows: usize,
        /// So many fit.
        most: usize,
    },
    /// Their texts are longer than a chunk holds.
    #[error("{bytes} bytes of JSON are more than a chunk holds ({most})")]
    TooMuchText {
        /// So many were given.
        bytes: usize,
        /// So many fit.
        most: usize,
    },
}
