"""Resolve a column: find its source, innermost first, and write it in front."""

from __future__ import annotations

from collections.abc import Iterable

from sqlglot import exp

from segue.query.place import Refusal, nearest
from segue.query.scopes import Output, Scope, Source

_LONGEST = 3
"""Most parts of a column's name before its source is written in front: the tree has room for four."""


def bind(column: exp.Column, scope: Scope) -> None:
    """Write the source in front of a column, or leave the fields of a row behind it as they are."""
    parts = [part for part in column.parts if isinstance(part, exp.Identifier)]
    first = parts[0].name
    current: Scope | None = scope
    while current is not None:
        if len(parts) > 1:
            named = [source for source in current.sources if source.alias.lower() == first.lower()]
            if named:
                _bind_qualified(column, parts, named[0], current)
                return
        if _bind_plain(column, parts, current, scope):
            return
        current = current.parent
    raise unknown_column(first if len(parts) == 1 else ".".join(part.name for part in parts), column, scope)


def _bind_qualified(column: exp.Column, parts: list[exp.Identifier], source: Source, scope: Scope) -> None:
    _, name, *fields = parts
    output = source.find(name.name)
    if output is None:
        raise unknown_column(name.name, name, scope, source)
    if not fields:
        column.meta["kind"] = output.kind


def _bind_plain(column: exp.Column, parts: list[exp.Identifier], scope: Scope, innermost: Scope) -> bool:
    name = parts[0].name
    if name.lower() in scope.merged:
        column.meta["kind"] = scope.merged[name.lower()].kind
        return True
    found = [(source, output) for source in scope.sources if (output := source.find(name)) is not None]
    if not found:
        return False
    source, output = found[0] if len(found) == 1 else _preserved(column, name, found, scope)
    if len(parts) == 1:
        column.meta["kind"] = output.kind
    if not _hidden(source.alias, innermost, scope):
        _qualify(column, source.alias)
    return True


def _hidden(alias: str, innermost: Scope, scope: Scope) -> bool:
    """Tell whether a scope further in has a source of the same name, which would catch the column."""
    current: Scope | None = innermost
    while current is not None and current is not scope:
        if any(source.alias.lower() == alias.lower() for source in current.sources):
            return True
        current = current.parent
    return not alias


def _qualify(column: exp.Column, alias: str) -> None:
    """Put the source in front; what stands behind the column are fields of a row."""
    parts = column.parts
    if len(parts) > _LONGEST:
        raise Refusal("a field so deep in rows is not supported", column, code="unsupported_syntax")
    front = exp.to_identifier(alias, quoted=True)
    for slot, part in zip(("this", "table", "db", "catalog"), reversed((front, *parts)), strict=False):
        column.set(slot, part)


def _preserved(
    column: exp.Column, name: str, found: list[tuple[Source, Output]], scope: Scope
) -> tuple[Source, Output]:
    """Choose among columns of one name that a join makes equal; the side that the join keeps has the value."""
    for source, output in found:
        here = (source.alias.lower(), name.lower())
        if all((here, (other.alias.lower(), name.lower())) in scope.equal for other, _ in found if other is not source):
            return source, output
    aliases = " and ".join(f"{source.alias}.{output.name}" for source, output in found)
    raise Refusal(
        f"the column '{name}' may mean {aliases}",
        column,
        code="ambiguous_column",
        steps=("Write the table or its alias in front of the column.",),
    )


def equalities(
    condition: exp.Expr, right: str, *, preserved_right: bool
) -> Iterable[tuple[tuple[str, str], tuple[str, str]]]:
    """Give the pairs of columns that every row of the join has equal, the preserved side first."""
    for part in condition.flatten() if isinstance(condition, exp.And) else (condition,):
        sides = (part.this, part.expression) if isinstance(part, exp.EQ) else ()
        pair = [
            (side.table.lower(), side.name.lower()) for side in sides if isinstance(side, exp.Column) and side.table
        ]
        if pair and len(pair) == len(sides):
            if pair[0][0] == right.lower():
                pair.reverse()
            if preserved_right:
                pair.reverse()
            yield pair[0], pair[1]


def unknown_column(name: str, node: exp.Expr, scope: Scope, source: Source | None = None) -> Refusal:
    """Give the refusal of a column that no source has."""
    sources = [source] if source is not None else scope.sources
    known = [column.name for each in sources for column in each.columns]
    where = f" in '{source.alias}'" if source is not None else ""
    return Refusal(
        f"there is no column '{name}'{where}",
        node,
        code="unresolved_column",
        steps=nearest(name.rpartition(".")[2], known) or ("Choose a column of the tables in FROM.",),
    )
