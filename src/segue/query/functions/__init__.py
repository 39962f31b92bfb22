"""The published list of functions, by category."""

from __future__ import annotations

from segue.query.functions import strings
from segue.query.values import Function

FUNCTIONS: tuple[Function, ...] = (*strings.STRINGS,)

BY_NAME: dict[str, Function] = {entry.name: entry for entry in FUNCTIONS}
