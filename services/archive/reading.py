"""The archive as DuckDB views, read-only: a query sees the events and nothing else of this machine."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from services.archive.files import COMMON
from services.archive.names import MONTH
from services.archive.transform import dataset_schema

READING = (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN)

VIEWS = """
CREATE VIEW latest AS
SELECT event_id, max({
    'at': coalesce(processed_at, TIMESTAMPTZ '1970-01-01'), 'brokers': coalesce(brokers, ''), 'topic': topic,
    'partition': "partition", 'offset': "offset"
}) AS place
FROM records GROUP BY event_id;

CREATE VIEW events AS
SELECT r.*,
    CASE
        WHEN length(r.event_date) = 10 THEN CAST(r.event_date AS DATE)
        WHEN r.event_date IS NULL AND r.timing = 'new' THEN r.published_at
    END AS day,
    CASE
        WHEN length(r.event_date) = 7 THEN CAST(r.event_date || '-01' AS DATE)
        ELSE CAST(date_trunc('month', day) AS DATE)
    END AS month
FROM records AS r SEMI JOIN latest AS l ON (
    l.event_id = r.event_id AND l.place.brokers = coalesce(r.brokers, '') AND l.place.topic = r.topic
    AND l.place.partition = r."partition" AND l.place.offset = r."offset"
)
WHERE r.status <> 'withdrawn';
"""
"""`records` is all that was written. `events` is the last word on each event, without those taken back. `day` is the
act's day, of a new act without a date the day of publication; `month` its first day, also where no day is told."""


class QueryError(Exception):
    """A query or an archive that cannot be read; the message says what to do."""


def dataset(folder: Path) -> ds.Dataset:
    """All files under all columns, older ones with nulls for those they lack; QueryError when there are none."""
    if not any(folder.glob("*=*/*.parquet")):
        raise QueryError(f"no archive in {folder}: `demarche up` makes one; another one's folder: DEMARCHE_ARCHIVE_DIR")
    schema = dataset_schema()
    if (folder / COMMON).exists():  # A newer version may have written columns that this one does not know.
        schema = pa.unify_schemas([schema, pq.read_schema(folder / COMMON)])
    months = ds.partitioning(pa.schema([schema.field(MONTH)]), flavor="hive")
    return ds.dataset(folder, schema=schema, partitioning=months, format="parquet")


def connect(folder: Path) -> duckdb.DuckDBPyConnection:
    """DuckDB in memory with the views `records` and `events` over an archive; QueryError when there is none.

    It can open no file and no address, and its settings are locked, so that a query from anywhere may be run.
    """
    connection = duckdb.connect(":memory:")
    connection.register("records", dataset(folder))
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute(VIEWS)
    connection.execute("SET python_enable_replacements = false")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def ask(connection: duckdb.DuckDBPyConnection, sql: str) -> duckdb.DuckDBPyConnection:
    """Runs one reading statement; QueryError when it is another one, or wrong."""
    try:
        statements = connection.extract_statements(sql)
        if len(statements) != 1 or statements[0].type not in READING:
            raise QueryError("one SELECT statement, please: the archive is only read")
        return connection.execute(statements[0])
    except duckdb.Error as error:
        raise QueryError(str(error)) from None
