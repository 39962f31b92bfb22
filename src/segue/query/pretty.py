"""A query, laid out: one clause a line, the same meaning."""

from __future__ import annotations

from segue.errors import QueryError
from segue.query.place import Refusal
from segue.query.reader import read


def pretty(sql: str) -> str:
    """The query with one clause a line; comments stay. Raises QueryError ``syntax`` or ``not_a_select``."""
    try:
        tree = read(sql)
    except Refusal as refusal:
        raise refusal.error(sql) from None
    except RecursionError:
        raise QueryError("the query is nested too deeply", code="too_complex", line=1, column=1) from None
    return tree.sql(dialect="trino", pretty=True, leading_comma=False)
