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
    seen_at timestamptz NOT NULL DEFAULT now()
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
    PRIMARY KEY (source, id),
    UNIQUE (source, key)
);
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
CREATE VIEW record_history (id, record_name, value_json, stored_at, source, time, unit, version) AS
    SELECT history.sequence, series.key, history.value, history.stored_at, source.name,
        to_timestamp(history.stored_at / 1000.0),
        series.unit,
        history.version::int8 & 4294967295
    FROM source
    JOIN series ON series.source = source.id
    JOIN history ON history.source = series.source AND history.series = series.id;
";
