"""Who is at what: two people who edit one thing learn of each other."""

from __future__ import annotations

from collections.abc import Callable


class Presence:
    """Things, and the windows in which they are open. All of it is called from the server's one event loop."""

    def __init__(self) -> None:
        self._windows: dict[str, dict[str, tuple[str, Callable[[], None]]]] = {}

    def enter(self, thing: str, window: str, name: str, changed: Callable[[], None]) -> None:
        """A window opens a thing. changed: called when others come or go."""
        self._windows.setdefault(thing, {})[window] = (name, changed)
        self._tell(thing)

    def leave(self, thing: str, window: str) -> None:
        """The window is closed."""
        windows = self._windows.get(thing, {})
        windows.pop(window, None)
        if not windows:
            self._windows.pop(thing, None)
        self._tell(thing)

    def others(self, thing: str, window: str) -> tuple[str, ...]:
        """The names behind the other windows, those first that were there first."""
        return tuple(name for id_, (name, _) in self._windows.get(thing, {}).items() if id_ != window)

    def _tell(self, thing: str) -> None:
        for _, changed in list(self._windows.get(thing, {}).values()):
            changed()


PRESENCE = Presence()
"""Of this process, which serves every page."""
