//! What is known of a chunk's fields, as bytes beside its body.

use crate::bytes::{Input, begin, open, put_part, put_unsigned, seal};
use crate::error::PackedError;
use crate::statistics::accumulator::Accumulator;
use crate::statistics::span::Span;

/// What is known of a chunk without its rows: how many there are, when, and the numbers of each field.
///
/// ```
/// use aimdb_persistence_packed::statistics::ChunkStatistics;
/// use aimdb_persistence_packed::{RowIn, pack};
///
/// let texts = [r#"{"celsius":0.1}"#, r#"{"celsius":0.2}"#];
/// let rows = (0_u64..).zip(texts).map(|(row, text)| RowIn { stored_at: row, sequence: row, version: 1, text });
/// let packed = pack(rows)?;
///
/// let statistics = ChunkStatistics::open(packed.statistics)?;
/// let celsius = statistics.field(["celsius"])?.expect("a field of numbers");
/// assert_eq!(celsius.sum.to_f64(), 0.3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct ChunkStatistics {
    bytes: Vec<u8>,
    rows: u64,
    span: Span,
    /// Where the fields begin.
    fields: usize,
}

/// No chunk has more fields.
const MOST_FIELDS: usize = 1 << 16;

pub(crate) fn put_statistics(
    rows: usize,
    span: Span,
    fields: &[(Vec<&str>, Accumulator)],
) -> Vec<u8> {
    let mut out = begin();
    put_unsigned(&mut out, rows as u64);
    put_unsigned(&mut out, span.first_ms);
    put_unsigned(&mut out, span.last_ms.wrapping_sub(span.first_ms));
    put_unsigned(&mut out, fields.len() as u64);
    for (path, accumulator) in fields {
        put_part(&mut out, |out| {
            put_unsigned(out, path.len() as u64);
            for name in path {
                put_part(out, |out| out.extend_from_slice(name.as_bytes()));
            }
            accumulator.put(out, span);
        });
    }
    seal(&mut out);
    out
}

impl ChunkStatistics {
    /// Opens the statistics of a chunk that was [packed](crate::pack).
    ///
    /// # Errors
    /// If the bytes are not those that were written, or are of a later format.
    pub fn open(bytes: impl Into<Vec<u8>>) -> Result<Self, PackedError> {
        let bytes = bytes.into();
        let mut input = open(&bytes)?;
        let rows = input.unsigned()?;
        let first_ms = input.unsigned()?;
        let last_ms = first_ms.wrapping_add(input.unsigned()?);
        let fields = bytes.len() - input.left();
        Ok(Self {
            rows,
            span: Span { first_ms, last_ms },
            fields,
            bytes,
        })
    }

    /// How many rows the chunk has.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The times of its oldest and its newest row, in Unix milliseconds.
    pub fn times(&self) -> (u64, u64) {
        (self.span.first_ms, self.span.last_ms)
    }

    /// What is known of the field that the names lead to. `None` says nothing: the chunk's columns tell whether there are such numbers.
    ///
    /// # Errors
    /// If the statistics were written wrongly.
    pub fn field<'n>(
        &self,
        path: impl IntoIterator<Item = &'n str>,
    ) -> Result<Option<Accumulator>, PackedError> {
        let path: Vec<_> = path.into_iter().collect();
        let mut input = Input::new(&self.bytes, self.fields);
        for _ in 0..input.count(MOST_FIELDS)? {
            let mut field = input.part()?;
            if read_path(&mut field, &path)? {
                let accumulator = Accumulator::read(&mut field, self.span)?;
                return field.end().map(|()| Some(accumulator));
            }
        }
        Ok(None)
    }
}

/// Reads a path: whether it is this one.
fn read_path(field: &mut Input<'_>, path: &[&str]) -> Result<bool, PackedError> {
    let count = field.count(field.left())?;
    let mut is_equal = count == path.len();
    for index in 0..count {
        let mut name = field.part()?;
        let name = name.take(name.left())?;
        is_equal &= path
            .get(index)
            .is_some_and(|wanted| wanted.as_bytes() == name);
    }
    Ok(is_equal)
}
