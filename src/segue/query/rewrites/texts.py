"""Text: concatenation, trimming, regular expressions, format()."""

from __future__ import annotations

import re
from functools import reduce

from sqlglot import exp

from segue.query.kinds import kind_of
from segue.query.place import Refusal
from segue.query.rewrites.build import call, cast, literal, unsupported

_DIRECTIVE = re.compile(r"%(?:(?P<index>\d+)\$)?(?P<flags>[-,0+ ]*)(?P<width>\d+)?(?:\.(?P<digits>\d+))?(?P<kind>.)")

_BINARY = frozenset({"varbinary", "blob"})
_FLAGS = {"s": {"-"}, "d": {"-", "0", ","}, "f": {"-", "0", ","}}
"""The directives of a format and the flags that each may have."""


def concat(node: exp.Expr) -> exp.Expr:
    """``concat`` is ``||``: NULL makes NULL, where the engine's own concat leaves it out."""
    joined = reduce(lambda left, right: exp.DPipe(this=left, expression=right.copy()), node.expressions)
    return exp.Paren(this=joined.copy())


def concat_ws(node: exp.Expr) -> exp.Expr | None:
    """An array as the only value is joined element by element."""
    separator, *values = node.expressions
    if len(values) == 1 and kind_of(values[0]) == "array":
        return call("trino_array_join", values[0], separator)
    return None


def length(node: exp.Expr) -> exp.Expr | None:
    """Binary is measured in bytes."""
    return call("octet_length", *node.expressions) if kind_of(node.expressions[0]) in _BINARY else None


def reverse(node: exp.Expr) -> exp.Expr | None:
    """Arrays have a function of their own on the engine."""
    return call("list_reverse", *node.expressions) if kind_of(node.expressions[0]) == "array" else None


def trim(node: exp.Expr) -> exp.Expr:
    """Give TRIM with its side and characters."""
    side = {"LEADING": "ltrim", "TRAILING": "rtrim"}.get(node.text("position").upper(), "trim")
    characters = node.args.get("expression")
    return call(side, node.this, characters) if characters is not None else call(f"trino_{side}", node.this)


def position(node: exp.Expr) -> exp.Expr:
    """Give POSITION(a IN b)."""
    return call("instr", node.this, node.args["substr"])


def substring(node: exp.Expr) -> exp.Expr:
    """Give SUBSTRING(a FROM b FOR c)."""
    rest = [node.args[name] for name in ("start", "length") if node.args.get(name) is not None]
    return call("trino_substring", node.this, *rest)


def overlay(node: exp.Expr) -> exp.Expr:
    """Give OVERLAY(a PLACING b FROM c FOR d)."""
    replacement = node.args["expression"]
    size = node.args.get("for_")
    return call(
        "trino_overlay",
        node.this,
        replacement,
        node.args["from_"],
        size if size is not None else call("length", replacement),
    )


def normalize(node: exp.Expr) -> exp.Expr:
    """Only NFC is known to the engine."""
    if node.text("form").upper() not in {"", "NFC"}:
        raise unsupported("a form other than NFC", node)
    return call("nfc_normalize", node.this)


def listagg(node: exp.Expr) -> exp.Expr:
    """Give LISTAGG ... WITHIN GROUP (ORDER BY ...)."""
    if not isinstance(node.this, exp.Order):
        raise Refusal("listagg needs WITHIN GROUP (ORDER BY ...)", node, code="syntax")
    separator = node.args.get("separator") or exp.Literal.string("")
    order = node.this.copy()
    value = order.this.copy()
    order.set("this", separator.copy())
    return call("string_agg", value, order)


def regexp_replace(node: exp.Expr) -> exp.Expr:
    """Write Java's ``$1`` as RE2's ``\\1``."""
    text, pattern, *rest = node.expressions
    replacement = _replacement(literal(rest[0], "a replacement", node), rest[0]) if rest else ""
    return call("regexp_replace", text, pattern, replacement, "g")


def _replacement(java: str, node: exp.Expr) -> str:
    result, position = "", 0
    while position < len(java):
        letter, following = java[position], java[position + 1 : position + 2]
        if letter == "\\" and following:
            result += "\\\\" if following == "\\" else following
            position += 2
        elif letter == "$":
            if not following.isdigit() or java[position + 2 : position + 3].isdigit():
                raise unsupported("a group other than $0 to $9 in a replacement", node)
            result += f"\\{following}"
            position += 2
        else:
            result += letter
            position += 1
    return result


def format_text(node: exp.Expr) -> exp.Expr:
    """Give Java's format() as a chain of ``||``, one part for each directive."""
    first, *arguments = node.expressions
    pattern = literal(first, "a format", node)
    parts: list[exp.Expr] = []
    end = ordinary = 0
    for directive in _DIRECTIVE.finditer(pattern):
        parts.append(exp.Literal.string(pattern[end : directive.start()]))
        end = directive.end()
        if directive["kind"] in "%n":
            parts.append(exp.Literal.string("%" if directive["kind"] == "%" else "\n"))
            continue
        index = int(directive["index"]) - 1 if directive["index"] else ordinary
        ordinary += not directive["index"]
        if not 0 <= index < len(arguments):
            raise Refusal("the format names more values than there are", first, code="function_arguments")
        parts.append(_formatted(directive, arguments[index], first))
    parts.append(exp.Literal.string(pattern[end:]))
    kept = [part for part in parts if not (isinstance(part, exp.Literal) and not part.this)]
    whole = reduce(lambda left, right: exp.DPipe(this=left, expression=right), kept or [exp.Literal.string("")])
    return exp.Paren(this=whole)


def _formatted(directive: re.Match[str], value: exp.Expr, near: exp.Expr) -> exp.Expr:
    flags, kind = set(directive["flags"]), directive["kind"]
    misplaced = (directive["digits"] and kind != "f") or (flags & {"-", "0"} and not directive["width"])
    if kind not in _FLAGS or flags - _FLAGS[kind] or {"-", "0"} <= flags or misplaced:
        raise unsupported(f"{directive.group()} in a format", near)
    if kind == "s":
        text: exp.Expr = call("trino_format_text", value)
    elif kind == "d":
        number = call("trino_format_integer", value)
        text = call("format", "{:,}", number) if "," in flags else cast(number, "VARCHAR")
    else:
        digits = int(directive["digits"] or 6)
        text = call("trino_decimal_text", value, exp.convert(digits), exp.convert("," in flags))
    # As in Java, the word null stands for NULL.
    return _padded(call("coalesce", text, "null"), flags, int(directive["width"] or 0))


def _padded(text: exp.Expr, flags: set[str], width: int) -> exp.Expr:
    if not width:
        return text
    if "0" in flags:
        return call("trino_zeros", text, width)
    return call("trino_pad_right" if "-" in flags else "trino_pad_left", text, width)
