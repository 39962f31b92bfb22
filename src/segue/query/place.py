"""Where in the user's text a part of the query stands, and how a refusal says so."""

from __future__ import annotations

from difflib import get_close_matches

from sqlglot import exp

from segue.errors import QueryError


def line_and_column(sql: str, offset: int) -> tuple[int, int]:
    """Give the 1-based line and column of a character offset."""
    before = sql[: max(offset, 0)]
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


def offset_of(node: exp.Expr) -> int:
    """Give the offset at which a part of the query begins, by the nearest part whose place is known."""
    current: exp.Expr | None = node
    while current is not None:
        starts = [part.meta["start"] for part in current.walk() if "start" in part.meta]
        if starts:
            return int(min(starts))
        current = current.parent
    return 0


class Refusal(Exception):  # noqa: N818 -- it is an answer, not a failure
    """A part of the query that cannot run; ``compile_query`` turns it into a QueryError with line and column."""

    def __init__(self, message: str, node: exp.Expr | int, *, code: str, steps: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.offset = node if isinstance(node, int) else offset_of(node)
        self.code = code
        self.steps = steps

    def error(self, sql: str) -> QueryError:
        """Give the error for the user."""
        line, column = line_and_column(sql, self.offset)
        return QueryError(
            f"{self.message} (line {line}, column {column})",
            code=self.code,
            steps=self.steps,
            line=line,
            column=column,
        )


def nearest(name: str, names: list[str]) -> tuple[str, ...]:
    """Give a step that names the up to three known names nearest to an unknown one; empty when none is near."""
    folded = {known.lower(): known for known in names}
    close = [folded[found] for found in get_close_matches(name.lower(), list(folded), n=3, cutoff=0.5)]
    return (f"Did you mean {' or '.join(close)}?",) if close else ()
