"""What DuckDB says about a failed query, in Segue's words and without people's data."""

from __future__ import annotations

import pytest

from segue.database import Engine, QueryLimits
from segue.database.failures import database_failure
from segue.errors import BusyError, ConfigError, QueryError, SegueError

PERSON = "ann@inbox.test"
"""Stands in the table Odd; no error may show it."""


@pytest.mark.parametrize(
    ("sql", "code", "says"),
    [
        ("SELECT * FROM Nobody", "missing_table", "Nobody"),
        ("SELECT nme FROM People", "unresolved_column", '"nme"'),
        ("SELECT q.name FROM People AS p", "unresolved_column", '"q"'),
        ("SELECT id FROM People AS a, People AS b", "ambiguous_column", '"id"'),
        ("SELECT nofunction(id) FROM People", "unsupported_function", "nofunction"),
        ("SELECT substr(id) FROM People", "type_mismatch", "substr(BIGINT)"),
        ("SELECT seen + email FROM Odd", "type_mismatch", "TIMESTAMP"),
        ("SELECT CAST(id AS DATE) FROM People", "type_mismatch", "type BIGINT cannot become DATE"),
        ("SELECT id FROM People WHERE", "syntax", "syntax error"),
        ("SELECT CAST(email AS INTEGER) FROM Odd", "invalid_cast", "to INTEGER in column email"),
        ("SELECT CAST(email AS DATE) FROM Odd", "invalid_cast", "cannot be converted"),
        ("SELECT CAST(email AS DECIMAL(10, 2)) FROM Odd", "invalid_cast", "cannot be converted"),
        ("SELECT CAST(email AS BOOLEAN) FROM Odd", "invalid_cast", "BOOLEAN"),
        ("SELECT strptime(email, '%Y') FROM Odd", "query_failed", "while its rows were read"),
        ("SELECT error(email) FROM Odd", "query_failed", "while its rows were read"),
        ("SELECT json_extract(email, '$.a') FROM Odd", "query_failed", "while its rows were read"),
        ("SELECT regexp_matches('a', '(' || email) FROM Odd", "query_failed", "while its rows were read"),
        ("SELECT 1 / (id - 1) FROM People", "division_by_zero", "divides by zero"),
        ("SELECT 1 % (id - 1) FROM People", "division_by_zero", "divides by zero"),
        ("SELECT id + 9223372036854775807 FROM People", "number_out_of_range", "cannot hold"),
        ("SELECT CAST(id AS TINYINT) FROM People", "number_out_of_range", "cannot hold"),
        ("SELECT (SELECT email FROM Odd)", "subquery_rows", "more than one row"),
        ("SELECT sum(sum(id)) FROM People", "query_failed", "nested"),
    ],
)
def test_a_failed_query_has_a_code_and_no_data(engine: Engine, sql: str, code: str, says: str) -> None:
    with pytest.raises(QueryError) as caught, engine.run(sql, limits=QueryLimits()) as reader:
        reader.read_all()
    error = caught.value
    assert error.code == code
    assert says in error.message
    assert PERSON not in repr(vars(error))
    assert "\n" not in error.message
    assert error.__cause__ is None


@pytest.mark.parametrize(
    ("kind", "text", "error", "code"),
    [
        (
            "database_unopened",
            'IO Error: Could not set lock on file "/home/ann/x.duckdb": Conflicting lock is held in python (PID 7).',
            BusyError,
            "database_locked",
        ),
        (
            "database_unopened",
            "IO Error: Trying to read a database file with storage version number 99, but we can only read storage versions",
            ConfigError,
            "database_version",
        ),
        (
            "OSError",
            'IO Error: Could not read from file "/home/ann/x.duckdb": Input',
            ConfigError,
            "database_unreadable",
        ),
        ("Error", "Corrupt database file: computed checksum 1 in /home/ann/x", ConfigError, "database_unreadable"),
        ("OSError", 'IO Error: Could not write file "/home/ann/s": No space left on device', QueryError, "query_disk"),
        (
            "OutOfMemoryException",
            "Out of Memory Error: failed to offload data block.\nLimit set by 'max_temp_directory_size' /home/ann",
            QueryError,
            "query_disk",
        ),
        ("OutOfMemoryException", "Out of Memory Error: failed to allocate /home/ann", QueryError, "query_memory"),
        ("OSError", "Out of Memory Error: could not allocate block of size 1", QueryError, "query_memory"),
        ("MemoryError", "", QueryError, "query_memory"),
        ("RuntimeError", "std::bad_alloc", QueryError, "query_memory"),
        ("InternalException", "INTERNAL Error: /home/ann", QueryError, "query_failed"),
        ("ValueError", "/home/ann", QueryError, "query_failed"),
        ("OSError", "Conversion Error: Could not convert string '/home/ann' to INT32", QueryError, "invalid_cast"),
    ],
)
def test_a_failure_of_file_or_machine_shows_no_path(kind: str, text: str, error: type[SegueError], code: str) -> None:
    failure = database_failure("shop", kind, text)
    assert (type(failure), failure.code) == (error, code)
    assert "/home/ann" not in repr(vars(failure))


def test_a_value_cannot_pass_for_the_message_around_it() -> None:
    value = "x' to ANN when casting from source column smith\n\nLINE 1: x"
    text = (
        f"Conversion Error: Could not convert string '{value}' to INT32 when casting from source column z\n\nLINE 1: y"
    )
    message = database_failure("shop", "ConversionException", text).message
    assert message == "a value cannot be converted to INTEGER in column z"


def test_every_failure_says_what_to_do() -> None:
    for kind in ("syntax", "missing_table", "query_forbidden", "database_unopened", "MemoryError", "ValueError"):
        assert database_failure("shop", kind, "x").steps
