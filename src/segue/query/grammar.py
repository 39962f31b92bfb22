"""The syntax that a query may use, as a list: whatever is not on it is refused."""

from __future__ import annotations

import re

from sqlglot import exp

from segue.query.place import Refusal

_BINARY = "this expression"
_ARGUMENTS: dict[type[exp.Expr], str] = {
    # queries
    exp.Select: "with_ expressions distinct from_ joins where group having windows order limit offset",
    exp.With: "expressions recursive",
    exp.CTE: "this alias",
    exp.Union: "with_ this expression distinct order limit offset",
    exp.Intersect: "with_ this expression distinct order limit offset",
    exp.Except: "with_ this expression distinct order limit offset",
    exp.Subquery: "with_ this alias order limit offset",
    exp.Values: "expressions alias order limit offset",
    exp.From: "this",
    exp.Join: "this side kind on using",
    exp.Table: "this alias",
    exp.TableAlias: "this columns",
    exp.Unnest: "expressions alias offset",
    exp.Lateral: "this alias",
    exp.Where: "this",
    exp.Group: "expressions",
    exp.GroupingSets: "expressions",
    exp.Cube: "expressions",
    exp.Rollup: "expressions",
    exp.Having: "this",
    exp.Order: "this expressions",
    exp.Ordered: "this desc nulls_first",
    exp.Limit: "expression",
    exp.Fetch: "direction count limit_options",
    exp.LimitOptions: "rows",
    exp.Offset: "expression",
    exp.Distinct: "expressions",
    # names and literals
    exp.Identifier: "this quoted",
    exp.Column: "this table db catalog",
    exp.Dot: _BINARY,
    exp.Star: "",
    exp.Alias: "this alias",
    exp.Literal: "this is_string",
    exp.UnicodeString: "this escape",
    exp.HexString: "this",
    exp.Boolean: "this",
    exp.Null: "",
    exp.Interval: "this unit",
    exp.Var: "this",
    exp.CurrentDate: "",
    exp.CurrentTimestamp: "",
    exp.Localtimestamp: "",
    # operators
    **dict.fromkeys(
        (exp.Add, exp.Sub, exp.Mul, exp.Mod, exp.And, exp.Or, exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT),
        _BINARY,
    ),
    **dict.fromkeys((exp.GTE, exp.Is, exp.Like, exp.Escape, exp.NullSafeEQ, exp.NullSafeNEQ), _BINARY),
    exp.DPipe: _BINARY,
    exp.Div: "this expression typed safe",
    exp.Neg: "this",
    exp.Not: "this",
    exp.Paren: "this",
    exp.Between: "this low high",
    exp.In: "this expressions query",
    exp.Exists: "this",
    exp.Any: "this",
    exp.All: "this",
    exp.AtTimeZone: "this zone",
    exp.Bracket: "this expressions",
    exp.Array: "expressions",
    exp.Tuple: "expressions",
    exp.Lambda: "this expressions",
    # conditions, conversions, calls
    exp.Case: "this ifs default",
    exp.If: "this true false",
    exp.Cast: "this to",
    exp.TryCast: "this to safe",
    exp.DataType: "this expressions nested",
    exp.DataTypeParam: "this",
    exp.ColumnDef: "this kind",
    exp.Anonymous: "this expressions",
    exp.ParseJSON: "this is_literal",
    exp.Extract: "this expression",
    exp.Trim: "this expression position",
    exp.StrPosition: "this substr",
    exp.Substring: "this start length",
    exp.Overlay: "this expression from_ for_",
    exp.Normalize: "this form",
    exp.GroupConcat: "this separator",
    exp.Filter: _BINARY,
    exp.Window: "this partition_by order spec alias over first",
    exp.WindowSpec: "kind start start_side end end_side",
    exp.IgnoreNulls: "this",
    exp.RespectNulls: "this",
}
"""Each kind of syntax with the arguments it may have."""

_SYNTAX = {kind: frozenset(arguments.split()) for kind, arguments in _ARGUMENTS.items()}

_WORDS = {
    "into": "INTO",
    "locks": "FOR UPDATE",
    "sample": "TABLESAMPLE",
    "qualify": "QUALIFY",
    "method": "this kind of join",
    "laterals": "LATERAL VIEW",
    "pivots": "PIVOT",
    "when": "FOR TIMESTAMP AS OF",
    "version": "FOR VERSION AS OF",
    "except_": "EXCEPT in a star",
    "replace": "REPLACE in a star",
    "db": "a schema before a table name",
    "catalog": "a catalog before a table name",
    "on": "DISTINCT ON",
    "by_name": "BY NAME",
    "operation": "DISTINCT ON",
    "with_ties": "WITH TIES",
    "percent": "PERCENT",
}
_WRITTEN_PLAIN: dict[type[exp.Expr], re.Pattern[str]] = {
    exp.Var: re.compile("[A-Za-z_]+"),
    exp.Literal: re.compile(r"(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII),
    exp.HexString: re.compile("([0-9A-Fa-f]{2})*"),
}
_INTERVALS = frozenset({"SECOND", "MINUTE", "HOUR", "DAY", "WEEK", "MONTH", "YEAR"})
_JOINS = frozenset({"", "INNER", "CROSS", "OUTER"})
_SIDES = frozenset({"", "LEFT", "RIGHT", "FULL"})
_QUALIFIED = ("Write the table's name alone: a query sees the tables of its own database only.",)


def check(query: exp.Query) -> None:
    """Refuse any syntax that is not on the list, with the code ``unsupported_syntax``."""
    for node in query.walk():
        allowed = _SYNTAX.get(type(node))
        if allowed is None:
            raise _unsupported(_words(type(node).__name__), node)
        for argument, value in node.args.items():
            if argument not in allowed and value not in (None, False, [], ""):
                qualified = isinstance(node, exp.Table) and argument in {"db", "catalog"}
                steps = _QUALIFIED if qualified else ()
                raise _unsupported(_WORDS.get(argument, f"this form of {_words(type(node).__name__)}"), node, steps)
        _check_shape(node)


def _check_shape(node: exp.Expr) -> None:
    _check_text(node)
    if isinstance(node, exp.Join):
        _check_join(node)
    elif isinstance(node, exp.Table) and not isinstance(node.this, exp.Identifier):
        raise Refusal(
            "a table function cannot be read",
            node,
            code="unsupported_syntax",
            steps=("Read a table of the database, UNNEST(...) or (VALUES ...).",),
        )
    elif isinstance(node, exp.Dot) and not isinstance(node.expression, exp.Identifier):
        raise _unsupported("a function of another schema", node)
    elif isinstance(node, exp.Interval):
        _check_interval(node)
    elif isinstance(node, exp.DataTypeParam) and not (isinstance(node.this, exp.Literal) and node.this.is_int):
        raise _unsupported("a type with a size that is no number", node)
    elif isinstance(node, exp.Window) and node.text("over").upper() not in {"", "OVER"}:
        raise _unsupported("this kind of window", node)


def _check_text(node: exp.Expr) -> None:
    """Refuse text that would be written without quotes and is not what its kind says: a word, a number, digits."""
    pattern = _WRITTEN_PLAIN.get(type(node))
    is_text = isinstance(node, exp.Literal) and node.is_string
    if pattern is not None and not is_text and not pattern.fullmatch(node.name):
        raise Refusal("this word, number or binary text cannot be read", node, code="syntax")


def _check_interval(node: exp.Interval) -> None:
    if not isinstance(node.this, exp.Literal):
        raise _unsupported("INTERVAL without a quoted number", node)
    if node.text("unit").upper() not in _INTERVALS:
        raise _unsupported("this unit of an INTERVAL", node)


def _check_join(node: exp.Join) -> None:
    side, kind = node.text("side").upper(), node.text("kind").upper()
    if kind not in _JOINS or side not in _SIDES:
        raise _unsupported(f"{side} {kind} JOIN".strip(), node)
    conditional = bool(node.args.get("on") or node.args.get("using"))
    if side and not conditional:
        raise Refusal(f"{side} JOIN needs ON or USING", node, code="syntax")


def _unsupported(what: str, node: exp.Expr, steps: tuple[str, ...] = ()) -> Refusal:
    return Refusal(f"{what} is not supported", node, code="unsupported_syntax", steps=steps)


def _words(name: str) -> str:
    """Give the parser's class name as words: ``TableSample`` becomes ``TABLE SAMPLE``."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).upper()
