"""UNNEST becomes a subquery: the engine's own takes one array, no map and no rows."""

from __future__ import annotations

from sqlglot import exp

from segue.query.kinds import kind_of
from segue.query.rewrites.build import call, unsupported


def unnest(node: exp.Expr) -> exp.Expr:
    """Give one row for each element, the arrays side by side and the shorter ones filled with NULL."""
    alias = node.args["alias"]  # the names are resolved, so there is one
    names = [column.name for column in alias.args.get("columns") or ()]
    ordinal = node.args.get("offset")
    columns = [column for part in node.expressions for column in _columns(part)]
    if len(names) > len(columns):
        if len(node.expressions) != 1 or len(columns) != 1:
            raise unsupported("UNNEST of rows beside other values", node)
        columns = [_fields(node.expressions[0])]
    elif len(names) < len(columns):
        raise unsupported(f"an alias of {len(names)} columns for the {len(columns)} of this UNNEST", node)
    if ordinal:
        sizes = [_size(part) for part in node.expressions]
        longest = call("greatest", *sizes) if len(sizes) > 1 else sizes[0]
        columns.append(call("unnest", call("generate_series", exp.convert(1), longest)))
        names.append(ordinal.name)
    named = [exp.to_identifier(name) for name in names]
    return exp.Subquery(
        this=exp.Select(expressions=columns), alias=exp.TableAlias(this=alias.this.copy(), columns=named)
    )


def _columns(part: exp.Expr) -> list[exp.Expr]:
    if kind_of(part) == "map":
        return [call("unnest", call("map_keys", part)), call("unnest", call("map_values", part))]
    return [call("unnest", part)]


def _fields(part: exp.Expr) -> exp.Expr:
    depth = exp.PropertyEQ(this=exp.to_identifier("max_depth"), expression=exp.convert(2))
    return call("unnest", part, depth)


def _size(part: exp.Expr) -> exp.Expr:
    return call("cardinality" if kind_of(part) == "map" else "len", part)
