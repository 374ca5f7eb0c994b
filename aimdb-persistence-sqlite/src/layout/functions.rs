//! The checksums as SQL functions, for statements that change rows of which they know only a part.
//!
//! Views and triggers do not use them: the file stays readable for any program.

use rusqlite::Connection;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::ValueRef;
use xxhash_rust::xxh3::xxh3_64;

use crate::layout::place::RowKey;
use crate::layout::seal::{half, seal};

/// `checksum(…)` of any values, and `row_seal(series, stored_at, sequence, value)` of a row without a version.
pub(crate) fn add(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_DIRECTONLY;
    connection.create_scalar_function("checksum", -1, flags, |values| {
        Ok(i64::from(checksum(
            (0..values.len()).map(|n| values.get_raw(n)),
        )))
    })?;
    connection.create_scalar_function("row_seal", 4, flags, |values: &Context<'_>| {
        let key = RowKey::new(values.get(0)?, values.get(1)?, values.get(2)?);
        Ok(seal(
            key,
            0,
            values.get_raw(3).as_bytes_or_null()?.unwrap_or_default(),
        ))
    })
}

/// The same as [`checksum`] of so many whole numbers. Every query begins with one: nothing is allocated.
pub(crate) fn checksum_of_seven(numbers: [i64; 7]) -> u32 {
    let mut all = [b'i'; 7 * 9];
    for (bytes, number) in all.chunks_exact_mut(9).zip(numbers) {
        bytes[1..].copy_from_slice(&number.to_le_bytes());
    }
    half(xxh3_64(&all))
}

/// Of values of any type, in order.
pub(crate) fn checksum<'a>(values: impl IntoIterator<Item = ValueRef<'a>>) -> u32 {
    let mut all = Vec::with_capacity(64);
    for value in values {
        match value {
            ValueRef::Null => all.push(b'n'),
            ValueRef::Integer(number) => {
                all.push(b'i');
                all.extend_from_slice(&number.to_le_bytes());
            }
            ValueRef::Real(number) => {
                all.push(b'r');
                all.extend_from_slice(&number.to_le_bytes());
            }
            ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
                all.push(b't');
                all.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
                all.extend_from_slice(bytes);
            }
        }
    }
    half(xxh3_64(&all))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seven_numbers_have_the_checksum_that_sql_gives_them() {
        let numbers = [0, -1, i64::MAX, i64::MIN, 1_700_000_000_000, 42, 7];
        let sum = checksum(numbers.map(ValueRef::Integer));
        assert_eq!(checksum_of_seven(numbers), sum);
    }
}
