"""What the query step hands on: a compiled query and the published functions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Tables = Mapping[str, Mapping[str, str]]
"""The tables of a database: table name to its columns, column name to the engine's type, in the table's order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledQuery:
    """One SELECT, checked and ready for the engine.

    source_sql: the user's text; engine_sql: the same in the engine's own SQL; tables: the database's names of the
    tables it reads; functions: the names of the functions it calls, in lower case. Both are sorted. columns: the names of
    what it selects, in order.
    """

    source_sql: str
    engine_sql: str
    tables: tuple[str, ...]
    functions: tuple[str, ...]
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A golden case: what Trino answers, by its documentation, to an expression or a whole SELECT.

    sql: an expression, or a SELECT of one column and one row; expected: the value (text for dates, times and
    decimals, upper-case hex for binary); source: the page and section that say so.
    """

    sql: str
    expected: object
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A function that queries may call.

    name: in lower case; category: the page of Trino's documentation; signature: its forms as Trino writes them;
    note: where Segue is narrower than Trino; returns: the type that the signature names; arity: fewest and most
    arguments, None for no upper limit; lambdas: for each argument the parameters of the lambda it must be, or None;
    engine: name of the engine's function or macro; macros: one ``(parameters) AS expression`` for each number of
    arguments; special: it is no plain call, the grammar or a rewrite makes it.
    """

    name: str
    category: str
    signature: str
    returns: str
    arity: tuple[int, int | None]
    lambdas: tuple[int | None, ...]
    engine: str
    macros: tuple[str, ...]
    special: bool
    note: str
    cases: tuple[Case, ...]
