"""Make one entry of the published list from its signature."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from segue.query.values import Case, Function

PAGES = "https://trino.io/docs/current/functions/"
EXAMPLE = "the page's example"
DEFINITION = "follows from the page's definition"

Golden = tuple[str, object] | tuple[str, object, str]
"""sql, expected and why (``DEFINITION`` where it is left out): see ``Case``."""


def category(name: str, page: str) -> Callable[..., Function]:
    """Give the maker of a category's entries; page: its page in Trino's documentation."""
    return partial(_function, name, page)


def _function(
    category: str,
    page: str,
    signature: str,
    *cases: Golden,
    engine: str | None = None,
    macros: tuple[str, ...] | str = (),
    note: str = "",
    special: bool = False,
) -> Function:
    """Make an entry.

    engine: the engine's name for it, None where that is Trino's; macros take its place; special: it is no plain
    call, a rewrite or the grammar makes it.
    """
    name = signature.partition(" ->")[0].split("(")[0].strip()
    texts = (macros,) if isinstance(macros, str) else macros
    arguments = _arguments(signature)
    optional = sum(1 for _, is_optional in arguments if is_optional)
    variadic = any(text == "..." for text, _ in arguments)
    return Function(
        name=name,
        category=category,
        signature=signature,
        returns=_returns(signature),
        arity=(len(arguments) - optional, None if variadic else len(arguments)),
        lambdas=tuple(text.count(",") if text.startswith("function(") else None for text, _ in arguments),
        engine=f"trino_{name}" if texts else name if engine is None else engine,
        macros=texts,
        special=special,
        note=note,
        cases=tuple(_case(f"{PAGES}{page}.html#{name}", case) for case in cases),
    )


def _case(source: str, case: Golden) -> Case:
    sql, expected, *why = case
    return Case(sql=sql, expected=expected, source=f"{source}: {why[0] if why else DEFINITION}")


def _returns(signature: str) -> str:
    text = signature.rpartition("->")[2].strip()
    if text == "same as input":
        return "same"
    if "with time zone" in text:
        return "timestamptz"
    return "" if text.isupper() else text.split("(")[0]


def _arguments(signature: str) -> list[tuple[str, bool]]:
    """Split the arguments, each with whether it may be left out: it stands in square brackets, or is ``...``."""
    if "(" not in signature.rpartition("->")[0]:
        return []
    inside = signature[signature.index("(") + 1 : signature.rpartition("->")[0].rindex(")")]
    arguments: list[tuple[str, bool]] = []
    depth = brackets = 0
    text = ""
    optional = False
    for letter in f"{inside},":
        if letter == "," and depth == 0:
            if text.strip():
                arguments.append((text.strip(), optional or text.strip() == "..."))
            text, optional = "", brackets > 0
            continue
        depth += (letter == "(") - (letter == ")")
        brackets += (letter == "[") - (letter == "]")
        optional = optional or (letter == "[" and not text.strip())
        text += "" if letter in "[]" else letter
    return arguments
