"""Destination plug-ins, found by the entry point group ``segue.destinations``."""

from __future__ import annotations

from importlib.metadata import entry_points

from segue.destinations.contract import Plugin
from segue.errors import ConfigError

GROUP = "segue.destinations"
DEFAULT_PLUGIN = "klaviyo"
"""The one that is meant while no destination is configured."""


def find_plugin(name: str) -> Plugin:
    """The plug-in of this name. Raises ConfigError when there is none, or when it cannot be loaded."""
    known = entry_points(group=GROUP)
    for entry in known:
        if entry.name == name:
            return _load(name)
    raise ConfigError(
        f'There is no destination plug-in "{name}".',
        code="unknown_plugin",
        steps=(f"Use one of: {', '.join(sorted(e.name for e in known))}.",),
    )


def loadable_plugins() -> tuple[Plugin, ...]:
    """Every plug-in that can be loaded, by name. A broken one is left out: what uses it says why."""
    found = []
    for name in sorted({entry.name for entry in entry_points(group=GROUP)}):
        try:
            found.append(_load(name))
        except ConfigError:
            continue
    return tuple(found)


def _load(name: str) -> Plugin:
    [entry] = entry_points(group=GROUP, name=name)
    try:
        plugin = entry.load()
    except Exception as error:
        raise ConfigError(
            f'The destination plug-in "{name}" cannot be loaded.',
            code="broken_plugin",
            cause=f"{entry.value}: {type(error).__name__}",
            steps=("Install a version that fits this Segue, or remove it.",),
        ) from error
    if not isinstance(plugin, Plugin):
        raise ConfigError(f'"{entry.value}" is no destination plug-in.', code="broken_plugin")
    return plugin
