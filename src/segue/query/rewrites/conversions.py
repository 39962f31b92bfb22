"""CAST and TRY_CAST, and literals of a type."""

from __future__ import annotations

from sqlglot import exp

from segue.query.kinds import kind_of
from segue.query.rewrites.build import call, cast, unsupported

_INTEGERS = {
    exp.DType.BIGINT: "BIGINT",
    exp.DType.INT: "INTEGER",
    exp.DType.SMALLINT: "SMALLINT",
    exp.DType.TINYINT: "TINYINT",
}
_PLAIN = {
    exp.DType.BOOLEAN: "BOOLEAN",
    exp.DType.DOUBLE: "DOUBLE",
    exp.DType.FLOAT: "FLOAT",
    exp.DType.TIME: "TIME",
    exp.DType.TIMESTAMPTZ: "TIMESTAMPTZ",
    exp.DType.UUID: "UUID",
}
_CHECKS = {
    exp.DType.BOOLEAN: "trino_no_boolean",
    exp.DType.DOUBLE: "trino_no_number",
    exp.DType.FLOAT: "trino_no_number",
    exp.DType.DECIMAL: "trino_no_number",
    exp.DType.TIMESTAMPTZ: "trino_no_zoned_time",
}
"""Macros that tell text which Trino does not read as the type."""
_FINEST = 6
_PRECISIONS = {0: "TIMESTAMP_S", 3: "TIMESTAMP_MS", 6: "TIMESTAMP"}
_LAMBDA = "trino_c"


def conversion(node: exp.Expr) -> exp.Expr:
    """Convert as Trino does: the engine rounds, pads and parses differently."""
    assert isinstance(node, exp.Cast)  # noqa: S101 -- the table of rewrites says so; this tells the type checker
    converted = _convert(node.this, node.to, 0)
    return call("TRY", converted) if isinstance(node, exp.TryCast) else converted


def _convert(value: exp.Expr, to: exp.DataType, depth: int) -> exp.Expr:
    kind = to.this
    if kind in _INTEGERS:
        return cast(call("trino_to_bigint", value), _INTEGERS[kind])
    if kind in _CHECKS:
        return _checked(value, _CHECKS[kind], type_text(to))
    if kind in _PLAIN:
        return cast(value, _PLAIN[kind])
    if kind in {exp.DType.VARCHAR, exp.DType.TEXT}:
        text = call("trino_to_varchar", value)
        return call("left", text, to.expressions[0].this) if to.expressions else text
    if kind == exp.DType.DATE:
        return call("trino_to_date", value)
    if kind == exp.DType.TIMESTAMP:
        return _timestamp(value, to)
    if kind == exp.DType.JSON:
        return call("to_json", value)
    if kind == exp.DType.VARBINARY:
        return call("encode", value)
    return _nested(value, to, depth)


def _checked(value: exp.Expr, check: str, type_: str) -> exp.Expr:
    if isinstance(value, exp.Literal) and not value.is_string:
        return cast(value, type_)
    failure = cast(exp.Literal.string(f"Cannot cast this text to {type_}"), type_)
    return exp.Case(ifs=[exp.If(this=call(check, value), true=failure)], default=cast(value, type_))


def _timestamp(value: exp.Expr, to: exp.DataType) -> exp.Expr:
    precision = int(to.expressions[0].name) if to.expressions else 3
    is_text = isinstance(value, exp.Literal)
    if precision > _FINEST and is_text:
        # The engine counts microseconds; the digits beyond them are cut as its own parser does.
        precision = _FINEST
    fitting = next((type_ for digits, type_ in _PRECISIONS.items() if digits >= precision), None)
    if fitting is None or (precision not in _PRECISIONS and not is_text):
        raise unsupported(f"timestamp({precision})", to.parent or to, "Use timestamp(0), (3) or (6).")
    return cast(call("trino_to_timestamp", value), fitting)


def _nested(value: exp.Expr, to: exp.DataType, depth: int) -> exp.Expr:
    if to.this == exp.DType.ARRAY and to.expressions:
        if kind_of(value) == "json":
            return cast(value, type_text(to))
        name = exp.to_identifier(f"{_LAMBDA}{depth}")
        body = _convert(name.copy(), to.expressions[0], depth + 1)
        source = cast(value, f"{type_text(to.expressions[0])}[]") if _is_empty(value) else value
        return call("list_transform", source, exp.Lambda(this=body, expressions=[name]))
    return cast(value, type_text(to))


def _is_empty(value: exp.Expr) -> bool:
    """Tell whether the value is ARRAY[], whose elements have no type that a conversion could start from."""
    return isinstance(value, exp.Array) and not value.expressions


def type_text(to: exp.DataType) -> str:
    """Give a type of Trino's as the engine's text."""
    kind = to.this
    if kind in _INTEGERS or kind in _PLAIN:
        return _INTEGERS.get(kind) or _PLAIN[kind]
    simple = {
        exp.DType.VARCHAR: "VARCHAR",
        exp.DType.TEXT: "VARCHAR",
        exp.DType.DATE: "DATE",
        exp.DType.JSON: "JSON",
        exp.DType.VARBINARY: "BLOB",
        exp.DType.TIMESTAMP: "TIMESTAMP",
    }
    if kind in simple:
        return simple[kind]
    if kind == exp.DType.DECIMAL:
        digits = [parameter.name for parameter in to.expressions] or ["38", "0"]
        return f"DECIMAL({', '.join([*digits, '0'][:2])})"
    return _nested_text(to)


def _nested_text(to: exp.DataType) -> str:
    if to.this == exp.DType.ARRAY and to.expressions:
        return f"{type_text(to.expressions[0])}[]"
    if to.this == exp.DType.MAP and to.expressions:
        return f"MAP({', '.join(type_text(part) for part in to.expressions)})"
    if to.this == exp.DType.STRUCT and all(isinstance(field, exp.ColumnDef) for field in to.expressions):
        fields = (
            f"{exp.to_identifier(field.name, quoted=True).sql('duckdb')} {type_text(field.args['kind'])}"
            for field in to.expressions
        )
        return f"STRUCT({', '.join(fields)})"
    name = to.this.value if isinstance(to.this, exp.DType) else str(to.this)
    raise unsupported(f"the type {name}", to.parent or to, "See the list of types in docs/reference/sql-functions.md.")
