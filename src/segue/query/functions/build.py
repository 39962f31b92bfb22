"""Make one entry of the published list from its signature."""

from __future__ import annotations

from segue.query.values import Case, Function

Golden = tuple[str, object, str]
"""sql, expected, source: see ``Case``."""


def function(
    category: str,
    signature: str,
    *cases: Golden,
    engine: str | None = None,
    macros: tuple[str, ...] | str = (),
    note: str = "",
    aggregate: bool = False,
) -> Function:
    """Make an entry. engine: the engine's name for it, None where that is Trino's; macros take its place."""
    name = signature.split("(")[0]
    texts = (macros,) if isinstance(macros, str) else macros
    return Function(
        name=name,
        category=category,
        signature=signature,
        returns=_returns(signature),
        arity=_arity(signature),
        engine=f"trino_{name}" if texts else name if engine is None else engine,
        macros=texts,
        note=note,
        aggregate=aggregate,
        cases=tuple(Case(sql=sql, expected=expected, source=source) for sql, expected, source in cases),
    )


def _returns(signature: str) -> str:
    text = signature.rpartition("->")[2].strip()
    if text == "same as input":
        return "same"
    if "with time zone" in text:
        return "timestamptz"
    return "" if text.isupper() else text.split("(")[0]


def _arity(signature: str) -> tuple[int, int | None]:
    """Count the arguments: what stands in square brackets is optional, ``...`` has no limit."""
    inside = signature[signature.index("(") + 1 : signature.rpartition("->")[0].rindex(")")]
    if not inside:
        return 0, 0
    depth = brackets = 0
    optional = [inside.startswith("[")]
    for letter in inside:
        depth += (letter == "(") - (letter == ")")
        brackets += (letter == "[") - (letter == "]")
        if letter == "," and depth == 0:
            optional.append(brackets > 0)
    fewest = optional.count(False) - ("..." in inside)
    return fewest, None if "..." in inside else len(optional)
