"""Arrays, maps and JSON."""

from __future__ import annotations

import re

from sqlglot import exp

from segue.query.kinds import kind_of
from segue.query.rewrites.build import call, literal, unsupported

_STEP = re.compile(r"\.([A-Za-z_]\w*)|\[(\d+)\]|\[\"([^\"\\]+)\"\]")


def cardinality(node: exp.Expr) -> exp.Expr:
    """Maps have a function of their own on the engine."""
    return call("trino_map_size" if kind_of(node.expressions[0]) == "map" else "trino_size", *node.expressions)


def sequence(node: exp.Expr) -> exp.Expr:
    """Dates step by a day and stay dates; the engine would make timestamps of them."""
    start = kind_of(node.expressions[0])
    name = "trino_sequence_of_dates" if start in {"date", "timestamp", "timestamptz"} else "trino_sequence"
    return call(name, *node.expressions)


def extreme(node: exp.Expr) -> exp.Expr:
    """``greatest`` and ``least`` give NULL if any value is; the engine's leave NULL out."""
    known = [exp.Not(this=exp.Is(this=exp.Paren(this=each.copy()), expression=exp.Null())) for each in node.expressions]
    return exp.Case(ifs=[exp.If(this=exp.and_(*known), true=call(node.name.lower(), *node.expressions))])


def json_extract(node: exp.Expr) -> exp.Expr:
    """Give the part of a JSON value."""
    return call("trino_json_part", node.expressions[0], _path(node))


def json_extract_scalar(node: exp.Expr) -> exp.Expr:
    """Give a scalar as text, and NULL for an object or an array."""
    return call("trino_json_scalar", node.expressions[0], _path(node))


def json_size(node: exp.Expr) -> exp.Expr:
    """Count the members of an object or array; a scalar has none."""
    return call("trino_json_size", call("trino_json_part", node.expressions[0], _path(node)))


def json_literal(node: exp.Expr) -> exp.Expr:
    """Give JSON '...'."""
    return call("json", node.this)


def _path(node: exp.Expr) -> str:
    """Give a path in the engine's writing. It has wildcards too, which would make an array of the answer."""
    source = node.expressions[1]
    path = literal(source, "a path", node)
    steps = _STEP.findall(path)
    written = "$" + "".join(match.group(0) for match in _STEP.finditer(path))
    if written != path:
        raise unsupported("this JSON path", source, 'Write it as $.name[0]["other name"].')
    return "$" + "".join(f"[{index}]" if index else f'."{name or quoted}"' for name, index, quoted in steps)


def pair_lambda(node: exp.Expr) -> exp.Expr | None:
    """Give a lambda of several parameters as one of a row: the engine's second parameter is the position."""
    parent = node.parent
    if not isinstance(parent, exp.Anonymous) or parent.name.lower() not in _ROWS:
        return None
    row = f"trino_row{_depth(node)}"
    body = node.this.copy()
    holder = exp.Paren(this=body)
    for position, parameter in enumerate(node.expressions):
        field = exp.Bracket(this=exp.to_identifier(row), expressions=[exp.convert(position + 1)])
        for reference in _references(holder, parameter.name):
            reference.replace(field.copy())
    return exp.Lambda(this=holder.this.copy(), expressions=[exp.to_identifier(row)])


_ROWS = frozenset({"map_filter", "map_zip_with", "transform_keys", "transform_values", "zip_with"})


def _depth(node: exp.Expr) -> int:
    """Count the lambdas around this one, to give each row a name of its own."""
    outer = node.find_ancestor(exp.Lambda)
    return 1 + _depth(outer) if outer is not None else 0


def _references(node: exp.Expr, name: str) -> list[exp.Expr]:
    """Give the uses of a parameter, not those that an inner lambda of the same parameter hides."""
    found: list[exp.Expr] = []
    for child in node.iter_expressions():
        if isinstance(child, exp.Lambda) and name in {parameter.name for parameter in child.expressions}:
            continue
        if isinstance(child, exp.Identifier):
            names_a_part = isinstance(node, exp.Column | exp.Alias | exp.ColumnDef) or (
                isinstance(node, exp.Dot) and child.arg_key == "expression"
            )
            if child.name == name and not names_a_part:
                found.append(child)
        else:
            found.extend(_references(child, name))
    return found
