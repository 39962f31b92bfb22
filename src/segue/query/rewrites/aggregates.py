"""Aggregates that the engine has in parts, or with another type.

A macro takes neither FILTER nor DISTINCT, so the engine's aggregate keeps them and what is left is put around it.
"""

from __future__ import annotations

from sqlglot import exp

from segue.query.rewrites.build import call, cast, outermost


def total(node: exp.Expr) -> None:
    """A sum of integers is a bigint; the engine's is 128 bits wide. The sample only carries the type."""
    whole = outermost(node)
    sample = exp.Add(this=call("any_value", _value(node)), expression=cast(exp.convert(0), "BIGINT"))
    _wrap(whole, "cast_to_type", _beside(whole, sample))


def average(node: exp.Expr) -> None:
    """The average of decimals keeps their scale; the engine's is a double. So is the median's type."""
    whole = outermost(node)
    _wrap(whole, "cast_to_type", _beside(whole, call("median", _value(node))))


def count_if(node: exp.Expr) -> None:
    """A count is a bigint; the engine's is 128 bits wide."""
    whole = outermost(node)
    whole.replace(cast(whole, "BIGINT"))


def map_agg(node: exp.Expr) -> None:
    """Collect the entries, then make the map."""
    _collected(node, "trino_map", exp.Tuple(expressions=[each.copy() for each in node.expressions]))


def multimap_agg(node: exp.Expr) -> None:
    """Collect the entries, then group them by key."""
    _collected(node, "trino_multimap", exp.Tuple(expressions=[each.copy() for each in node.expressions]))


def map_union(node: exp.Expr) -> None:
    """Collect the entries of every map, then make one map."""
    whole = _collected(node, "flatten", call("trino_entries", node.expressions[0]))
    whole.replace(call("trino_map", whole))


def _collected(node: exp.Expr, macro: str, entry: exp.Expr) -> exp.Expr:
    whole = outermost(node)
    node.set("this", "list")
    node.set("expressions", [entry])
    return _wrap(whole, macro)


def _value(node: exp.Expr) -> exp.Expr:
    value: exp.Expr = node.expressions[0]
    return value.expressions[0] if isinstance(value, exp.Distinct) else value


def _beside(whole: exp.Expr, sample: exp.Expr) -> exp.Expr:
    """Give the sample the window of the aggregate that it stands beside."""
    if not isinstance(whole, exp.Window):
        return sample
    for part in [sample, *sample.find_all(exp.Anonymous)]:
        if isinstance(part, exp.Anonymous):
            window = whole.copy()
            window.set("this", part.copy())
            if part is sample:
                return window
            part.replace(window)
            break
    return sample


def _wrap(whole: exp.Expr, name: str, *rest: exp.Expr) -> exp.Expr:
    wrapped = call(name, whole, *rest)
    whole.replace(wrapped)
    return wrapped
