"""The DuckDB engine: a database file, or Parquet and CSV files as tables."""

from __future__ import annotations

import glob
import hashlib
import os
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyarrow as pa

from segue.database.engine import MIB, DatabaseConfig, QueryLimits
from segue.database.process import QueryProcess
from segue.errors import ConfigError
from segue.query import DUCKDB_SETUP

_THREAD_BYTES = 256 * MIB
"""Memory for each thread of DuckDB: each has buffers of its own, which its memory limit does not count."""
_COLUMNS = """
SELECT table_name, column_name, data_type FROM duckdb_columns()
WHERE database_name = current_database() AND schema_name = 'main' AND NOT internal
ORDER BY table_oid, column_index
"""
"""Every column that a query may name: tables and views of schema main, no others."""
_CATALOG_LIMITS = QueryLimits(seconds=600)
"""For reading the catalog. The time is for CSV files, whose types take a read of the whole file."""

Tables = Mapping[str, Mapping[str, str]]


class DuckDBEngine:
    """An ``Engine`` that runs every query in a process of its own."""

    def __init__(self, config: DatabaseConfig) -> None:
        self._config = config
        self._lock = threading.Lock()
        self._running: set[QueryProcess] = set()
        self._tables: tuple[object, Tables] | None = None

    def tables(self) -> Tables:
        """See ``Engine.tables``. Read again only when a file has changed."""
        files = self._files()
        stamp = _stamp(files)
        with self._lock:
            if self._tables is not None and self._tables[0] == stamp:
                return self._tables[1]
        tables: dict[str, dict[str, str]] = {}
        spec = self._spec(_COLUMNS, _CATALOG_LIMITS, files, types={})
        with self._stream(spec | {"trusted": True}) as reader:
            for row in reader.read_all().to_pylist():
                tables.setdefault(row["table_name"], {})[row["column_name"]] = row["data_type"]
        with self._lock:
            self._tables = (stamp, tables)
        return tables

    @contextmanager
    def run(
        self, sql: str, *, limits: QueryLimits, digest: Callable[[str], None] | None = None
    ) -> Iterator[pa.RecordBatchReader]:
        """See ``Engine.run``."""
        spec = self._spec(sql, limits, self._files(), types=self._types())
        with self._stream(spec | {"digest": "beside" if digest else None}, digest) as reader:
            yield reader

    def digest(self, sql: str, *, limits: QueryLimits) -> str:
        """See ``Engine.digest``."""
        told: list[str] = []
        spec = self._spec(sql, limits, self._files(), types=self._types())
        with self._stream(spec | {"digest": "only"}, told.append) as reader:
            reader.read_all()
        return told[0]

    def stamp(self) -> str | None:
        """See ``Engine.stamp``."""
        return hashlib.sha256(repr((version("duckdb"), _stamp(self._files()))).encode()).hexdigest()

    def _types(self) -> Tables:
        """What CSV files were taken to hold; the other kinds say it themselves."""
        return self.tables() if any(_kind(pattern) == "csv" for pattern in self._config.tables.values()) else {}

    def cancel(self) -> None:
        """See ``Engine.cancel``."""
        with self._lock:
            running = list(self._running)
        for query in running:
            query.stop()

    @contextmanager
    def _stream(
        self, spec: dict[str, Any], digest: Callable[[str], None] | None = None
    ) -> Iterator[pa.RecordBatchReader]:
        with self._lock:  # so that a cancel cannot fall between the start and the note of it
            query = QueryProcess(self._config.name, spec, digest=digest)
            self._running.add(query)
        try:
            yield query.reader()
        except Exception as error:
            # A library that read the stream wraps our error in its own: the reason is what the caller can act on.
            if query.failure is not None and error is not query.failure:
                raise query.failure from error
            raise
        else:
            if query.failure is not None:
                raise query.failure
        finally:
            with self._lock:
                self._running.discard(query)
            query.close()

    def _files(self) -> dict[str, list[str]]:
        """Table -> its files; the database file itself under the empty name."""
        config = self._config
        if config.path is not None:
            return {"": [_existing(config.name, config.path)]}
        return {table: _expand(config.name, table, pattern) for table, pattern in config.tables.items()}

    def _spec(self, sql: str, limits: QueryLimits, files: dict[str, list[str]], *, types: Tables) -> dict[str, Any]:
        """What the child is told; see ``child.py``."""
        fed = max(1, limits.memory_bytes // _THREAD_BYTES)
        return {
            "sql": sql,
            "trusted": False,
            "digest": None,
            "setup": setup_for(sql),
            "path": files[""][0] if "" in files else None,
            "tables": {
                table: {"kind": _kind(self._config.tables[table]), "files": found, "types": types.get(table)}
                for table, found in files.items()
                if table
            },
            "memory_bytes": limits.memory_bytes,
            "seconds": limits.seconds,
            "rows": limits.rows,
            "threads": limits.threads or min(fed, os.cpu_count() or 1),
        }


def setup_for(sql: str) -> list[str]:
    """The statements that a connection needs before sql: every setting, and the macros that it names.

    All 130 macros together cost 60 ms, more than most queries (measured). A macro may name those before it.
    """
    needed: list[str] = []
    text = sql.lower()
    for statement in reversed(DUCKDB_SETUP):
        macro = re.match(r"CREATE TEMP MACRO (\w+)", statement)
        if macro is None or macro[1].lower() in text:
            needed.append(statement)
            text += statement.lower()
    return needed[::-1]


def _kind(pattern: str) -> str:
    name = pattern.lower().removesuffix(".gz").removesuffix(".zst")
    if name.endswith(".parquet"):
        return "parquet"
    return "csv" if name.endswith((".csv", ".tsv", ".txt")) else ""


def check(config: DatabaseConfig) -> None:
    """Raise ConfigError when the settings name no file, two kinds of place, or files of an unknown kind."""
    if (config.path is None) == (not config.tables):
        raise ConfigError(
            f"database {config.name} needs either a path or tables",
            steps=("give `path:` for a DuckDB file, or `tables:` for Parquet and CSV files",),
        )
    for table, pattern in config.tables.items():
        if not table or not _kind(pattern):
            raise ConfigError(
                f"table {table or '(no name)'} of database {config.name} is not Parquet or CSV",
                steps=("name files that end in .parquet, .csv or .tsv (.csv.gz too)",),
            )


def _existing(database: str, path: Path) -> str:
    if not path.is_file():
        raise ConfigError(
            f"the file of database {database} is not there: {path.name}",
            code="database_missing",
            steps=("check its path in the configuration",),
        )
    return str(path.absolute())  # the child runs in a folder of its own


def _expand(database: str, table: str, pattern: str) -> list[str]:
    """The files of a table, sorted. Python expands the glob, so the list that is opened is the list that is allowed."""
    files = sorted(file for file in glob.glob(pattern, recursive=True) if Path(file).is_file())  # noqa: PTH207 -- absolute
    if not files:
        raise ConfigError(
            f"table {table} of database {database} has no files",
            code="database_missing",
            steps=("check its path or pattern in the configuration",),
        )
    if any(set(file) & set("*?[") for file in files):  # DuckDB would read the name as a pattern of its own
        raise ConfigError(
            f"a file of table {table} of database {database} has *, ? or [ in its name", steps=("rename the file",)
        )
    return [os.path.realpath(file) for file in files]


def _stamp(files: Mapping[str, list[str]]) -> object:
    """A value that changes when a file does; the write-ahead log belongs to its database."""
    paths = [Path(name) for found in files.values() for file in found for name in (file, f"{file}.wal")]
    return tuple((str(path), path.stat().st_mtime_ns, path.stat().st_size) for path in paths if path.exists())
