//! The tables of a history, and the view on them.

/// The format of the tables that this version writes.
pub(crate) const FORMAT: i64 = 1;

/// A source is one that records: a gateway, a program. Its row is updated by each transaction that stores, under the
/// conditions that the writer is still the holder (`epoch`) and that nothing was stored since (`next_sequence`). So sequences
/// come in the order of commits, a commit whose answer was lost can be looked up, and a holder that was displaced stores
/// nothing.
///
/// `holding` keeps where each holder began, which is where the one before it ended.
///
/// A row's place is (source, series, stored_at, sequence). A row that replaces another one keeps its place.
///
/// Where a series keeps rows by their age alone, they lie in the table of a class of retention, which is partitioned by time. A sweep
/// only raises the bound from which on they are visible; `maintain()` drops the partitions that lie wholly below the bounds of
/// all series. It runs with its owner's rights, so that a program that only writes may call it.
///
/// `last_stored` names the row that was stored last of a series in which it is not the one with the latest time, or was not
/// when it was stored. It may have been removed since.
pub(crate) const TABLES: &str = "
CREATE TABLE meta (name text PRIMARY KEY, value int8 NOT NULL);
CREATE TABLE source (
    id int4 PRIMARY KEY,
    name text COLLATE \"C\" NOT NULL UNIQUE,
    epoch int8 NOT NULL DEFAULT 0,
    next_sequence int8 NOT NULL DEFAULT 1,
    generation int8 NOT NULL DEFAULT 0, -- raised by every change to its series
    holder text, -- drawn by lot by each program that records
    holder_pid int4, -- of its session; NULL after a tidy end
    seen_at timestamptz NOT NULL DEFAULT now(),
    next_series int4 NOT NULL DEFAULT 1,
    default_retention_ms int8 -- of the program, as its last sweep had it
) WITH (fillfactor = 50);
CREATE TABLE holding (
    source int4 NOT NULL,
    epoch int8 NOT NULL,
    first_sequence int8 NOT NULL,
    PRIMARY KEY (source, epoch)
);
CREATE TABLE series (
    source int4 NOT NULL,
    id int4 NOT NULL,
    key text COLLATE \"C\" NOT NULL,
    template text,
    retention_ms int8, -- NULL follows the program's default, -1 is for ever
    keep_last int8 NOT NULL DEFAULT 0, -- of the newest rows, however old
    max_rows int8,
    on_duplicate int2 NOT NULL DEFAULT 0, -- rows of one time: 0 keeps both, 1 the new one, 2 the old one
    type text, -- a JSON object: the type's `name`, `version` and `fields`; NULL until the series is declared
    unit text, -- of the first field that has one, for the view
    class int2 NOT NULL DEFAULT 0, -- whose table new rows go to
    former int2[] NOT NULL DEFAULT '{}', -- classes whose tables may hold rows from before
    visible_from_ms int8 NOT NULL DEFAULT 0, -- rows before this time are not there any more,
    visible_sequence int8 NOT NULL DEFAULT 0, -- unless they were stored later than the sweep that said so,
    is_late bool NOT NULL DEFAULT false, -- as some were
    PRIMARY KEY (source, id)
);
CREATE UNIQUE INDEX series_once ON series (source, md5(key)); -- a key may be longer than what such an index holds
CREATE INDEX series_key ON series USING hash (key);
CREATE TABLE history (
    stored_at int8 NOT NULL,
    sequence int8 NOT NULL,
    source int4 NOT NULL,
    series int4 NOT NULL,
    version int4,
    value text NOT NULL
);
CREATE INDEX history_place ON history (source, series, stored_at, sequence);
CREATE TABLE last_stored (
    source int4 NOT NULL,
    series int4 NOT NULL,
    stored_at int8 NOT NULL,
    sequence int8 NOT NULL,
    PRIMARY KEY (source, series)
);
CREATE TABLE class (number int2 PRIMARY KEY, name text NOT NULL, width_ms int8 NOT NULL, last_ms int8 NOT NULL DEFAULT 0);
CREATE TABLE part (class int2 NOT NULL, from_ms int8 NOT NULL, to_ms int8 NOT NULL, name text NOT NULL, PRIMARY KEY (class, from_ms));
";

/// The table of a class: its first and its last partition have no end.
pub(crate) fn class_table(number: usize, table: &str, width_ms: i64) -> String {
    format!(
        "CREATE TABLE {table} (stored_at int8 NOT NULL, sequence int8 NOT NULL, source int4 NOT NULL, series int4 NOT NULL, \
             version int4, value text NOT NULL) PARTITION BY RANGE (stored_at);
         CREATE INDEX {table}_place ON {table} (source, series, stored_at, sequence);
         CREATE TABLE {table}_first PARTITION OF {table} FOR VALUES FROM (MINVALUE) TO (0);
         CREATE TABLE {table}_last PARTITION OF {table} FOR VALUES FROM (0) TO (MAXVALUE);
         INSERT INTO class (number, name, width_ms) VALUES ({number}, '{table}', {width_ms});"
    )
}

/// Makes the partitions of now and of what comes next, and drops those below every bound. The parent's lock is held for that long,
/// so that no row comes in between: a row that lies below a bound says so in its series. Where it cannot be had at once, the next sweep tries again.
pub(crate) const MAINTAIN: &str = "
CREATE FUNCTION is_below(of_class int2, bound_ms int8) RETURNS bool LANGUAGE sql AS $$
    SELECT NOT EXISTS (SELECT 1 FROM series s WHERE (s.class = of_class OR of_class = ANY(s.former))
        AND (s.visible_from_ms < bound_ms OR s.is_late))
$$;
CREATE FUNCTION maintain() RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET lock_timeout = '1s' AS $$
DECLARE
    now_ms int8 := extract(epoch FROM clock_timestamp()) * 1000;
    c class;
    p part;
    next_ms int8;
BEGIN
    FOR c IN SELECT * FROM class ORDER BY number FOR UPDATE LOOP
        WHILE c.last_ms <= now_ms + c.width_ms LOOP
            next_ms := c.last_ms + c.width_ms;
            IF next_ms < now_ms - 16 * c.width_ms THEN
                next_ms := now_ms / c.width_ms * c.width_ms;
            END IF;
            EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', c.name);
            EXECUTE format('ALTER TABLE %I DETACH PARTITION %I', c.name, c.name || '_last');
            EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%s) TO (%s)',
                c.name || '_' || c.last_ms, c.name, c.last_ms, next_ms);
            EXECUTE format('WITH moved AS (DELETE FROM %I WHERE stored_at < %s RETURNING *) INSERT INTO %I SELECT * FROM moved',
                c.name || '_last', next_ms, c.name || '_' || c.last_ms);
            EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%s) TO (MAXVALUE)',
                c.name, c.name || '_last', next_ms);
            INSERT INTO part VALUES (c.number, c.last_ms, next_ms, c.name || '_' || c.last_ms);
            UPDATE class SET last_ms = next_ms WHERE number = c.number;
            c.last_ms := next_ms;
        END LOOP;
        -- Where nothing is to be dropped, nobody is kept waiting.
        CONTINUE WHEN NOT is_below(c.number, coalesce((SELECT min(from_ms) FROM part WHERE class = c.number), c.last_ms));
        EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', c.name);
        FOR p IN SELECT * FROM part WHERE class = c.number AND to_ms < now_ms ORDER BY from_ms LOOP
            EXIT WHEN NOT is_below(c.number, p.to_ms);
            EXECUTE format('DROP TABLE %I, %I', p.name, c.name || '_first');
            EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (MINVALUE) TO (%s)', c.name || '_first', c.name, p.to_ms);
            DELETE FROM part WHERE class = c.number AND from_ms = p.from_ms;
        END LOOP;
        IF is_below(c.number, coalesce((SELECT min(from_ms) FROM part WHERE class = c.number), c.last_ms)) THEN
            EXECUTE format('TRUNCATE %I', c.name || '_first');
        END IF;
    END LOOP;
END $$;
";

/// `$rows` stands for the rows of all tables.
pub(crate) const VIEW: &str = "
CREATE VIEW record_history (id, record_name, value_json, stored_at, source, time, unit, version) AS
    SELECT h.sequence, series.key, h.value, h.stored_at, source.name,
        to_timestamp(h.stored_at / 1000.0),
        series.unit,
        h.version::int8 & 4294967295
    FROM source
    JOIN series ON series.source = source.id
    JOIN $rows h ON h.source = series.source AND h.series = series.id
    WHERE h.stored_at >= series.visible_from_ms OR h.sequence >= series.visible_sequence;
";
