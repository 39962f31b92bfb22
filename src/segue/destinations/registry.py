"""Destination plug-ins, found by the entry point group ``segue.destinations``."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from segue.destinations.contract import Plugin
from segue.errors import ConfigError

GROUP = "segue.destinations"
DEFAULT_PLUGIN = "klaviyo"
"""The one that is meant while no destination is configured."""


@cache
def known_plugins() -> Mapping[str, EntryPoint]:
    """Name -> entry point of all that is installed. Looked up once a process: reading what every distribution offers takes
    longer than most of what a run asks of its database."""
    return {entry.name: entry for entry in entry_points(group=GROUP)}


def find_plugin(name: str) -> Plugin:
    """The plug-in of this name. Raises ConfigError when there is none, or when it cannot be loaded."""
    known = known_plugins()
    if name in known:
        return _load(known[name])
    raise ConfigError(
        f'There is no destination plug-in "{name}".',
        code="unknown_plugin",
        steps=(f"Use one of: {', '.join(sorted(known))}.",),
    )


def loadable_plugins() -> tuple[Plugin, ...]:
    """Every plug-in that can be loaded, by name. A broken one is left out: what uses it says why."""
    found = []
    for _, entry in sorted(known_plugins().items()):
        try:
            found.append(_load(entry))
        except ConfigError:
            continue
    return tuple(found)


def _load(entry: EntryPoint) -> Plugin:
    try:
        plugin = entry.load()
    except Exception as error:
        raise ConfigError(
            f'The destination plug-in "{entry.name}" cannot be loaded.',
            code="broken_plugin",
            cause=f"{entry.value}: {type(error).__name__}",
            steps=("Install a version that fits this Segue, or remove it.",),
        ) from error
    if not isinstance(plugin, Plugin):
        raise ConfigError(f'"{entry.value}" is no destination plug-in.', code="broken_plugin")
    return plugin
