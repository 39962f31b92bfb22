"""Check every call against the published list."""

from __future__ import annotations

from sqlglot import exp

from segue.query.functions import BY_NAME
from segue.query.place import Refusal, nearest
from segue.query.values import Function

_SYNTAX_NAMES: dict[type[exp.Expr], str] = {
    exp.Cast: "cast",
    exp.TryCast: "try_cast",
    exp.Extract: "extract",
    exp.Trim: "trim",
    exp.StrPosition: "position",
    exp.Substring: "substring",
    exp.Overlay: "overlay",
    exp.Normalize: "normalize",
    exp.GroupConcat: "listagg",
    exp.CurrentDate: "current_date",
    exp.CurrentTimestamp: "current_timestamp",
    exp.Localtimestamp: "localtimestamp",
    exp.ParseJSON: "json_parse",
}


def check(query: exp.Query) -> tuple[str, ...]:
    """Refuse calls of functions that are not published; give the names of those that are, sorted.

    Raises Refusal with the code ``unsupported_function``, or ``function_arguments`` where their number is wrong.
    """
    used: set[str] = set()
    for node in query.walk():
        if isinstance(node, exp.Anonymous):
            used.add(_check_call(node).name)
        elif type(node) in _SYNTAX_NAMES:
            used.add(_SYNTAX_NAMES[type(node)])
        elif isinstance(node, exp.If) and not isinstance(node.parent, exp.Case):
            used.add("if")
    return tuple(sorted(used))


def _check_call(node: exp.Anonymous) -> Function:
    name = node.name
    function = BY_NAME.get(name.lower())
    if function is None:
        raise Refusal(
            f"the function '{name}' is not supported",
            node,
            code="unsupported_function",
            steps=(
                *nearest(name, list(BY_NAME)),
                "The supported functions are listed in docs/reference/sql-functions.md.",
            ),
        )
    fewest, most = function.arity
    given = len(node.expressions)
    if given < fewest or (most is not None and given > most):
        raise Refusal(
            f"'{name}' does not take {given} argument{'' if given == 1 else 's'}",
            node,
            code="function_arguments",
            steps=(f"Write it as {function.signature}.",),
        )
    _check_lambdas(node, function)
    return function


def _check_lambdas(node: exp.Anonymous, function: Function) -> None:
    """A lambda must stand where the signature has one, with as many parameters: the engine would number elements."""
    for position, argument in enumerate(node.expressions):
        wanted = function.lambdas[position] if position < len(function.lambdas) else None
        given = len(argument.expressions) if isinstance(argument, exp.Lambda) else None
        if given != wanted:
            raise Refusal(
                f"'{node.name}' takes no such argument {position + 1}",
                argument,
                code="function_arguments",
                steps=(f"Write it as {function.signature}.",),
            )
