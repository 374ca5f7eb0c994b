"""Whether a Parquet file, as DuckDB and pandas read it, holds the rows of an NDJSON file."""

import json
import sys

import duckdb
import pandas

ndjson, parquet = sys.argv[1:]


def flattened(value, name=""):
    if isinstance(value, dict) and value:
        for member, inner in value.items():
            member = member.replace("\\", "\\\\").replace(".", "\\.") or "\\e"
            reserved = not name and member in ("record_name", "stored_at", "version")
            joined = f"{name}.{member}" if name or reserved else member
            yield from flattened(inner, joined)
    else:
        yield (name or "."), value


rows = []
with open(ndjson, encoding="utf-8") as lines:
    for line in lines:
        row = json.loads(line)
        fields = dict(flattened(row["value"]))
        rows.append((row["record_name"], row["stored_at"], row["version"], fields))

database = duckdb.connect()
database.execute("SET TimeZone = 'UTC'")
types = dict(database.execute(f"SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM '{parquet}')").fetchall())
print(types)
assert types["record_name"] == "VARCHAR" and types["version"] == "BIGINT"
assert types["stored_at"] == "TIMESTAMP WITH TIME ZONE"
columns = [name for name in types if name not in ("record_name", "stored_at", "version")]


def same(kind, stored, read):
    if stored is None or read is None:
        return stored is None and read is None
    if kind == "JSON":
        return json.loads(read) == stored
    if kind == "DOUBLE":
        return float(stored) == read
    return stored == read and isinstance(stored, bool) == isinstance(read, bool)


def compare(reader, read):
    count = 0
    for (name, at, version, fields), row in zip(rows, read, strict=True):
        assert row[:3] == (name, at, version), (reader, name, at, row[:3])
        for column, value in zip(columns, row[3:], strict=True):
            assert same(types[column], fields.get(column), value), (reader, column, fields, value)
        count += 1
    print(f"{reader}: {count} rows are the same")


selected = ", ".join(f'"{column}"' for column in columns)
query = f"SELECT record_name, epoch_ms(stored_at), version, {selected} FROM '{parquet}'"
compare("DuckDB", database.execute(query).fetchall())

frame = pandas.read_parquet(parquet, dtype_backend="pyarrow")
assert str(frame["stored_at"].dtype) == "timestamp[ms, tz=UTC][pyarrow]", frame["stored_at"].dtype
frame["stored_at"] = frame["stored_at"].astype("int64")
values = ([None if value is pandas.NA else value for value in frame[column]] for column in frame.columns)
compare("pandas", zip(*values))
