//! Rows into bytes.

use crate::bytes::{begin, put_part, put_unsigned, seal};
use crate::error::PackError;
use crate::ints;
use crate::shred::{Forest, Parser, put_branch, summed};
use crate::statistics::{Span, put_statistics};
use crate::texts::MOST_TEXT;

/// No chunk has more rows.
pub const MOST_ROWS: usize = 4_096;

/// A row to be packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowIn<'a> {
    /// Unix milliseconds.
    pub stored_at: u64,
    /// Tells rows of one time apart.
    pub sequence: u64,
    /// The version of its type that the value was written as.
    pub version: u32,
    /// The value as JSON. A text that is no JSON comes back as well.
    pub text: &'a str,
}

/// What rows became.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Packed {
    /// All of the rows: [`Chunk::open`](crate::Chunk::open) reads it.
    pub body: Vec<u8>,
    /// What is known of the numbers in them: [`ChunkStatistics::open`](crate::statistics::ChunkStatistics::open) reads it.
    pub statistics: Vec<u8>,
    /// How many rows there are.
    pub rows: usize,
    /// How many bytes of JSON they have.
    pub text_bytes: usize,
}

/// Packs all the rows into one chunk, in their order. That should be the order of their times.
///
/// ```
/// use aimdb_persistence_packed::{Chunk, RowIn, pack};
///
/// let texts = [r#"{"celsius":21.5}"#, r#"{"celsius":21.6,"gust":null}"#];
/// let rows = (1_u64..).zip(texts).map(|(sequence, text)| RowIn {
///     stored_at: sequence * 1_000,
///     sequence,
///     version: 0,
///     text,
/// });
/// let packed = pack(rows)?;
/// let chunk = Chunk::open(packed.body)?;
/// assert_eq!(chunk.reader().text(1)?, texts[1]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If there are no rows, or more of them or of their text than a chunk holds.
pub fn pack<'a>(rows: impl IntoIterator<Item = RowIn<'a>>) -> Result<Packed, PackError> {
    let (mut times, mut sequences, mut versions) = (Vec::new(), Vec::new(), Vec::new());
    let (mut text_bytes, mut longest) = (0, 0);
    let (mut parser, mut forest) = (Parser::default(), Forest::default());
    for row in rows {
        times.push(row.stored_at as i64);
        sequences.push(row.sequence as i64);
        versions.push(i64::from(row.version));
        text_bytes += row.text.len();
        longest = longest.max(row.text.len());
        check(times.len(), text_bytes)?;
        forest.push(row.text, parser.parse(row.text));
    }
    if times.is_empty() {
        return Err(PackError::NoRows);
    }
    let mut body = begin();
    for number in [times.len(), text_bytes, longest] {
        put_unsigned(&mut body, number as u64);
    }
    for column in [&times, &sequences, &versions] {
        put_part(&mut body, |out| ints::encode(out, column, None));
    }
    put_part(&mut body, |out| put_branch(out, &mut forest.root, &times));
    seal(&mut body);
    Ok(Packed {
        statistics: put_statistics(times.len(), span_of(&times), &summed(&forest.root, &times)),
        body,
        rows: times.len(),
        text_bytes,
    })
}

/// From the oldest to the newest row.
fn span_of(times: &[i64]) -> Span {
    let times = || times.iter().map(|time| *time as u64);
    Span {
        first_ms: times().min().unwrap_or(0),
        last_ms: times().max().unwrap_or(0),
    }
}

fn check(rows: usize, text_bytes: usize) -> Result<(), PackError> {
    if rows > MOST_ROWS {
        let most = MOST_ROWS;
        return Err(PackError::TooManyRows { rows, most });
    }
    if text_bytes > MOST_TEXT {
        return Err(PackError::TooMuchText {
            bytes: text_bytes,
            most: MOST_TEXT,
        });
    }
    Ok(())
}
