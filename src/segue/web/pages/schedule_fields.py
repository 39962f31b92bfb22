"""The fields of a schedule: cron, time zone, and what both mean in words while they are typed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import available_timezones

from nicegui import ui

from segue.catalog.base import now
from segue.scheduling.overview import Schedule, schedule_of
from segue.services.time_zone import time_zone
from segue.settings import parse_duration
from segue.web.components.fields import choice_field, needed, text_field
from segue.web.components.parts import part
from segue.web.visit import Visit

_BROWSER_ZONE = "Intl.DateTimeFormat().resolvedOptions().timeZone"
_NEAREST = "UTC"


async def zone_of(visit: Visit) -> str:
    """The time zone of whoever looks: the one that they chose, else the browser's, where it is one that we know."""
    chosen = await visit.call(time_zone, visit.workspace)
    if chosen is not None:
        return chosen
    try:
        zone = str(await ui.run_javascript(f"return {_BROWSER_ZONE}", timeout=2))
    except TimeoutError:
        return _NEAREST
    return zone if zone in available_timezones() else _NEAREST


def local_time(moment: datetime) -> str:
    """A moment as the clocks of its own zone show it: ``Thu 26 Nov 2026, 06:00``."""
    return f"{moment:%a} {moment.day} {moment:%b %Y, %H:%M}"


class ScheduleFields:
    """Cron and time zone. offset: gives what is put in as the wait between a time and the start."""

    def __init__(
        self, visit: Visit, schedule: Mapping[str, Any], *, zone: str, offset: Callable[[], str] = lambda: ""
    ) -> None:
        self._visit = visit
        self._offset = offset
        self._cron = text_field(
            "Schedule (cron)",
            value=str(schedule.get("cron", "")),
            hint="Minute, hour, day of the month, month, weekday. 0 6 * * 1 is every Monday at 6.",
        )
        # What the server answers comes while somebody goes on typing, and would undo it: it is asked after a pause.
        self._cron.props["debounce"] = 400
        self._zone = choice_field("Time zone", sorted(available_timezones()), value=schedule.get("timezone", zone))
        self._words = part("div", "schedule-words", role="status")
        for field in (self._cron, self._zone):
            field.on_value_change(self.tell)

    async def tell(self) -> Schedule | None:
        """Show what the schedule means; None where it is none, which the field then says."""
        cron, zone = str(self._cron.value or "").strip(), str(self._zone.value or "")
        self._words.clear()
        if not cron or not zone:
            return None
        try:
            schedule = await self._visit.call(schedule_of, cron, zone, now=now(), offset=_seconds(self._offset()))
        except ValueError as error:
            # Beside the field: a complaint at it would send it anew, and undo what is typed meanwhile.
            self._words.clear()
            with self._words:
                part("span", "wrong", text=f"{str(error)[:1].upper()}{str(error)[1:]}.")
            return None
        self._words.clear()
        with self._words:
            part("strong", text=f"{schedule.words} ({zone})")
            part("span", "muted", text="The next times:")
            with part("ol"):
                for time in schedule.coming:
                    part("li", text=local_time(time))
        return schedule

    async def given(self) -> dict[str, Any] | None:
        """The schedule; None where a field is wrong, which then says so."""
        if not needed(self._cron) or not needed(self._zone) or await self.tell() is None:
            return None
        return {"cron": str(self._cron.value).strip(), "timezone": str(self._zone.value)}


def _seconds(offset: str) -> float:
    """What is no duration, or none yet, counts nothing: whoever saves it says so."""
    try:
        return parse_duration(offset)
    except ValueError:
        return 0.0
