"""The recent activity, beside every page: what happened, live; and word of what was started here."""

from __future__ import annotations

from nicegui import ui

from segue.alerts.activity import Kind, Line, mark_seen, recent_activity
from segue.web.components.banner import toast
from segue.web.components.icons import icon_button
from segue.web.components.looking import look_every
from segue.web.components.moment import Moment
from segue.web.components.parts import part
from segue.web.components.states import empty
from segue.web.components.status import status
from segue.web.visit import Visit

_EVERY = 3.0
"""Seconds between two looks."""
_SHOWN = 30
_TOASTS = {Kind.COMPLETED: "positive", Kind.WARNING: "warning", Kind.ERROR: "negative"}


class ActivityDrawer:
    """A button that tells how much is new, and the drawer that it opens."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self._lines: list[Line] = []
        self._told: set[int] | None = None
        with part("span", "bell"):
            self._button = icon_button("notifications", "Recent activity", on_click=self._toggle)
            self._button.props["aria-expanded"] = "false"
            self._count = part("span", "bell-count")
        self._count.set_visibility(False)
        self._drawer = part("aside", "drawer", aria_label="Recent activity", tabindex="-1")
        self._drawer.on("keydown.escape", self._close)
        self._drawer.set_visibility(False)
        with self._drawer:
            with part("div", "drawer-head"):
                part("h2", text="Recent activity")
                icon_button("close", "Close", on_click=self._close)
            self._list = part("ol", "activity")

    def watch(self) -> None:
        """Begin to look what happens."""
        look_every(_EVERY, self._look, at_once=True)

    async def _look(self) -> None:
        if self._visit.actor.policy is None:
            ui.navigate.reload()  # the session is over; the door asks who it is
            return
        lines = await self._visit.call(
            recent_activity, self._visit.workspace.catalog, reader=self._visit.actor.person, limit=_SHOWN
        )
        if lines == self._lines:
            return
        self._lines = lines
        self._tell(lines)
        unseen = sum(not line.seen for line in lines)
        self._count.set_visibility(unseen > 0)
        self._count.text = str(unseen)
        self._button.props["aria-label"] = f"Recent activity, {unseen} new"
        if self._drawer.visible:
            self._draw()

    def _tell(self, lines: list[Line]) -> None:
        """A short word about runs of this page that ended."""
        known = self._told or set()
        if self._told is not None:
            for line in lines:
                if line.id not in known and line.run_id in self._visit.started and line.kind in _TOASTS:
                    toast(line.text, _TOASTS[line.kind], "See the run", f"/workflows/{line.run_id}")
        self._told = {line.id for line in lines}

    async def _toggle(self) -> None:
        if self._drawer.visible:
            self._close()
            return
        self._drawer.set_visibility(True)
        self._button.props["aria-expanded"] = "true"
        self._draw()
        self._drawer.run_method("focus")
        unseen = [line.id for line in self._lines if not line.seen]
        await self._visit.call(mark_seen, self._visit.workspace.catalog, unseen, reader=self._visit.actor.person)

    def _close(self) -> None:
        self._drawer.set_visibility(False)
        self._button.props["aria-expanded"] = "false"
        self._button.run_method("focus")

    def _draw(self) -> None:
        self._list.clear()
        with self._list:
            for line in self._lines:
                with part("li", "activity-line"):
                    status(_WORDS[line.kind])
                    if line.run_id:
                        part("a", text=line.text, href=f"/workflows/{line.run_id}")
                    else:
                        part("span", text=line.text)
                    Moment(line.at)
        if not self._lines:
            with self._list, part("li"):
                empty("notifications_none", "Nothing yet", "Runs tell here how they went.")


_WORDS = {Kind.RUNNING: "running", Kind.COMPLETED: "completed", Kind.WARNING: "warning", Kind.ERROR: "error"}
