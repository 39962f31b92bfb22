"""Rewrites that keep Trino's meaning on the engine, innermost part first."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from segue.query import kinds
from segue.query.functions import BY_NAME

Rewrite = Callable[[exp.Expr], exp.Expr | None]
"""Gives what takes the place of a part, or None to leave it."""

_BY_SYNTAX: dict[type[exp.Expr], Rewrite] = {}
_BY_NAME: dict[str, Rewrite] = {}


def rewrite(query: exp.Query) -> None:
    """Rewrite a resolved query in place."""
    parts = list(query.walk())
    parts.reverse()
    for part in parts:
        if "kind" not in part.meta and not isinstance(part, exp.Query):
            part.meta["kind"] = kinds.kind_of(part)
    for part in parts:
        _apply(part)


def _apply(part: exp.Expr) -> None:
    if isinstance(part, exp.Anonymous):
        _call(part)
        return
    change = _BY_SYNTAX.get(type(part))
    if change is not None:
        _put(part, change(part))


def _call(part: exp.Anonymous) -> None:
    name = part.name.lower()
    special = _BY_NAME.get(name)
    changed = special(part) if special is not None else None
    if changed is None and part.name.lower() == name:
        part.set("this", BY_NAME[name].engine or name)
    _put(part, changed)


def _put(part: exp.Expr, changed: exp.Expr | None) -> None:
    if changed is not None and changed is not part:
        changed.meta["kind"] = part.meta.get("kind", "")
        part.replace(changed)
