"""What is known of the type of an expression, where a rewrite depends on it.

A kind is ``date``, ``timestamp``, ``map``, ``array``, ``row``, ``interval`` and so on in lower case, or empty where
nothing is known. The engine finds every type for itself; kinds only choose between two forms of one expression.
"""

from __future__ import annotations

from sqlglot import exp

from segue.query.functions import BY_NAME

_SAME = "same"


def of_type(type_: str) -> str:
    """Give the kind of a type of the engine, such as ``MAP(VARCHAR, BIGINT)`` or ``INTEGER[]``."""
    text = type_.strip().lower()
    if text.endswith("]") or text.startswith("list("):
        return "array"
    head = text.split("(")[0].strip()
    return {"struct": "row", "timestamp with time zone": "timestamptz", "text": "varchar"}.get(head, head)


def kind_of(node: exp.Expr | None) -> str:
    """Give the kind of an expression whose columns are resolved."""
    if node is None:
        return ""
    if "kind" in node.meta:  # of a column, or of a part that a rewrite has put in place
        return str(node.meta["kind"])
    if isinstance(node, exp.Paren | exp.Alias | exp.Neg | exp.Filter | exp.Window):
        return kind_of(node.this)
    if isinstance(node, exp.Cast):  # TRY_CAST too
        return _of_data_type(node.to)
    if isinstance(node, exp.Anonymous):
        return _of_call(node)
    return _of_syntax(node)


_FIXED: dict[type[exp.Expr], str] = {
    exp.Array: "array",
    exp.AtTimeZone: "timestamptz",
    exp.CurrentDate: "date",
    exp.CurrentTimestamp: "timestamptz",
    exp.HexString: "varbinary",
    exp.Interval: "interval",
    exp.Localtimestamp: "timestamp",
    exp.ParseJSON: "json",
}


def _of_syntax(node: exp.Expr) -> str:
    if type(node) in _FIXED:
        return _FIXED[type(node)]
    if isinstance(node, exp.Literal):
        return _of_literal(node)
    if isinstance(node, exp.If):
        return kind_of(node.args.get("true"))
    if isinstance(node, exp.Case):
        return next((kind for branch in node.args["ifs"] if (kind := kind_of(branch.args["true"]))), "")
    if isinstance(node, exp.Add | exp.Sub | exp.DPipe | exp.Mul):
        return _of_operator(node, kind_of(node.this), kind_of(node.expression))
    return ""


def _of_literal(node: exp.Literal) -> str:
    if node.is_string:
        return "varchar"
    if node.is_int:
        return "bigint"
    return "double" if "e" in node.name.lower() else "decimal"


def _of_operator(node: exp.Expr, left: str, right: str) -> str:
    """A date moved by an interval is a date, two dates apart are an interval, an array and an element an array."""
    if isinstance(node, exp.Add | exp.Sub):
        if left == right == "date":
            return "interval"
        if "interval" in {left, right}:
            return right if left == "interval" else left
    elif "array" in {left, right}:
        return "array"
    elif "interval" in {left, right}:
        return "interval"
    return left if left == right else ""


def _of_data_type(to: exp.DataType) -> str:
    name = to.this.value.lower() if isinstance(to.this, exp.DType) else str(to.this).lower()
    return {"struct": "row", "text": "varchar"}.get(name, name)


def _of_call(node: exp.Anonymous) -> str:

    function = BY_NAME.get(node.name.lower())
    if function is None:
        return ""
    if function.returns == _SAME:
        return next((kind for argument in node.expressions if (kind := kind_of(argument))), "")
    return function.returns
