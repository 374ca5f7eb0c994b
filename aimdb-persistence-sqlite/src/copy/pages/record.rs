//! The records of SQLite's format: values behind a header that says of which type each is.
//!
//! <https://www.sqlite.org/fileformat2.html#record_format>

/// A value of a record. Numbers with a fraction are in none of ours.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Value<'a> {
    Null,
    Integer(i64),
    Text(&'a [u8]),
    Blob(&'a [u8]),
    Other,
}

impl<'a> Value<'a> {
    pub(crate) fn integer(self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some(number),
            _ => None,
        }
    }

    pub(crate) fn text(self) -> Option<&'a str> {
        match self {
            Self::Text(bytes) => str::from_utf8(bytes).ok(),
            _ => None,
        }
    }

    /// `None` where it is neither NULL nor what `read` reads.
    pub(crate) fn or_null<T>(self, read: impl FnOnce(Self) -> Option<T>) -> Option<Option<T>> {
        match self {
            Self::Null => Some(None),
            value => read(value).map(Some),
        }
    }
}

/// A number of one to nine bytes, and what comes behind it.
pub(crate) fn varint(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let mut number: u64 = 0;
    for (index, byte) in bytes.iter().enumerate().take(9) {
        if index == 8 {
            return Some(((number << 8 | u64::from(*byte)).cast_signed(), &bytes[9..]));
        }
        number = number << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((number.cast_signed(), &bytes[index + 1..]));
        }
    }
    None
}

/// The values of a record; `None` where it is none, or has more than any of ours.
pub(crate) fn values(payload: &[u8]) -> Option<Vec<Value<'_>>> {
    const MOST: usize = 16;
    let (header_bytes, types) = varint(payload)?;
    let header_bytes = usize::try_from(header_bytes).ok()?;
    let within = header_bytes.checked_sub(payload.len() - types.len())?;
    let (mut types, mut body) = (types.get(..within)?, payload.get(header_bytes..)?);
    let mut values = Vec::new();
    while !types.is_empty() {
        let (serial_type, rest) = varint(types)?;
        types = rest;
        let bytes = body_bytes(serial_type)?;
        let (own, rest) = (body.get(..bytes)?, body.get(bytes..)?);
        body = rest;
        values.push(value(serial_type, own));
        if values.len() > MOST {
            return None;
        }
    }
    body.is_empty().then_some(values)
}

fn body_bytes(serial_type: i64) -> Option<usize> {
    match serial_type {
        0 | 8 | 9 => Some(0),
        1..=4 => usize::try_from(serial_type).ok(),
        5 => Some(6),
        6 | 7 => Some(8),
        12.. => usize::try_from((serial_type - 12) / 2).ok(),
        _ => None,
    }
}

fn value(serial_type: i64, bytes: &[u8]) -> Value<'_> {
    match serial_type {
        0 => Value::Null,
        1..=6 => {
            let sign = bytes.first().is_some_and(|byte| byte & 0x80 != 0);
            let start = if sign { -1 } else { 0 };
            let number = bytes.iter().fold(start, |n: i64, b| n << 8 | i64::from(*b));
            Value::Integer(number)
        }
        8 => Value::Integer(0),
        9 => Value::Integer(1),
        13.. if serial_type % 2 == 1 => Value::Text(bytes),
        12.. => Value::Blob(bytes),
        _ => Value::Other,
    }
}
