"""Small makers of the engine's expressions."""

from __future__ import annotations

from sqlglot import exp

from segue.query.place import Refusal


def call(name: str, *arguments: exp.Expr | str | int) -> exp.Anonymous:
    """Give a call of the engine's function or macro; Python values become literals."""
    return exp.Anonymous(this=name, expressions=[_expression(argument) for argument in arguments])


def _expression(argument: exp.Expr | str | int) -> exp.Expr:
    if isinstance(argument, exp.Expr):
        return argument.copy()
    return exp.Literal.string(argument) if isinstance(argument, str) else exp.convert(argument)


def cast(value: exp.Expr, type_: str) -> exp.Expr:
    """Give the engine's own cast; the type is the engine's text."""
    to = exp.DataType(this=exp.DType.USERDEFINED, kind=type_)
    return exp.Cast(this=value.copy(), to=to)


def literal(node: exp.Expr | None, what: str, near: exp.Expr) -> str:
    """Give the text of a literal; refuse anything else, since it must be known before the query runs."""
    if isinstance(node, exp.Literal) and node.is_string:
        return str(node.this)
    raise unsupported(f"{what} that is no literal", node if node is not None else near)


def unsupported(what: str, node: exp.Expr, *steps: str) -> Refusal:
    """Give the refusal of what the engine cannot do as Trino does."""
    return Refusal(f"{what} is not supported", node, code="unsupported_syntax", steps=steps)


def outermost(node: exp.Expr) -> exp.Expr:
    """Give an aggregate call together with its FILTER and OVER."""
    while isinstance(node.parent, exp.Filter | exp.Window | exp.IgnoreNulls | exp.RespectNulls) and (
        node.parent.this is node
    ):
        node = node.parent
    return node
