"""The seam between Segue and the databases it queries.

An engine takes SQL of its own dialect (``segue.query`` has translated it) and answers with a stream of Arrow record
batches. DuckDB is the engine that comes with Segue; a warehouse fits behind the same methods.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from segue.errors import ConfigError

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryLimits:
    """What one query may use. A query that wants more is stopped with a ``QueryError`` that says which limit."""

    memory_bytes: int = 1024 * MIB
    """Memory of the whole query, in bytes; at least 512 MiB. Sorts and joins spill to disk well below it."""
    seconds: float = 1800
    """Wall time from the start of the query until its last row is read, in seconds."""
    rows: int | None = None
    """A preview: the stream ends after this many rows. None: every row."""
    threads: int | None = None
    """CPU threads. None: every core that the memory can feed."""

    def __post_init__(self) -> None:
        if self.memory_bytes < 512 * MIB:
            raise ConfigError(f"a query needs at least 512 MiB of memory, not {self.memory_bytes // MIB} MiB")
        if self.seconds <= 0:
            raise ConfigError(f"the time limit of a query must be above 0 seconds, not {self.seconds}")
        if self.rows is not None and self.rows < 0:
            raise ConfigError(f"the row limit of a query must be 0 or more, not {self.rows}")
        if self.threads is not None and self.threads < 1:
            raise ConfigError(f"a query needs at least 1 thread, not {self.threads}")


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseConfig:
    """Where a database is: either one database file, or tables that are Parquet or CSV files."""

    name: str
    engine: str = "duckdb"
    path: Path | None = None
    """The database file; relative paths are already resolved."""
    tables: Mapping[str, str] = field(default_factory=dict)
    """Table name -> path or glob of ``.parquet``, ``.csv``, ``.tsv`` files (``.csv.gz`` too)."""
    personal: frozenset[str] = frozenset()
    """Names of columns that hold what points to a person, besides those that everybody knows."""


class Engine(Protocol):
    """One database that answers queries. Every method may be called from any thread."""

    def tables(self) -> Mapping[str, Mapping[str, str]]:
        """Table -> column -> type text of the engine, in the database's own order.

        Raises ConfigError when the database cannot be opened, BusyError when a writer holds it.
        """
        ...

    def run(
        self, sql: str, *, limits: QueryLimits, digest: Callable[[str], None] | None = None
    ) -> AbstractContextManager[pa.RecordBatchReader]:
        """Run one SELECT and stream its rows; leaving the context ends the query, finished or not.

        digest: is told what ``digest`` would answer for these rows, once all of them have arrived.

        Entering waits until the columns are known. The stream ends normally only when every row has arrived; whatever
        stopped it early is raised while reading, and again on leaving the context when the reader was given to a
        library that wraps errors. Raises QueryError, ConfigError, BusyError.
        """
        ...

    def digest(self, sql: str, *, limits: QueryLimits) -> str:
        """A text over the rows of one SELECT, in any order, which is another one when they are others.

        It is made without handing the rows over. Other rows have the same text once in some 2**64 times; numbers that are equal,
        as 0.0 and -0.0 are, count as the same. Comparable as long as ``stamp`` answers the same. Raises as ``run`` does.
        """
        ...

    def stamp(self) -> str | None:
        """A text that is another one after the data were written to, or the engine's version changed; None: nobody can say."""
        ...

    def cancel(self) -> None:
        """Stop every query of this engine that runs now; their readers raise ``query_cancelled``."""
        ...
