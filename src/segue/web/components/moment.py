"""A moment, told in relation to now; its full form, in the zone of whoever looks, is its title."""

from __future__ import annotations

from datetime import datetime

from nicegui import ui


class Moment(ui.element, component="moment.js"):
    """A moment. None shows a dash."""

    def __init__(self, at: datetime | None) -> None:
        super().__init__()
        self._props["at"] = at.isoformat() if at is not None else None
