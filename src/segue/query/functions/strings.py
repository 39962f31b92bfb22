"""String functions."""

from __future__ import annotations

from functools import partial

from segue.query.functions.build import function

_f = partial(function, "String")
STRINGS = (
    _f("lower(string) -> varchar", ("lower('SQL')", "sql", "string.html: lower")),
    _f("upper(string) -> varchar", ("upper('sql')", "SQL", "string.html: upper")),
)
