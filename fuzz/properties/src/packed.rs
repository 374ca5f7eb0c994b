//! Packed chunks: every row comes back, and no bytes are more than an error.

use aimdb_persistence_packed::{Chunk, PackedError, RowIn, pack};

/// What JSON is made of, so that rows often are some, and often nearly.
const PIECES: [&str; 32] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"a\"",
    "\"b\":",
    "\"\\u00e9\"",
    "null",
    "true",
    "false",
    "0",
    "-1",
    "1.5",
    "1.50",
    "1e5",
    "1e-7",
    "21.53",
    "0.30000000000000004",
    "18446744073709551615",
    "1180591620717411303424",
    " ",
    "\"2026-11-30T18:49:16.250Z\"",
    "\"0fae\"",
    "{\"a\":",
    "{\"a\":1,\"b\":",
    "[1,2,",
    "é",
    "\\",
    "\"",
    "{\"celsius\":21.5,\"at\":1700000000000}",
];

/// Ends a row.
const END: u8 = 0xff;

/// Rows that these bytes make up come back byte for byte, in both directions, and so do columns.
pub fn comes_back(bytes: &[u8]) {
    let texts: Vec<String> = bytes.split(|byte| *byte == END).map(text).collect();
    let rows = (0_u64..).zip(&texts).map(|(row, text)| RowIn {
        stored_at: row.wrapping_mul(u64::from(bytes.first().copied().unwrap_or(1))),
        sequence: u64::MAX - row,
        version: row as u32 % 2,
        text,
    });
    let packed = pack(rows).expect("few rows");
    let chunk = Chunk::open(packed.body).expect("a chunk that was just packed");
    let mut reader = chunk.reader();
    for row in (0..texts.len()).chain((0..texts.len()).rev()) {
        assert_eq!(reader.text(row), Ok(&*texts[row]));
    }
    read_columns(&chunk).expect("columns");
}

/// Each byte a piece, or else the letter itself.
fn text(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        match PIECES.get(usize::from(*byte)) {
            Some(piece) => text.push_str(piece),
            None => text.push(char::from(*byte)),
        }
    }
    text
}

/// Any bytes are a chunk or an error, also where their checksum is right.
pub fn is_no_panic(bytes: &[u8]) {
    let _ = read_all(bytes);
    let mut sealed = vec![1, 0, 0, 0, 0];
    sealed.extend_from_slice(bytes);
    seal(&mut sealed);
    let _ = read_all(&sealed);
}

/// A chunk that was packed, and then changed in places, with a right checksum.
pub fn changed_is_no_panic(bytes: &[u8]) {
    let Some((changes, rows)) = crate::input::<(Vec<(u16, u8)>, Vec<u8>)>(bytes) else {
        return;
    };
    let texts: Vec<String> = rows.split(|byte| *byte == END).map(text).collect();
    let rows = (0_u64..).zip(&texts).map(|(row, text)| RowIn {
        stored_at: row * 1_000,
        sequence: row,
        version: 0,
        text,
    });
    let mut body = pack(rows).expect("few rows").body;
    for (place, value) in changes {
        let place = 5 + usize::from(place) % (body.len() - 5);
        body[place] = value;
    }
    seal(&mut body);
    let _ = read_all(&body);
}

fn seal(body: &mut [u8]) {
    let mut checksum = crc32fast::Hasher::new();
    checksum.update(&body[..1]);
    checksum.update(&body[5..]);
    let checksum = checksum.finalize();
    body[1..5].copy_from_slice(&checksum.to_le_bytes());
}

fn read_all(bytes: &[u8]) -> Result<(), PackedError> {
    let chunk = Chunk::open(bytes)?;
    read_columns(&chunk)?;
    let mut reader = chunk.reader();
    for row in 0..chunk.rows() {
        assert!(reader.text(row)?.len() <= chunk.text_bytes());
        reader.time(row)?;
    }
    chunk.sequences()?;
    chunk.versions().map(drop)
}

fn read_columns(chunk: &Chunk) -> Result<(), PackedError> {
    for path in [&["a"] as &[&str], &["b"], &["a", "a"], &["celsius"], &[]] {
        let mut column = chunk.column(path.iter().copied());
        for row in 0..chunk.rows() {
            column.get(row)?;
        }
    }
    Ok(())
}
