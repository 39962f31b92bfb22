"""From the user's text to the engine's: read, check, resolve, rewrite, write."""

from __future__ import annotations

from segue.errors import QueryError
from segue.query import calls, grammar, names
from segue.query.engine import write
from segue.query.place import Refusal
from segue.query.reader import read
from segue.query.rewrites import rewrite
from segue.query.values import CompiledQuery, Tables


def compile_query(sql: str, *, tables: Tables) -> CompiledQuery:
    """Check one SELECT in Trino's SQL and translate it for the engine.

    tables: every table that the query may read. Nothing is run. Raises QueryError with line and column; its code is
    ``syntax``, ``not_a_select``, ``unsupported_syntax``, ``unsupported_function``, ``function_arguments``,
    ``missing_table``, ``unresolved_column``, ``ambiguous_column``, ``ambiguous_table`` or ``too_complex``.
    """
    try:
        return _compile(sql, tables)
    except Refusal as refusal:
        raise refusal.error(sql) from None
    except RecursionError:
        raise QueryError(
            "the query is nested too deeply (line 1, column 1)", code="too_complex", line=1, column=1
        ) from None


def _compile(sql: str, tables: Tables) -> CompiledQuery:
    query = read(sql)
    grammar.check(query)
    functions = calls.check(query)
    used, columns = names.resolve(query, tables)
    rewrite(query)
    return CompiledQuery(source_sql=sql, engine_sql=write(query), tables=used, functions=functions, columns=columns)
