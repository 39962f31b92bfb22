"""The engine's side: its SQL text, and what a connection must know before it."""

from __future__ import annotations

from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.errors import ErrorLevel, UnsupportedError
from sqlglot.generators.duckdb import DuckDBGenerator

from segue.query.functions import FUNCTIONS
from segue.query.macros import HELPERS, LATE_HELPERS
from segue.query.place import Refusal

SETTINGS = ("SET integer_division = true", "SET TimeZone = 'UTC'", "SET default_null_order = 'nulls_last'")


def _macro(name: str, *bodies: str) -> str:
    return f"CREATE TEMP MACRO {name} {', '.join(bodies)}"


DUCKDB_SETUP: tuple[str, ...] = (
    *SETTINGS,
    *(_macro(name, *bodies) for name, bodies in HELPERS.items()),
    *(_macro(entry.engine, *entry.macros) for entry in FUNCTIONS if entry.macros),
    *(_macro(name, *bodies) for name, bodies in LATE_HELPERS.items()),
)
"""Statements for a fresh connection, in order, before its configuration is locked."""


class _Generator(DuckDBGenerator):
    def ignorenulls_sql(self, expression: exp.IgnoreNulls) -> str:
        """Write IGNORE NULLS inside the call, where DuckDB wants it."""
        return f"{self.sql(expression, 'this')[:-1]} IGNORE NULLS)"

    def respectnulls_sql(self, expression: exp.RespectNulls) -> str:
        """Write RESPECT NULLS as nothing: it is the default."""
        return self.sql(expression, "this")


class _Writer(DuckDB):
    """DuckDB's SQL; an index stays as it is written, since Trino and DuckDB both count from 1."""

    INDEX_OFFSET = 0
    Generator = _Generator


def write(query: exp.Query) -> str:
    """Write the engine's SQL; every name is quoted, and comments stay behind."""
    try:
        return str(
            query.sql(
                _Writer,
                identify=True,
                comments=False,
                normalize_functions=False,
                unsupported_level=ErrorLevel.RAISE,
                pretty=True,
            )
        )
    except UnsupportedError as error:
        raise Refusal(f"this cannot be translated: {error}", query, code="unsupported_syntax") from None
