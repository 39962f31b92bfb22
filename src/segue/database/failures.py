"""What DuckDB says when a query fails, as errors of Segue.

DuckDB quotes cell values and file names in its messages. Binder and catalog messages are made of names and types of the
query and may be shown; of the messages made while rows were read only the kind survives.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from segue.errors import BusyError, ConfigError, QueryError, SegueError, StateError

_PREFIX = re.compile(r"(?:^|: )(?P<kind>[A-Z][A-Za-z ]+?) Error: (?P<text>.*)", re.DOTALL)
_REST = re.compile(r"\s*\n.*", re.DOTALL)
"""After its first line a message quotes the SQL or offers names that the author did not ask for."""


def database_failure(database: str, kind: str, message: str) -> SegueError:
    """The error for what the query process reported.

    kind: an error code of the process, or the name of a Python exception; message: its raw text, which may hold people's
    data and does not leave this function.
    """
    if kind in _OWN:
        return _OWN[kind](database, message)
    if kind in {"MemoryError", "ArrowMemoryError"} or "bad_alloc" in message:
        return memory_failure(database)
    found = _PREFIX.search(message)
    family, text = (found["kind"], found["text"]) if found else ("", message)
    if family in _NAMED:
        return _named(family, _REST.sub("", text))
    # DuckDB takes what is free on the disk for its limit of temporary files, and calls it memory when that is used up.
    if "No space left" in text or "max_temp_directory_size" in text:
        return _disk(database)
    if family in {"IO", "Serialization"} or text.startswith("Corrupt database file"):
        return _unopened(database, text)
    return _while_running(database, family, text)


def memory_failure(database: str) -> QueryError:
    """The query wanted more memory than it may have."""
    return QueryError(
        f"the query on database {database} needs more memory than it may use",
        code="query_memory",
        steps=("select fewer columns or rows, or aggregate in smaller steps", "raise the memory limit of queries"),
    )


def timeout_failure(database: str, seconds: float) -> QueryError:
    """The query took longer than it may."""
    return QueryError(
        f"the query on database {database} was stopped after its time limit of {seconds:g} s",
        code="query_timeout",
        steps=("look for a join without a condition or a recursion without an end", "raise the time limit of queries"),
    )


def cancelled_failure(database: str) -> QueryError:
    """Somebody asked the query to stop."""
    return QueryError(f"the query on database {database} was cancelled", code="query_cancelled")


def died_failure(database: str, cause: str) -> QueryError:
    """The process of the query ended without a word."""
    return QueryError(
        f"the process of the query on database {database} ended before its last row",
        code="query_died",
        cause=cause,
        steps=("run the query again", "if it ends so again, see whether the machine is out of memory"),
    )


def _forbidden(database: str, message: str) -> QueryError:
    return QueryError(
        f"the query may not run on database {database}: it holds {message}",
        code="query_forbidden",
        steps=("write one SELECT over the tables of the database",),
    )


def _syntax(database: str, message: str) -> QueryError:
    return QueryError(
        f"database {database} cannot parse the query: {_REST.sub('', message)}",
        code="syntax",
        steps=("correct the SQL",),
    )


def _missing_table(database: str, message: str) -> QueryError:
    return QueryError(
        f"database {database} has no table {message}",
        code="missing_table",
        steps=("check the name against the tables of the database",),
    )


def _setup(database: str, message: str) -> StateError:
    return StateError(
        f"Segue could not prepare a connection to database {database}",
        code="setup_failed",
        cause=_REST.sub("", message),
        steps=("install Segue again with the version of DuckDB that it asks for",),
    )


def _unopened(database: str, text: str) -> SegueError:
    """The file, not the query, is at fault. DuckDB's text names paths and processes, so none of it is kept."""
    if "Could not set lock" in text:
        return BusyError(
            f"database {database} is held by a program that writes to it",
            code="database_locked",
            steps=("wait until the load has finished, or close the program", "run again"),
        )
    if "storage version" in text or "Storage Version" in text:
        return ConfigError(
            f"the file of database {database} was written by a version of DuckDB that Segue cannot read",
            code="database_version",
            steps=("export its tables to Parquet with the version that wrote it", "or upgrade Segue"),
        )
    if "not a valid DuckDB database file" in text:
        return ConfigError(
            f"the file of database {database} is not a DuckDB database",
            code="database_invalid",
            steps=("check its path in the configuration",),
        )
    return ConfigError(
        f"a file of database {database} cannot be read",
        code="database_unreadable",
        steps=("check that the files of the database exist, are whole, and that this user may read them",),
    )


_OWN: dict[str, Callable[[str, str], SegueError]] = {
    "database_unopened": _unopened,
    "setup_failed": _setup,
    "query_forbidden": _forbidden,
    "syntax": _syntax,
    "missing_table": _missing_table,
}

_NAMED = {
    "Binder": "query_failed",
    "Catalog": "query_failed",
    "Parser": "syntax",
    "Not implemented": "query_failed",
}
"""Families whose messages speak of the query and not of its rows."""

_NAMED_CODES = (
    (re.compile(r"^Referenced (column|table) |does not have a column|^Column .* does not exist"), "unresolved_column"),
    (re.compile(r"^Ambiguous reference"), "ambiguous_column"),
    (re.compile(r"^Table with name .* does not exist"), "missing_table"),
    (re.compile(r"Function with name .* does not exist"), "unsupported_function"),
    (re.compile(r"^No function matches|^Could not choose|^Cannot (compare|mix|cast|combine)|of type"), "type_mismatch"),
)


def _named(family: str, text: str) -> QueryError:
    code = next((code for pattern, code in _NAMED_CODES if pattern.search(text)), _NAMED[family])
    return QueryError(text.rstrip(".!"), code=code, steps=("correct the SQL",))


def _disk(database: str) -> QueryError:
    return QueryError(
        f"the query on database {database} needs more disk for its sorts and joins than there is",
        code="query_disk",
        steps=("free space in the folder for temporary files", "or select fewer columns or rows"),
    )


_RUNNING_CODES = (
    (re.compile(r"division by zero", re.IGNORECASE), "division_by_zero", "divides by zero"),
    (re.compile(r"More than one row returned by a subquery"), "subquery_rows", "has a subquery of more than one row"),
    (
        re.compile(r"^Overflow in|out of range|Could not cast value .* to DECIMAL", re.IGNORECASE),
        "number_out_of_range",
        "makes a number or date that its type cannot hold",
    ),
)


def _while_running(database: str, family: str, text: str) -> QueryError:
    if family.startswith("Out of Memory"):
        return memory_failure(database)
    if family == "Permission":
        return _forbidden(database, "a view or function that reads files outside the database")
    for pattern, code, says in _RUNNING_CODES:
        if pattern.search(text):
            return QueryError(f"the query {says}", code=code, steps=("guard the expression with CASE, NULLIF or TRY",))
    if family in {"Conversion", "Mismatch Type"}:
        return _conversion(text)
    return QueryError(
        f"the query on database {database} failed while its rows were read",
        code="query_failed",
        cause=f"DuckDB: {family or 'unknown'} error",
        steps=("look at the functions of the query: one of them does not accept a value of the data",),
    )


_CONVERTED = re.compile(
    r".*(?:' to |destination type )(?P<type>[A-Z][A-Z0-9_]*(?:\(\d+(?:,\s*\d+)?\))?)"
    r"(?: when casting from source column (?P<column>\w+))?\s*(?:\n\nLINE \d.*)?\Z",
    re.DOTALL,
)
"""Anchored at the end, because the value may hold any text, this very sentence too."""
_TYPE_NAMES = {"BOOL": "BOOLEAN", "INT8": "TINYINT", "INT16": "SMALLINT", "INT32": "INTEGER", "INT64": "BIGINT"}
"""DuckDB's inner names, in the words of SQL."""


def _conversion(text: str) -> QueryError:
    """Keep the types and the column, never the value, which stands in quotes before them."""
    if kinds := re.match(r"Unimplemented type for cast \((\w[^)]*?) -> (\w[^)]*)\)", text):
        return QueryError(
            f"a value of type {kinds[1]} cannot become {kinds[2]}",
            code="type_mismatch",
            steps=("correct the types in the SQL",),
        )
    found = _CONVERTED.match(text)
    target, column = (found["type"], found["column"]) if found else (None, None)
    return QueryError(
        "a value cannot be converted"
        + (f" to {_TYPE_NAMES.get(target, target)}" if target else "")
        + (f" in column {column}" if column else ""),
        code="invalid_cast",
        steps=("use TRY_CAST where the data may hold other text",),
    )
