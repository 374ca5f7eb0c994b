//! What a chunk allocates is bounded, whatever its bytes say. A program of its own: it counts all memory.

use std::sync::Mutex;

use aimdb_persistence_packed::{Chunk, RowIn, pack};
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// The memory of one test at a time is counted.
static ALONE: Mutex<()> = Mutex::new(());

/// No chunk with a few hundred bytes needs more.
const MOST_BYTES: usize = 48 << 20;

fn body() -> Vec<u8> {
    let text = |row: u64| {
        format!(
            r#"{{"a":{row},"b":[{}],"c":"text {}","d":{:?},"e":["x","{row}"],"at":"2026-11-30T18:00:{:02}Z"}}"#,
            vec!["7"; row as usize % 5].join(","),
            row * row % 97,
            row as f64 / 8.0,
            row % 60,
        )
    };
    let texts: Vec<_> = (0..64).map(text).collect();
    let rows = (0_u64..).zip(&texts).map(|(row, text)| RowIn {
        stored_at: row * 1_000,
        sequence: row,
        version: 1,
        text,
    });
    pack(rows).expect("rows").body
}

fn sealed(mut body: Vec<u8>) -> Vec<u8> {
    let mut checksum = crc32fast::Hasher::new();
    checksum.update(&body[..1]);
    checksum.update(&body[5..]);
    let checksum = checksum.finalize();
    body[1..5].copy_from_slice(&checksum.to_le_bytes());
    body
}

/// Opens the bytes, and reads as far as they can be read.
fn read(bytes: Vec<u8>) {
    let Ok(chunk) = Chunk::open(bytes) else {
        return;
    };
    let mut reader = chunk.reader();
    for row in [0, chunk.rows() / 2, chunk.rows().saturating_sub(1)] {
        let _ = reader.text(row);
        for name in ["a", "b", "c", "e", "at"] {
            let _ = chunk.column([name]).get(row);
        }
    }
}

fn unsigned(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

/// One row: a list of so many values, which are null or false; of so many bytes.
fn list(elements: u64, text_bytes: u64) -> Vec<u8> {
    let codes = [0, 0];
    let kinds = [
        &[0b110][..],
        &unsigned(0),
        &unsigned(codes.len() as u64),
        &codes,
    ]
    .concat();
    let lengths = [vec![0], unsigned(elements << 1)].concat();
    let list = [lengths, unsigned(elements), kinds].concat();
    let root = [unsigned(1 << 10), unsigned(list.len() as u64), list].concat();
    let header = [unsigned(1), unsigned(text_bytes), unsigned(text_bytes)].concat();
    let columns = [2, 0, 0].repeat(3);
    let body = [
        vec![1, 0, 0, 0, 0],
        header,
        columns,
        unsigned(root.len() as u64),
        root,
    ];
    sealed(body.concat())
}

#[test]
fn forty_bytes_cannot_say_that_they_are_a_huge_list() {
    let _alone = ALONE.lock();
    let chunk = Chunk::open(list(3, 100)).expect("a small list");
    assert_eq!(chunk.reader().text(0), Ok("[null,null,null]"));
    for (elements, text_bytes) in [
        (1 << 20, 1 << 20),
        ((4 << 20) - 2, 1 << 20),
        (1 << 23, 1 << 20),
        (1 << 23, 1 << 30),
        (1 << 60, 1 << 60),
    ] {
        let before = MEMORY.current_usage();
        MEMORY.reset_peak_usage();
        let opened = Chunk::open(list(elements, text_bytes));
        let read = opened.and_then(|chunk| chunk.reader().text(0).map(str::len));
        assert!(read.is_err(), "{elements} elements");
        let peak = MEMORY.peak_usage().saturating_sub(before);
        assert!(peak < MOST_BYTES, "{peak} bytes for {elements} elements");
    }
}

#[test]
fn no_number_in_a_chunk_makes_it_allocate_without_bounds() {
    let _alone = ALONE.lock();
    let body = body();
    let before = MEMORY.current_usage();
    for place in 5..body.len() {
        // The greatest numbers of one to ten bytes, in place of what is there and before it.
        for length in [1, 2, 3, 4, 5, 9, 10] {
            let mut number = vec![0xff; length];
            number[length - 1] = if length == 10 { 1 } else { 0x7f };
            for replaced in [0, 1, length] {
                let end = body.len().min(place + replaced);
                let wrong = [&body[..place], &number, &body[end..]].concat();
                MEMORY.reset_peak_usage();
                read(sealed(wrong));
                let peak = MEMORY.peak_usage().saturating_sub(before);
                assert!(
                    peak < MOST_BYTES,
                    "{peak} bytes for a number of {length} bytes at {place}"
                );
            }
        }
    }
}
