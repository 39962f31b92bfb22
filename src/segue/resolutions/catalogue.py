"""The catalogue of resolutions, read from ``catalogue.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from segue.resolutions.actions import Action

_FILE = Path(__file__).with_name("catalogue.toml")
UNFORESEEN = "unexpected"
"""The entry for codes that no entry names, such as those of a plug-in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """codes: the error codes that it serves; cause: in plain words; who: can put it right; steps: what that person does;
    actions: what Segue does then, the likeliest first; docs: the page below ``docs/``, with its anchor."""

    codes: tuple[str, ...]
    cause: str
    who: str
    steps: tuple[str, ...]
    actions: tuple[Action, ...]
    docs: str


@cache
def catalogue() -> tuple[Resolution, ...]:
    """Every entry, in the order of the file."""
    return tuple(
        Resolution(
            codes=tuple(entry["codes"]),
            cause=entry["cause"],
            who=entry["who"],
            steps=tuple(entry["steps"]),
            actions=tuple(map(Action, entry["actions"])),
            docs=entry.get("docs") or f"reference/resolutions.md#{entry['codes'][0]}",
        )
        for entry in tomllib.loads(_FILE.read_text(encoding="utf-8"))["resolution"]
    )


def resolution(code: str) -> Resolution:
    """The entry for an error code."""
    entries = _by_code()
    return entries.get(code) or entries[UNFORESEEN]


@cache
def _by_code() -> Mapping[str, Resolution]:
    return {code: entry for entry in catalogue() for code in entry.codes}
