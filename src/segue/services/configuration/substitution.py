"""``${NAME}`` and ``${NAME:-default}`` in the texts of a configuration."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_REFERENCE = re.compile(r"\$\$\{|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}|\$\{")


@dataclass(frozen=True, slots=True, kw_only=True)
class Substitution:
    """A text after substitution.

    text: the result; unset: variables that have neither a value nor a default; used: whether a variable was
    named; malformed: whether a ``${`` starts no reference.
    """

    text: str
    unset: tuple[str, ...]
    used: bool
    malformed: bool


def substitute(text: str, environ: Mapping[str, str]) -> Substitution:
    """Replace references by the values in environ; as in a shell, a default also replaces an empty value."""
    unset: list[str] = []
    used = malformed = False

    def value(match: re.Match[str]) -> str:
        nonlocal used, malformed
        if match[0] == "$${":
            return "${"
        name, default = match["name"], match["default"]
        if name is None:
            malformed = True
            return match[0]
        used = True
        found = environ.get(name)
        if default is not None:
            return found or default
        if found is None:
            unset.append(name)
        return found or ""

    result = _REFERENCE.sub(value, text)
    return Substitution(text=result, unset=tuple(unset), used=used, malformed=malformed)


def escape(text: str) -> str:
    """The text that ``substitute`` turns back into this one."""
    return text.replace("${", "$${")
