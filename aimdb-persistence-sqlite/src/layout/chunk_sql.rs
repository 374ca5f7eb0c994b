//! Every statement on chunks of packed rows. Inputs are bound, never spliced.

macro_rules! place {
    () => {
        "series, first_ms, first_sequence, last_ms, last_sequence, rows, skip, newest_sequence, chunk, checksum"
    };
}

/// Numbers of chunks are never used twice: readers keep what they have decoded by it.
pub(crate) const NEXT_CHUNK: &str = "INSERT INTO meta (name, value) \
     SELECT 'last_chunk', coalesce(max(id), 0) + 1 FROM chunk WHERE true \
     ON CONFLICT (name) DO UPDATE SET value = max(value + 1, excluded.value) RETURNING value";

pub(crate) const INSERT_CHUNK: &str =
    "INSERT INTO chunk (id, series, seal, statistics, body) VALUES (?1, ?2, ?3, ?4, ?5)";

pub(crate) const INSERT_PLACE: &str = concat!(
    "INSERT INTO chunk_place (",
    place!(),
    ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"
);

/// The file says that older programs neither read nor write it.
pub(crate) const RAISE_MARKS: &str =
    "UPDATE meta SET value = max(value, ?1) WHERE name IN ('oldest_reader', 'oldest_writer')";

pub(crate) const BODY: &str = "SELECT series, seal, body FROM chunk WHERE id = ?1";

pub(crate) const REMOVE_CHUNK: &str = "DELETE FROM chunk WHERE id = ?1";

pub(crate) const REMOVE_PLACE: &str =
    "DELETE FROM chunk_place WHERE series = ?1 AND first_ms = ?2 AND first_sequence = ?3";

/// The chunk that holds a place, if one does, or else the one before it.
pub(crate) const AT_OR_BEFORE: &str = concat!(
    "SELECT ",
    place!(),
    " FROM chunk_place WHERE series = ?1 AND (first_ms, first_sequence) <= (?2, ?3) \
     ORDER BY first_ms DESC, first_sequence DESC LIMIT 1"
);

pub(crate) const AFTER: &str = concat!(
    "SELECT ",
    place!(),
    " FROM chunk_place WHERE series = ?1 AND (first_ms, first_sequence) > (?2, ?3) \
     ORDER BY first_ms, first_sequence LIMIT 1"
);

/// Those that were stored last come first.
pub(crate) const BY_SEQUENCE: &str = concat!(
    "SELECT ",
    place!(),
    " FROM chunk_place WHERE series = ?1 ORDER BY newest_sequence DESC"
);

/// Those behind one, over all series.
pub(crate) const PLACES_TO_CHECK: &str = concat!(
    "SELECT ",
    place!(),
    " FROM chunk_place WHERE (series, first_ms, first_sequence) > (?1, ?2, ?3) \
     ORDER BY series, first_ms, first_sequence LIMIT ?4"
);

/// Chunks that no place leads to.
pub(crate) const STRAY_CHUNKS: &str =
    "SELECT count(*) FROM chunk WHERE id NOT IN (SELECT chunk FROM chunk_place)";

/// The clustered rows from one place to another, with their values.
pub(crate) const ROWS_BETWEEN: &str = "SELECT stored_at, sequence, \
     coalesce(value, (SELECT large.value FROM large WHERE large.sequence = row.sequence)), seal FROM row \
     WHERE series = ?1 AND (stored_at, sequence) >= (?2, ?3) AND (stored_at, sequence) <= (?4, ?5) \
     ORDER BY stored_at, sequence LIMIT ?6";

pub(crate) const REMOVE_BETWEEN: &str = "DELETE FROM row \
     WHERE series = ?1 AND (stored_at, sequence) >= (?2, ?3) AND (stored_at, sequence) <= (?4, ?5)";

pub(crate) const REMOVE_LARGE_BETWEEN: &str = "DELETE FROM large WHERE sequence IN (SELECT sequence FROM row \
     WHERE series = ?1 AND (stored_at, sequence) >= (?2, ?3) AND (stored_at, sequence) <= (?4, ?5) AND value IS NULL)";

/// The clustered row so many places behind the newest between two places.
pub(crate) const NTH_NEWEST_BETWEEN: &str = "SELECT stored_at, sequence FROM row \
     WHERE series = ?1 AND (stored_at, sequence) >= (?2, ?3) AND (stored_at, sequence) <= (?4, ?5) \
     ORDER BY stored_at DESC, sequence DESC LIMIT 1 OFFSET ?6";

pub(crate) const NTH_OLDEST_BETWEEN: &str = "SELECT stored_at, sequence FROM row \
     WHERE series = ?1 AND (stored_at, sequence) >= (?2, ?3) AND (stored_at, sequence) <= (?4, ?5) \
     ORDER BY stored_at, sequence LIMIT 1 OFFSET ?6";

/// How many clustered rows there are between two places, up to a number.
pub(crate) const COUNT_BETWEEN: &str = "SELECT count(*) FROM (SELECT 1 FROM row \
     WHERE series = ?1 AND (stored_at, sequence) >= (?2, ?3) AND (stored_at, sequence) <= (?4, ?5) LIMIT ?6)";

pub(crate) const PLACES_BETWEEN: &str = "SELECT stored_at, sequence FROM row \
     WHERE series = ?1 AND (stored_at, sequence) >= (?2, ?3) AND (stored_at, sequence) <= (?4, ?5) \
     ORDER BY stored_at, sequence";

/// Of each series: its name, and how many packed rows, chunks and bytes of them there are.
pub(crate) const PACKED_SERIES: &str = "SELECT series.key, sum(rows - skip), count(*), \
     sum(length(chunk.body) + length(chunk.statistics)) FROM chunk_place \
     JOIN chunk ON chunk.id = chunk_place.chunk JOIN series ON series.id = chunk_place.series \
     GROUP BY chunk_place.series ORDER BY series.key";

/// The series behind one, with what is declared of packing.
pub(crate) const SERIES_AFTER: &str =
    "SELECT id, pack_ms, key FROM series WHERE id > ?1 ORDER BY id";

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;
    use crate::layout::{functions, schema};

    #[test]
    fn a_chunk_and_the_rows_beside_it_are_found_by_seeks() {
        let connection = Connection::open_in_memory().unwrap();
        functions::add(&connection).unwrap();
        schema::create_tables(&connection).unwrap();
        for sql in [
            AT_OR_BEFORE,
            AFTER,
            ROWS_BETWEEN,
            REMOVE_BETWEEN,
            NTH_NEWEST_BETWEEN,
            NTH_OLDEST_BETWEEN,
            PLACES_BETWEEN,
        ] {
            let mut explain = connection
                .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
                .unwrap();
            let steps = explain.raw_query().mapped(|r| r.get::<_, String>(3));
            let plan: Vec<_> = steps.map(Result::unwrap).collect();
            let plan = plan.join("; ");
            assert!(plan.contains("SEARCH"), "{sql}: {plan}");
            assert!(!plan.contains("SCAN") && !plan.contains("TEMP"), "{plan}");
        }
    }
}
