"""The configuration of a workspace as YAML that ``apply`` reads back, without secrets."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from segue.services.configuration.documents import VERSION
from segue.services.configuration.entries import KINDS, SECRETS, DatabaseEntry, Entry
from segue.services.configuration.retention import KEY, read_retention
from segue.services.configuration.state import read_state
from segue.services.configuration.substitution import escape
from segue.services.workspace import Workspace


def export_yaml(workspace: Workspace, *, folder: Path | None = None) -> str:
    """The whole configuration, sorted by kind and name.

    folder: where the text will be saved; paths below it become relative to it, all others stay absolute.
    Each API key becomes a variable named after its credential. Applying the text where those variables are
    not set changes nothing.
    """
    with workspace.catalog.session(read_only=True) as session:
        state, retention = read_state(session, workspace.box), read_retention(session).document()
    variables = key_variables(state["credentials"])
    addresses = key_variables(state["alerts"], ending="_ALERT_URL")
    document: dict[str, Any] = {"version": VERSION}
    for kind in KINDS:
        items = [_item(entry, addresses if kind == "alerts" else variables, folder) for entry in state[kind].values()]
        if items:
            document[kind] = items
    if retention:
        document[KEY] = retention
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)


def key_variables(names: Iterable[str], *, ending: str = "_API_KEY") -> Mapping[str, str]:
    """Name -> the variable that holds its secret: ``Main account`` -> ``MAIN_ACCOUNT_API_KEY``."""
    variables: dict[str, str] = {}
    for name in sorted(names):
        word = re.sub(r"[^A-Z0-9]+", "_", name.upper()).strip("_")
        stem = f"_{word}" if word[:1].isdigit() else word or "SEGUE"
        variable, number = f"{stem}{ending}", 1
        while variable in variables.values():
            number += 1
            variable = f"{stem}_{number}{ending}"
        variables[name] = variable
    return variables


def _item(entry: Entry, variables: Mapping[str, str], folder: Path | None) -> dict[str, Any]:
    document = entry.document()
    if isinstance(entry, DatabaseEntry) and folder is not None:
        document |= _relative(document, folder)
    item: dict[str, Any] = _escaped(document)
    for kind, key in SECRETS.items():
        if isinstance(entry, KINDS[kind]):
            item[key] = _Quoted(f"${{{variables[entry.name]}}}")
    return item


def _relative(document: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    def below(text: str) -> str:
        inside = Path(text).is_relative_to(folder)
        return f"./{os.path.relpath(text, folder)}" if inside else text

    result: dict[str, Any] = {"path": below(document["path"])} if "path" in document else {}
    if "tables" in document:
        result["tables"] = {table: below(files) for table, files in document["tables"].items()}
    return result


def _escaped(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _escaped(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_escaped(item) for item in value]
    return escape(value) if isinstance(value, str) else value


class _Quoted(str):
    """Text that YAML shows in double quotes."""

    __slots__ = ()


class _Dumper(yaml.SafeDumper):
    """Writes long SQL as it was typed, and no aliases."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        super().increase_indent(flow, False)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    # YAML counts these as ends of lines: folded, blanks beside them would be lost.
    style = '"' if set(text) & set("\x85\u2028\u2029") else "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)
_Dumper.add_representer(
    _Quoted, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", str(text), style='"')
)
