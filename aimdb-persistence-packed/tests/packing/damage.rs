//! Damage is an error: never a panic, and never a wrong row.

use aimdb_persistence_packed::{Chunk, PackedError, pack};

use crate::rows::rows_of;

/// Rows of every kind.
pub(crate) fn varied(count: usize) -> Vec<String> {
    let mixed = |row: usize| (row as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33;
    let texts = (0..count).map(|row| {
        let noise = mixed(row);
        match row % 23 {
            7 => r#"{"odd": 1}"#.to_owned(),
            11 => format!("[{row},[{noise}],{{}}]"),
            13 => "null".to_owned(),
            _ => format!(
                r#"{{"count":{row},"celsius":{:?},"noise":{},"state":"{}","at":"2026-11-30T18:{:02}:{:02}Z","id":"{:08x}-{:04x}","list":[{}],"on":{},"long":{:?},"note":"Nö {}"}}"#,
                (noise % 400) as f64 / 10.0,
                noise % 100_000,
                ["open", "closed"][row / 5 % 2],
                row / 60 % 60,
                row % 60,
                noise as u32,
                row as u16,
                vec!["1"; row % 4].join(","),
                row % 3 == 0,
                noise as f64 / 7.0,
                noise % 977,
            ),
        }
    });
    texts.collect()
}

/// Reads all that a chunk has.
fn read_all(chunk: &Chunk) -> Result<Vec<String>, PackedError> {
    let mut reader = chunk.reader();
    chunk.times()?;
    chunk.sequences()?;
    chunk.versions()?;
    for name in ["count", "celsius", "state", "list", "odd"] {
        let mut column = chunk.column([name]);
        for row in 0..chunk.rows() {
            column.get(row)?;
        }
    }
    (0..chunk.rows())
        .map(|row| reader.text(row).map(str::to_owned))
        .collect()
}

fn body(count: usize) -> Vec<u8> {
    pack(rows_of(&varied(count))).expect("rows").body
}

#[test]
fn a_flip_of_any_bits_of_any_byte_is_an_error() {
    let body = body(150);
    for place in 0..body.len() {
        for flip in [1, 0x80, 0xff, 0x55] {
            let mut damaged = body.clone();
            damaged[place] ^= flip;
            let error = Chunk::open(damaged).expect_err("a flipped byte");
            let named = error.to_string().contains("packed chunk");
            assert!(named, "byte {place}: {error}");
        }
    }
}

#[test]
fn a_cut_at_any_length_is_an_error() {
    let body = body(150);
    for length in 0..body.len() {
        let error = Chunk::open(&body[..length]).expect_err("a part");
        assert!(
            error.to_string().contains("packed chunk"),
            "{length} bytes: {error}"
        );
    }
    let mut longer = body.clone();
    longer.push(0);
    assert_eq!(Chunk::open(longer).err(), Some(PackedError::Checksum));
}

#[test]
fn a_later_format_is_named() {
    let mut body = body(3);
    body[0] = 2;
    let error = Chunk::open(body).expect_err("a later format");
    assert_eq!(error, PackedError::Format(2));
    assert!(error.to_string().contains("format 2"));
}

/// As a program would have written it that is wrong.
fn sealed(mut body: Vec<u8>) -> Vec<u8> {
    let mut checksum = crc32fast::Hasher::new();
    checksum.update(&body[..1]);
    checksum.update(&body[5..]);
    let checksum = checksum.finalize();
    body[1..5].copy_from_slice(&checksum.to_le_bytes());
    body
}

#[test]
fn nonsense_with_a_right_checksum_is_no_panic() {
    let body = body(40);
    let mut read = 0;
    for place in 5..body.len() {
        for value in [0, 0x80, 0xff, body[place].wrapping_add(1)] {
            let mut wrong = body.clone();
            wrong[place] = value;
            read +=
                u32::from(Chunk::open(sealed(wrong)).is_ok_and(|chunk| read_all(&chunk).is_ok()));
        }
        let cut = sealed(body[..place].to_vec());
        assert!(Chunk::open(cut).is_err(), "cut at {place}");
    }
    assert!(read > 0, "some bytes are values, of which any is right");
}
