//! Every statement on series and rows. Inputs are bound, never spliced.

/// The checksum of a series' name, and that of what is declared.
macro_rules! name_checksum {
    ($id:expr, $key:expr) => {
        concat!("checksum(", $id, ", ", $key, ")")
    };
}
macro_rules! checksum {
    ($id:expr) => {
        concat!(
            "checksum(",
            $id,
            ", template, retention_ms, keep_last, max_rows, on_duplicate, pack_ms, type)"
        )
    };
}

/// Whether a series is as it was written. What is not may not be used: its rows would go by a wrong name or rule.
macro_rules! is_sound {
    () => {
        concat!(
            "name_checksum = ",
            name_checksum!("id", "key"),
            " AND checksum = ",
            checksum!("id")
        )
    };
}

pub(crate) const SERIES_ID: &str = concat!(
    "SELECT id, on_duplicate, ",
    is_sound!(),
    " FROM series WHERE key = ?1"
);

pub(crate) const ADD_SERIES: &str = concat!(
    "INSERT INTO series (id, key, name_checksum, checksum) SELECT id, ?1, ",
    name_checksum!("id", "?1"),
    ", checksum(id, NULL, NULL, 0, NULL, 0, NULL, NULL) \
     FROM (SELECT coalesce(max(id), 0) + 1 AS id FROM series) RETURNING id"
);

/// After rows of `series` were written by statements that do not know their checksums.
pub(crate) const SEAL_SERIES: &str = concat!(
    "UPDATE series SET name_checksum = ",
    name_checksum!("id", "key"),
    ", checksum = ",
    checksum!("id")
);

pub(crate) const SERIES_BY_KEY: &str = concat!(
    "SELECT id, template, ",
    is_sound!(),
    " FROM series WHERE key = ?1"
);

pub(crate) const SERIES_FROM_ID: &str = concat!(
    "SELECT id, template, ",
    is_sound!(),
    ", key FROM series WHERE id > ?1"
);

/// How many series are not as they were written.
pub(crate) const DAMAGED_SERIES: &str =
    concat!("SELECT count(*) FROM series WHERE NOT (", is_sound!(), ")");

/// Rows of `series` are added with ever higher ids. Changing one raises the generation.
pub(crate) const NEWEST_SERIES: &str = "SELECT max(id) FROM series";

pub(crate) const RENEW_SERIES_GENERATION: &str = "UPDATE state SET series_generation = new.n, checksum = checksum(settled, through, \
     series, stored_at, sequence, last_direct_sequence, new.n) FROM (SELECT random() AS n LIMIT 1) AS new";

pub(crate) const DECLARED: &str = "SELECT template, retention_ms, keep_last, max_rows, on_duplicate, pack_ms, type \
     FROM series WHERE key = ?1";

pub(crate) const DECLARATIONS: &str = "SELECT key, template, retention_ms, keep_last, max_rows, on_duplicate, pack_ms, type \
     FROM series WHERE type IS NOT NULL ORDER BY key";

pub(crate) const DECLARE: &str = "UPDATE series SET template = ?2, retention_ms = ?3, keep_last = ?4, max_rows = ?5, on_duplicate = ?6, pack_ms = ?7, type = ?8, \
     checksum = checksum(id, ?2, ?3, ?4, ?5, ?6, ?7, ?8) WHERE key = ?1";

/// A number that another program has set back is not used again: rows below what is settled would not count.
pub(crate) const RESERVE_SEQUENCES: &str = "UPDATE meta SET value = ?1 + max(value, 1, \
     (SELECT max(settled, through, last_direct_sequence) + 1 FROM state), \
     (SELECT coalesce(max(sequence), 0) + 1 FROM tail), (SELECT coalesce(max(sequence), 0) + 1 FROM large)) \
     WHERE name = 'next_sequence' RETURNING value";

/// The next number is above this one.
pub(crate) const LEAVE_SEQUENCES: &str =
    "UPDATE meta SET value = max(value, ?1 + 1) WHERE name = 'next_sequence'";

pub(crate) const INSERT_ROW: &str =
    "INSERT INTO row (series, stored_at, sequence, seal, value) VALUES (?1, ?2, ?3, ?4, ?5)";

pub(crate) const APPEND_ROW: &str =
    "INSERT INTO tail (series, stored_at, sequence, seal, value) VALUES (?1, ?2, ?3, ?4, ?5)";

pub(crate) const INSERT_LARGE: &str = "INSERT INTO large (sequence, value) VALUES (?1, ?2)";

/// A row's value, wherever it lies.
macro_rules! value {
    () => {
        "coalesce(value, (SELECT large.value FROM large WHERE large.sequence = row.sequence))"
    };
}

/// Newest first, from a place down to a start time: one seek, then a scan of what is returned.
macro_rules! newest {
    ($value:expr) => {
        concat!(
            "SELECT stored_at, sequence, ",
            $value,
            ", seal FROM row WHERE series = ?1 AND stored_at >= ?2 AND (stored_at, sequence) <= (?3, ?4) \
             ORDER BY stored_at DESC, sequence DESC"
        )
    };
}

/// Oldest first, from a place up to an end time.
macro_rules! oldest {
    ($value:expr) => {
        concat!(
            "SELECT stored_at, sequence, ",
            $value,
            ", seal FROM row WHERE series = ?1 AND stored_at <= ?2 AND (stored_at, sequence) >= (?3, ?4) \
             ORDER BY stored_at, sequence"
        )
    };
}

pub(crate) const NEWEST_ROWS: &str = newest!(value!());

pub(crate) const OLDEST_ROWS: &str = oldest!(value!());

/// The same without values.
pub(crate) const NEWEST_PLACES: &str = newest!("''");

pub(crate) const OLDEST_PLACES: &str = oldest!("''");

pub(crate) const SET_LAST_DIRECT_SEQUENCE: &str = "UPDATE state SET last_direct_sequence = ?1, checksum = \
     checksum(settled, through, series, stored_at, sequence, ?1, series_generation)";

pub(crate) const TAIL_VALUE: &str = "SELECT \
     coalesce(value, (SELECT large.value FROM large WHERE large.sequence = tail.sequence)), seal FROM tail \
     WHERE sequence = ?1";

/// How far the tail has been merged, its newest row, and what else every query has to know.
pub(crate) const STATE: &str = "SELECT settled, through, series, stored_at, sequence, \
     (SELECT max(sequence) FROM tail), last_direct_sequence, series_generation, checksum, \
     EXISTS (SELECT 1 FROM chunk_place) FROM state";

pub(crate) const TAIL_OLDEST: &str = "SELECT min(sequence) FROM tail";

pub(crate) const TAIL_AFTER: &str = "SELECT series, stored_at, sequence, seal, value FROM tail WHERE sequence > ?1 ORDER BY sequence";

pub(crate) const MERGE_ROW: &str = "INSERT INTO row (series, stored_at, sequence, seal, value) \
     SELECT series, stored_at, sequence, seal, value FROM tail WHERE sequence = ?1";

pub(crate) const SET_MERGED: &str = "UPDATE state SET settled = ?1, through = ?2, series = ?3, stored_at = ?4, sequence = ?5, \
     checksum = checksum(?1, ?2, ?3, ?4, ?5, last_direct_sequence, series_generation)";

/// The second place of what is settled: for the day on which the state's page dies.
pub(crate) const NOTE_SETTLED: &str = "INSERT INTO meta (name, value) VALUES ('settled', ?1) \
     ON CONFLICT (name) DO UPDATE SET value = excluded.value";

/// The oldest rows of the tail, some of those that are settled.
pub(crate) const REMOVE_SETTLED: &str = "DELETE FROM tail WHERE sequence <= \
     min(?1, coalesce((SELECT sequence FROM tail ORDER BY sequence LIMIT 1 OFFSET ?2), ?1))";

pub(crate) const RETENTIONS: &str = "SELECT id, retention_ms, keep_last, max_rows FROM series";

pub(crate) const HAS_ROWS: &str = "SELECT EXISTS(SELECT 1 FROM row WHERE series = ?1) \
     OR EXISTS(SELECT 1 FROM chunk_place WHERE series = ?1) \
     OR EXISTS(SELECT 1 FROM tail WHERE series = ?1 AND sequence > (SELECT settled FROM state))";

/// Of the rows that a transaction puts into `row`, those with the highest sequence of their series, and how many there are.
pub(crate) const NOTE_LAST_STORED: &str = "INSERT INTO last_stored (series, stored_at, sequence, rows) \
     VALUES (?1, ?2, ?3, ?4) ON CONFLICT (series) DO UPDATE SET rows = rows + excluded.rows, \
     stored_at = iif(excluded.sequence > sequence, excluded.stored_at, stored_at), \
     sequence = max(sequence, excluded.sequence)";

pub(crate) const NOTE_REMOVED: &str = "UPDATE last_stored SET rows = rows - ?2 WHERE series = ?1";

/// How many rows the series has in `row`.
pub(crate) const NOTED_ROWS: &str = "SELECT rows FROM last_stored WHERE series = ?1";

/// The same of all rows that there are.
pub(crate) const NOTE_ALL_LAST_STORED: &str = "INSERT OR REPLACE INTO last_stored (series, stored_at, sequence, rows) \
     SELECT series, stored_at, max(sequence), count(*) FROM row GROUP BY series";

/// What is noted, and whether the row is still there.
pub(crate) const LAST_STORED: &str = "SELECT stored_at, sequence, EXISTS (SELECT 1 FROM row WHERE \
     row.series = last_stored.series AND row.stored_at = last_stored.stored_at AND row.sequence = last_stored.sequence) \
     FROM last_stored WHERE series = ?1";

/// Looks at each row of the series: where the one that was noted has been removed.
pub(crate) const LAST_STORED_OF_ALL: &str = "SELECT stored_at, sequence FROM row WHERE series = ?1 \
     ORDER BY sequence DESC LIMIT 1";

pub(crate) const ROW_VALUE: &str = concat!(
    "SELECT ",
    value!(),
    ", seal FROM row WHERE series = ?1 AND stored_at = ?2 AND sequence = ?3"
);

/// With what lies in the row, what lies apart, and the name of the series.
pub(crate) const ROWS_TO_CHECK: &str = "SELECT row.series, row.stored_at, row.sequence, row.seal, row.value, \
     (SELECT large.value FROM large WHERE large.sequence = row.sequence), \
     (SELECT key FROM series WHERE id = row.series) FROM row \
     WHERE (row.series, row.stored_at, row.sequence) > (?1, ?2, ?3) \
     ORDER BY row.series, row.stored_at, row.sequence LIMIT ?4";

/// Rows that have been settled count no more, and their long values may have gone.
pub(crate) const TAIL_TO_CHECK: &str = "SELECT tail.series, tail.stored_at, tail.sequence, tail.seal, tail.value, \
     (SELECT large.value FROM large WHERE large.sequence = tail.sequence), \
     (SELECT key FROM series WHERE id = tail.series) FROM tail \
     WHERE tail.sequence > max(?1, (SELECT settled FROM state)) ORDER BY tail.sequence LIMIT ?2";

/// Of the next series: how many clustered rows are noted, and how many there are.
pub(crate) const ROWS_COUNTED: &str = "SELECT series, rows, \
     (SELECT count(*) FROM row WHERE row.series = last_stored.series) FROM last_stored \
     WHERE series > ?1 ORDER BY series LIMIT 1";

pub(crate) const NAME_OF_SERIES: &str = "SELECT key FROM series WHERE id = ?1";

pub(crate) const FORGET_LAST_STORED: &str = "DELETE FROM last_stored WHERE series = ?1";

pub(crate) const REMOVE_SERIES: &str = "DELETE FROM series WHERE id = ?1";

pub(crate) const RENAME_SERIES: &str =
    "UPDATE series SET key = ?2, name_checksum = checksum(id, ?2) WHERE id = ?1";

/// Of the rows with one time the one stored last.
pub(crate) const NEWEST_AT: &str = "SELECT sequence FROM row \
     WHERE series = ?1 AND stored_at = ?2 ORDER BY sequence DESC LIMIT 1";

pub(crate) const REPLACE_ROW: &str = "UPDATE row SET seal = ?4, value = ?5 \
     WHERE series = ?1 AND stored_at = ?2 AND sequence = ?3";

pub(crate) const REPLACE_IN_TAIL: &str =
    "UPDATE tail SET seal = ?2, value = ?3 WHERE sequence = ?1";

pub(crate) const REMOVE_LARGE: &str = "DELETE FROM large WHERE sequence = ?1";

pub(crate) const LAST_SWEEP: &str = "SELECT value FROM meta WHERE name = 'last_sweep_ms'";

pub(crate) const SET_LAST_SWEEP: &str = "INSERT INTO meta (name, value) VALUES ('last_sweep_ms', ?1) \
     ON CONFLICT (name) DO UPDATE SET value = excluded.value";

/// Since when the wall clock is doubted, by the clock itself.
pub(crate) const CLOCK_DOUBTED: &str = "SELECT value FROM meta WHERE name = 'clock_doubted_ms'";

pub(crate) const DOUBT_CLOCK: &str = "INSERT INTO meta (name, value) VALUES ('clock_doubted_ms', ?1) \
     ON CONFLICT (name) DO UPDATE SET value = excluded.value";

pub(crate) const BELIEVE_CLOCK: &str = "DELETE FROM meta WHERE name = 'clock_doubted_ms'";

pub(crate) const SERIES_AFTER: &str = "SELECT id FROM series WHERE id > ?1 ORDER BY id LIMIT ?2";

/// The newest row that is not above a time, of those up to a sequence.
pub(crate) const NEWEST_OF_EARLIER: &str = "SELECT stored_at FROM row \
     WHERE series = ?1 AND stored_at <= ?2 AND sequence <= ?3 ORDER BY stored_at DESC LIMIT 1";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::{functions, schema};
    use rusqlite::Connection;

    fn plan(sql: &str) -> String {
        let connection = Connection::open_in_memory().unwrap();
        functions::add(&connection).unwrap();
        schema::create_tables(&connection).unwrap();
        schema::create_view(&connection).unwrap();
        let mut explain = connection
            .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
            .unwrap();
        let steps = explain.raw_query();
        let steps: Vec<String> = steps
            .mapped(|r| r.get(3))
            .collect::<Result<_, _>>()
            .unwrap();
        steps.join("; ")
    }

    #[test]
    fn rows_are_read_by_one_seek_between_both_bounds_without_sorting() {
        let newest = "SEARCH row USING PRIMARY KEY (series=? AND stored_at>? AND (stored_at,sequence)<(?,?))";
        let oldest = "SEARCH row USING PRIMARY KEY (series=? AND (stored_at,sequence)>(?,?) AND stored_at<?)";
        let value =
            "; CORRELATED SCALAR SUBQUERY 1; SEARCH large USING INTEGER PRIMARY KEY (rowid=?)";
        assert_eq!(plan(NEWEST_ROWS), format!("{newest}{value}"));
        assert_eq!(plan(OLDEST_ROWS), format!("{oldest}{value}"));
        assert_eq!(plan(NEWEST_PLACES), newest);
        assert_eq!(plan(OLDEST_PLACES), oldest);
    }

    #[test]
    fn the_newest_row_before_a_time_is_found_by_key_range() {
        assert_eq!(
            plan(NEWEST_OF_EARLIER),
            "SEARCH row USING PRIMARY KEY (series=? AND stored_at<?)"
        );
    }

    #[test]
    fn the_row_stored_last_is_found_by_two_seeks() {
        let plan = plan(LAST_STORED);
        assert!(!plan.contains("SCAN"), "{plan}");
        assert!(
            plan.contains("SEARCH row USING PRIMARY KEY (series=? AND stored_at=? AND sequence=?)"),
            "{plan}"
        );
    }

    #[test]
    fn whether_series_were_added_is_told_without_a_scan() {
        let plan = plan(NEWEST_SERIES);
        assert!(!plan.contains("SCAN"), "{plan}");
    }

    #[test]
    fn conditions_on_the_view_reach_the_clustered_key() {
        let plan = plan("SELECT * FROM record_history WHERE record_name = 'x' AND stored_at >= 5");
        let series = "SEARCH series USING COVERING INDEX sqlite_autoindex_series_1 (key=?); ";
        for part in [
            "SEARCH row USING PRIMARY KEY (series=? AND stored_at>?)",
            "SEARCH tail USING INTEGER PRIMARY KEY (rowid>?)",
        ] {
            assert!(plan.contains(&format!("{series}{part}")), "{plan}");
        }
        // `state` has one row.
        assert!(!plan.replace("SCAN state", "").contains("SCAN"), "{plan}");
    }

    #[test]
    fn the_tails_state_and_what_is_new_in_it_are_found_without_a_scan() {
        for sql in [
            STATE,
            TAIL_OLDEST,
            TAIL_AFTER,
            TAIL_VALUE,
            MERGE_ROW,
            REMOVE_SETTLED,
        ] {
            let plan = plan(sql).replace("SCAN state", "");
            // Whether there is any chunk is told by the first one.
            let plan = plan.replace("SCAN chunk_place", "");
            // The offset in `REMOVE_SETTLED` is bounded by a step.
            let scans = plan.matches("SCAN").count();
            assert_eq!(scans, usize::from(sql == REMOVE_SETTLED), "{plan}");
        }
    }
}
