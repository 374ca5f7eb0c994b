//! A chunk has as many rows as fill its pages.

use aimdb_persistence_packed::{Chunk, Filling, MOST_ROWS, PackError, RowIn, pack};

use crate::rows::rows_of;

const PAGE: usize = 4_050;

/// Rows and bytes of each chunk; the rows come back in order.
fn filled(texts: &[String]) -> Vec<(usize, usize, bool)> {
    let rows = rows_of(texts);
    let (mut filling, mut at, mut chunks) = (Filling::new(), 0, Vec::new());
    while at < rows.len() {
        let filled = filling.fill(&rows[at..]).expect("rows");
        let bytes = filled.packed.body.len() + filled.packed.statistics.len();
        let chunk = Chunk::open(filled.packed.body).expect("a chunk");
        let mut reader = chunk.reader();
        for row in 0..chunk.rows() {
            assert_eq!(reader.text(row), Ok(rows[at + row].text));
        }
        at += chunk.rows();
        chunks.push((chunk.rows(), bytes, filled.has_room));
    }
    chunks
}

fn noise(row: usize) -> u64 {
    (row as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20
}

#[test]
fn a_narrow_series_fills_one_page() {
    let text = |row| {
        format!(
            r#"{{"celsius":{:?},"percent":{:?}}}"#,
            (noise(row) % 900) as f64 / 10.0,
            (noise(row + 7) % 99) as f64 / 10.0
        )
    };
    let texts: Vec<_> = (0..12_000).map(text).collect();
    let chunks = filled(&texts);
    let (last, full) = chunks.split_last().expect("chunks");
    assert!(full.len() > 3);
    for (rows, bytes, has_room) in full {
        assert!(
            (PAGE * 9 / 10..=PAGE).contains(bytes),
            "{rows} rows in {bytes} bytes"
        );
        assert!(!has_room);
    }
    assert!(
        last.2 || last.1 > PAGE * 9 / 10,
        "the last chunk waits for more rows"
    );
}

#[test]
fn a_wide_series_fills_some_pages() {
    let text = |row: usize| {
        let members: Vec<_> = (0_usize..15)
            .map(|field| format!(r#""field{field}":{}"#, noise(row * 100 + field) % 60_000))
            .collect();
        format!("{{{}}}", members.join(","))
    };
    let texts: Vec<_> = (0..2_000).map(text).collect();
    let chunks = filled(&texts);
    for (rows, bytes, _) in &chunks[..chunks.len() - 1] {
        let pages = bytes.div_ceil(PAGE);
        assert!((2..=4).contains(&pages), "{rows} rows in {bytes} bytes");
        assert!(
            *bytes * 10 >= pages * PAGE * 9,
            "{rows} rows in {bytes} bytes"
        );
    }
}

#[test]
fn rows_that_hardly_take_anything_end_at_4096() {
    let texts = vec!["1".to_owned(); 10_000];
    let rows: Vec<_> = filled(&texts).iter().map(|chunk| chunk.0).collect();
    assert_eq!(rows, [MOST_ROWS, MOST_ROWS, 10_000 - 2 * MOST_ROWS]);
}

#[test]
fn long_rows_make_short_chunks() {
    let texts: Vec<_> = (0..20)
        .map(|row| format!("{:?}", "x".repeat(50_000 + row)))
        .collect();
    let chunks = filled(&texts);
    assert!(
        chunks[..9].iter().all(|(rows, ..)| *rows == 2),
        "{chunks:?}"
    );
    let noisy = |row: usize| {
        let words: Vec<_> = (0..8_000)
            .map(|word| noise(row * 10_000 + word).to_string())
            .collect();
        format!("{:?}", words.join(" "))
    };
    let texts: Vec<_> = (0..4).map(noisy).collect();
    let rows: Vec<_> = filled(&texts).iter().map(|chunk| chunk.0).collect();
    assert_eq!(rows, [1; 4]);
}

#[test]
fn what_does_not_fit_is_refused() {
    assert_eq!(pack([]), Err(PackError::NoRows));
    assert_eq!(Filling::new().fill(&[]), Err(PackError::NoRows));
    let row = RowIn {
        stored_at: 0,
        sequence: 0,
        version: 0,
        text: "1",
    };
    let too_many = pack(vec![row; MOST_ROWS + 1]).unwrap_err();
    assert!(matches!(
        too_many,
        PackError::TooManyRows {
            rows: 4_097,
            most: 4_096
        }
    ));
    let text = "x".repeat((1 << 20) + 1);
    let too_much = Filling::new()
        .fill(&[RowIn { text: &text, ..row }])
        .unwrap_err();
    assert!(matches!(too_much, PackError::TooMuchText { .. }));
}
