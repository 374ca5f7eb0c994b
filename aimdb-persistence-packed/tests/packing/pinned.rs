//! Chunks of format 1 as they lie in files: every later version reads them.

use std::fs;
use std::path::{Path, PathBuf};

use aimdb_persistence_packed::statistics::ChunkStatistics;
use aimdb_persistence_packed::{Chunk, Packed, RowIn, pack};

const ROWS: u64 = 200;

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/packing")
        .join(name)
}

/// Numbers that no pattern fits, below `most`.
fn noise(row: u64, salt: u64, most: u64) -> u64 {
    let mut mixed = (row * 1_000 + salt + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed ^= mixed >> 29;
    (mixed.wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 20) % most.max(1)
}

fn stored_at(row: u64) -> u64 {
    1_700_000_000_000 + row * 10_000 + noise(row, 0, 6)
}

/// A row with every kind of value and every form of a column.
fn text(row: u64) -> String {
    match row {
        50 => return r#"{"constant":7, "spaced":true}"#.to_owned(),
        60 => return r#"{"constant":7,"constant":8}"#.to_owned(),
        70 => return "null".to_owned(),
        80 => return "[1,[],[[]]]".to_owned(),
        90 => return r#""Nö \ud83d\ude00""#.to_owned(),
        _ => {}
    }
    let walk: i64 = (0..=row).map(|row| noise(row, 1, 9) as i64 - 4).sum();
    let optional = match row % 5 {
        0 => String::new(),
        1 => r#""optional":null,"#.to_owned(),
        _ => format!(r#""optional":{},"#, noise(row, 2, 90)),
    };
    let long = noise(row, 3, 1 << 40) as f64 / 7.0;
    let raw = ["1.50", "1e5", "-0", "1180591620717411303424"][row as usize % 4];
    let list = vec![format!("{}", row % 3); row as usize % 4].join(",");
    let id = format!(
        "{:08x}-{:04x}",
        noise(row, 4, 1 << 32),
        noise(row, 5, 1 << 16)
    );
    let (minute, second) = (row / 60, row % 60);
    format!(
        r#"{{"constant":7,"counter":{row},"level":{},"walk":{walk},"squares":{},"few":{},"run":{},"hundreds":{},"seen":{},"seen_s":{},{optional}"celsius":{:?},"mixed":{},"long":{long:?},"huge":{},"raw":{raw},"on":{},"state":"{}","note":"note {} of {}","at":"2026-11-30T18:{minute:02}:{second:02}.250Z","id":"{id}","pair":[{},{:?}],"list":[{list}],"inner":{{"deep":{{"value":{}}}}},"":{{}}}}"#,
        noise(row, 6, 1_000),
        row * row * 3 + noise(row, 7, 2),
        [3, 1_000_000_007, -5][noise(row, 8, 4) as usize % 3],
        row / 40,
        noise(row, 9, 50) * 100,
        stored_at(row) - noise(row, 10, 8),
        stored_at(row) / 1_000,
        (walk + 2_000) as f64 / 10.0,
        if row.is_multiple_of(7) {
            "5".to_owned()
        } else {
            format!("{row}.25")
        },
        u64::MAX - row,
        row.is_multiple_of(3),
        ["open", "closed", "Nö"][noise(row, 11, 8) as usize % 3],
        noise(row, 12, 5_000),
        noise(row, 13, 5_000),
        row % 11,
        row as f64 / 4.0,
        -(row as i64),
    )
}

fn packed() -> Packed {
    let texts: Vec<_> = (0..ROWS).map(text).collect();
    let rows = (0..ROWS).zip(&texts).map(|(row, text)| RowIn {
        stored_at: stored_at(row),
        sequence: row * 100 + 3,
        version: 1 + (row > 150) as u32,
        text,
    });
    pack(rows).expect("rows")
}

#[test]
fn the_pinned_chunk_of_format_1_is_read() {
    let body = fs::read(file("format-1.chunk")).expect("the pinned chunk");
    let chunk = Chunk::open(body).expect("a chunk of format 1");
    assert_eq!(chunk.rows(), ROWS as usize);
    let mut reader = chunk.reader();
    for row in 0..ROWS {
        let index = row as usize;
        assert_eq!(reader.text(index), Ok(&*text(row)));
        assert_eq!(reader.time(index), Ok(stored_at(row)));
        assert_eq!(reader.sequence(index), Ok(row * 100 + 3));
        assert_eq!(reader.version(index), Ok(1 + u32::from(row > 150)));
    }
}

#[test]
fn the_pinned_statistics_of_format_1_are_read() {
    let bytes = fs::read(file("format-1.statistics")).expect("the pinned statistics");
    let pinned = ChunkStatistics::open(bytes).expect("statistics of format 1");
    let now = ChunkStatistics::open(packed().statistics).expect("statistics");
    assert_eq!((pinned.rows(), pinned.times()), (now.rows(), now.times()));
    // Rows that are kept as text hide the fields of the whole; those of an inner chunk are pinned below.
    assert_eq!(pinned.field(["celsius"]), Ok(None));
    let bytes = fs::read(file("format-1-numbers.statistics")).expect("the pinned statistics");
    let pinned = ChunkStatistics::open(bytes).expect("statistics of format 1");
    let now = ChunkStatistics::open(numbers().statistics).expect("statistics");
    for path in [
        &["counter"] as &[&str],
        &["celsius"],
        &["mixed"],
        &["long"],
        &["huge"],
        &["optional"],
        &["inner", "deep", "value"],
    ] {
        let field = pinned
            .field(path.iter().copied())
            .expect("readable")
            .expect("numbers");
        assert_eq!(
            Some(field),
            now.field(path.iter().copied()).expect("readable"),
            "{path:?}"
        );
    }
    let counter = pinned
        .field(["counter"])
        .expect("readable")
        .expect("numbers");
    assert_eq!(
        (counter.count, counter.sum.whole()),
        (40, Some(40 * 39 / 2))
    );
}

/// The first rows, which are all objects.
fn numbers() -> Packed {
    let texts: Vec<_> = (0..40).map(text).collect();
    let rows = (0_u64..).zip(&texts).map(|(row, text)| RowIn {
        stored_at: stored_at(row),
        sequence: row,
        version: 1,
        text,
    });
    pack(rows).expect("rows")
}

/// Only for a new format: a pinned file is never written again.
#[test]
#[ignore = "writes the pinned files"]
fn pin() {
    let (all, numbers) = (packed(), numbers());
    for (name, bytes) in [
        ("format-1.chunk", all.body),
        ("format-1.statistics", all.statistics),
        ("format-1-numbers.statistics", numbers.statistics),
    ] {
        fs::write(file(name), bytes).expect("a folder that can be written to");
    }
}
