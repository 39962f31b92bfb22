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
    if isinstance(node, exp.Paren | exp.Alias):
        return kind_of(node.this)
    if isinstance(node, exp.Cast):  # TRY_CAST too
        return _of_data_type(node.to)
    if isinstance(node, exp.Anonymous):
        return _of_call(node)
    return _of_syntax(node)


def _of_syntax(node: exp.Expr) -> str:
    if isinstance(node, exp.CurrentDate):
        return "date"
    if isinstance(node, exp.CurrentTimestamp | exp.AtTimeZone):
        return "timestamptz"
    if isinstance(node, exp.Literal):
        return (
            "varchar"
            if node.is_string
            else "bigint"
            if node.is_int
            else "double"
            if "e" in node.name.lower()
            else "decimal"
        )
    if isinstance(node, exp.HexString):
        return "varbinary"
    if isinstance(node, exp.ParseJSON):
        return "json"
    if isinstance(node, exp.DPipe | exp.Mul):
        return _common(kind_of(node.this), kind_of(node.expression))
    if isinstance(node, exp.Interval):
        return "interval"
    if isinstance(node, exp.Array):
        return "array"
    if isinstance(node, exp.If):
        return kind_of(node.args.get("true"))
    if isinstance(node, exp.Case):
        return next((kind for branch in node.args["ifs"] if (kind := kind_of(branch.args["true"]))), "")
    if isinstance(node, exp.Filter | exp.Window):
        return kind_of(node.this)
    if isinstance(node, exp.Add | exp.Sub):
        left, right = kind_of(node.this), kind_of(node.expression)
        return left if right in {"", "interval"} else right if left == "interval" else ""
    return ""


def _common(left: str, right: str) -> str:
    """Give the kind of ``||`` and ``*``: an array or interval with something else stays what it is."""
    for kind in ("array", "interval"):
        if kind in {left, right}:
            return kind
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
