"""The configuration reference, made from the models.

``python -m segue.services.configuration.reference > docs/reference/configuration.md`` writes it.
"""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import fields
from itertools import pairwise
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic.fields import FieldInfo

from segue.security import Secret
from segue.services.configuration.entries import (
    KINDS,
    DataTemplateEntry,
    Entry,
    GroupEntry,
    MemberEntry,
    ScheduleEntry,
)
from segue.services.configuration.retention import KEY, RetentionEntry
from segue.settings import Settings
from segue.template import TemplateSettings

_HEAD = """\
# Configuration reference

<!-- Made by `python -m segue.services.configuration.reference`; a test compares the two. -->

Segue takes two kinds of configuration: environment variables for the process, and YAML files for what it does.
`segue apply FILE...` makes the workspace say what the files say; `segue export` writes the files back.
How to use them: [Configure Segue](../how-to/configure.md).

## Environment variables

An empty variable counts as not set. A value that makes no sense ends the command with exit code 2.

"""
_FILE = """\
## Files

A file starts with `version: 1`. Each other key but `retention` holds a list of items; each item has a `name` that is unique among
its kind. Names may be used in any order and across files; what is not in the files may be in the workspace already.

In every text `${NAME}` stands for an environment variable and `${NAME:-default}` for one with a default, which also
replaces an empty value. Write `$${` for the two characters `${`. A variable that is not set is a mistake, except in
`api_key` of a credential that the workspace holds already: its key stays as it is.

"""
_TEMPLATE = """\
They stand beside `name` and `destination`. An orchestration may set any of them for itself under `settings:`.

"""
_RETENTION = """\
This key holds no list but the keys below. Where no file has it, `segue apply` leaves alone what is set, with `--prune` too.

"""
_DEFAULTS = {
    "home": "`./.segue`",
    "query_memory": "`1GB`",
    "query_seconds": "`30m`",
    "engine_memory": "`600MB`",
    "debug": "`0`",
    "traces": "not set",
    "rate_scale": "`1`",
    "keep_payloads": "`90d`",
    "keep_runs": "`365d`",
}


def reference() -> str:
    """The whole page, as Markdown."""
    parts = [_HEAD, _table(("Variable", "Default", "Meaning"), _variables()), _FILE]
    for kind, model in KINDS.items():
        parts += [f"### `{kind}`\n\n", f"{inspect.getdoc(model)}\n\n", _keys(model)]
        if model is DataTemplateEntry:
            parts += [
                "#### Settings of a data template\n\n",
                _TEMPLATE,
                _keys(TemplateSettings),
            ]
        if model is GroupEntry:
            parts += ["#### `schedule` of a group\n\n", _keys(ScheduleEntry)]
            parts += ["#### Each of the `members` of a group\n\n", _keys(MemberEntry)]
    parts += [f"### `{KEY}`\n\n", f"{inspect.getdoc(RetentionEntry)}\n\n", _RETENTION, _keys(RetentionEntry)]
    return "".join(parts).rstrip("\n") + "\n"


def _variables() -> Iterator[tuple[str, ...]]:
    documents = _docstrings(Settings)
    for field in fields(Settings):
        variable, _, meaning = documents[field.name].partition(": ")
        default = "not set" if field.default in (None, "", ()) else _DEFAULTS.get(field.name, f"`{field.default}`")
        yield f"`{variable}`", default, _sentence(meaning)


def _keys(model: type[Any]) -> str:
    documents: dict[str, str] = {}
    for base in reversed(model.__mro__):
        if base.__module__.startswith("segue."):
            documents |= _docstrings(base)
    own = set(TemplateSettings.model_fields) if model is DataTemplateEntry else set()
    # The name comes first, whatever the order of the base classes.
    names = sorted(
        (name for name in model.model_fields if name not in own), key=lambda name: name not in Entry.model_fields
    )
    rows = (
        (f"`{name}`", _takes(model.model_fields[name]), _default(model.model_fields[name]), documents[name])
        for name in names
    )
    return _table(("Key", "Takes", "Default", "Meaning"), rows)


def _takes(field: FieldInfo) -> str:
    annotation = field.annotation
    options = [option for option in get_args(annotation) if option is not NoneType]
    if get_origin(annotation) is Literal:
        return " or ".join(f"`{value}`" for value in get_args(annotation))
    if get_origin(annotation) is list:
        return "a list"
    kind = options[0] if NoneType in get_args(annotation) else annotation
    words: Mapping[Any, str] = {
        str: "text",
        bool: "`true` or `false`",
        int: "a whole number",
        float: "a number",
        Secret: "text",
    }
    return words.get(kind, "keys and values") + _bounds(field)


def _bounds(field: FieldInfo) -> str:
    low = next((item.ge for item in field.metadata if isinstance(item, Ge)), None)
    high = next((item.le for item in field.metadata if isinstance(item, Le)), None)
    if any(isinstance(item, Gt | Lt) for item in field.metadata):
        raise TypeError("the reference has no words for an open bound")
    if low is not None and high is not None:
        return f", {low} to {high}"
    return f", {low} or more" if low is not None else ""


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    if field.default in (None, "") or not isinstance(field.default, str | bool | int | float):
        return "not set"
    text = str(field.default).lower() if isinstance(field.default, bool) else str(field.default)
    return f"`{text}`"


def _docstrings(model: type[Any]) -> dict[str, str]:
    """Field name -> the text below it in the source of a class."""
    (body,) = ast.parse(textwrap.dedent(inspect.getsource(model))).body
    statements = body.body if isinstance(body, ast.ClassDef) else []
    found: dict[str, str] = {}
    for statement, following in pairwise(statements):
        if not isinstance(statement, ast.AnnAssign) or not isinstance(statement.target, ast.Name):
            continue
        if isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant):
            found[statement.target.id] = str(following.value.value).replace("``", "`").replace("None:", "not set:")
    return found


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _table(heads: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    lines = [heads, tuple("---" for _ in heads), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(reference())
