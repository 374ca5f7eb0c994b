//! Rows for the tests, and what must hold of every chunk.

use aimdb_persistence_packed::{Chunk, RowIn, pack};

/// Rows a second apart with these texts.
pub(crate) fn rows_of<T: AsRef<str>>(texts: &[T]) -> Vec<RowIn<'_>> {
    let numbered = (1_u64..).zip(texts);
    numbered
        .map(|(sequence, text)| RowIn {
            stored_at: 1_700_000_000_000 + sequence * 1_000,
            sequence,
            version: 1,
            text: text.as_ref(),
        })
        .collect()
}

/// Packs the rows, and reads them again in both directions.
pub(crate) fn packed(rows: &[RowIn<'_>]) -> Chunk {
    let packed = pack(rows.iter().copied()).expect("rows that fit");
    let chunk = Chunk::open(packed.body).expect("a chunk");
    assert_eq!(chunk.rows(), rows.len());
    let text_bytes = rows.iter().map(|row| row.text.len());
    assert_eq!(chunk.text_bytes(), text_bytes.sum::<usize>());
    let mut reader = chunk.reader();
    for (index, row) in rows.iter().enumerate() {
        assert_eq!(reader.text(index), Ok(row.text), "row {index}");
    }
    let mut reader = chunk.reader();
    for (index, row) in rows.iter().enumerate().rev() {
        assert_eq!(reader.text(index), Ok(row.text), "row {index} from behind");
        assert_eq!(reader.time(index), Ok(row.stored_at));
        assert_eq!(reader.sequence(index), Ok(row.sequence));
        assert_eq!(reader.version(index), Ok(row.version));
    }
    assert!(
        reader.text(rows.len()).is_err(),
        "no row lies beyond the last"
    );
    let times: Vec<_> = rows.iter().map(|row| row.stored_at).collect();
    assert_eq!(chunk.times(), Ok(times));
    let sequences: Vec<_> = rows.iter().map(|row| row.sequence).collect();
    assert_eq!(chunk.sequences(), Ok(sequences));
    let versions: Vec<_> = rows.iter().map(|row| row.version).collect();
    assert_eq!(chunk.versions(), Ok(versions));
    chunk
}

/// Packs rows with these texts.
pub(crate) fn packed_texts<T: AsRef<str>>(texts: &[T]) -> Chunk {
    packed(&rows_of(texts))
}
