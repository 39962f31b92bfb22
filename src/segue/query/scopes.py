"""The names that are visible at a place of a query."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlglot import exp

from segue.query.place import Refusal, nearest


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """A column that a query or table gives; kind: its type as far as it is known (see ``kinds``)."""

    name: str
    kind: str = ""


Outputs = tuple[Output, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What FROM names once."""

    alias: str
    columns: Outputs

    def find(self, name: str) -> Output | None:
        """Give the column of that name, in whatever case."""
        return next((column for column in self.columns if column.name.lower() == name.lower()), None)


@dataclass(slots=True)
class Scope:
    """The sources of one SELECT; equal: columns that a join makes equal, preserved side first; merged: USING."""

    parent: Scope | None
    sources: list[Source] = field(default_factory=list)
    equal: list[tuple[tuple[str, str], tuple[str, str]]] = field(default_factory=list)
    merged: dict[str, Output] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class With:
    """What a WITH name stands for: the name in the engine's SQL, and its columns."""

    name: str
    columns: Outputs


def is_star(item: exp.Expr) -> bool:
    """Tell ``*`` and ``t.*``."""
    return isinstance(item, exp.Star) or (isinstance(item, exp.Column) and isinstance(item.this, exp.Star))


def star(item: exp.Expr, scope: Scope) -> Iterable[Output]:
    """Give the columns that a star stands for; those of USING stand once."""
    wanted = item.table if isinstance(item, exp.Column) else ""
    sources = [source for source in scope.sources if not wanted or source.alias.lower() == wanted.lower()]
    if not sources:
        raise Refusal(
            f"there is no source '{wanted}' in FROM" if wanted else "* needs a FROM",
            item,
            code="missing_table",
            steps=nearest(wanted, [source.alias for source in scope.sources]),
        )
    merged: set[str] = set()
    for source in sources:
        for column in source.columns:
            folded = column.name.lower()
            if not wanted and folded in scope.merged:
                if folded in merged:
                    continue
                merged.add(folded)
            yield column


def spelling(item: exp.Expr, position: int) -> str:
    """Give the name of a column without an alias: as it is written, or Trino's ``_col0`` for an expression."""
    if isinstance(item, exp.Column | exp.Dot):
        return item.name
    return f"_col{position}"


def renamed(outputs: Outputs, aliases: list[str], node: exp.Expr) -> Outputs:
    """Give the columns under the names of an alias such as ``t(a, b)``."""
    if not aliases:
        return outputs
    if len(aliases) != len(outputs):
        raise Refusal(f"the alias names {len(aliases)} columns where there are {len(outputs)}", node, code="syntax")
    return tuple(Output(name=alias, kind=output.kind) for alias, output in zip(aliases, outputs, strict=True))
