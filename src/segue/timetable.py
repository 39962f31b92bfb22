"""Times at which something is due: a cron expression in a time zone.

A cron line names local times; the clocks of most places are put forward and back once a year. A local time that is passed over
counts at the next minute that exists, one that comes twice counts the first time. A line that names no hour (``*``) names
no local time either: it goes by elapsed time, so that a job of every ten minutes neither pauses nor bunches up.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from functools import cached_property
from itertools import islice, takewhile
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError

_MINUTE = timedelta(minutes=1)
_FIELDS = 5
_LOOK_BACK = tuple(timedelta(days=days) for days in (1, 32, 370, 1500))
"""Windows in which the latest time is looked for, the shortest first: a rare time is worth a slow look, a frequent one is not."""
_MOST_COUNTED = 1000


@dataclass(frozen=True, kw_only=True)
class Timetable:
    """cron: five fields; timezone: an IANA name. Both are valid: ``check_cron`` and ``check_timezone`` say so before."""

    cron: str
    timezone: str

    @cached_property
    def zone(self) -> ZoneInfo:
        """The time zone."""
        return ZoneInfo(self.timezone)

    @property
    def words(self) -> str:
        """The cron expression as people say it: ``At 06:00 every day``."""
        return str(CronSim(self.cron, datetime(2000, 1, 1)).explain())  # noqa: DTZ001 -- words need no moment

    def after(self, moment: datetime) -> Iterator[datetime]:
        """The times after a moment, in UTC, in order; it ends when cron finds none for years."""
        if self.cron.split()[1] == "*":
            yield from self._by_elapsed_time(moment)
        else:
            yield from self._by_local_time(moment)

    def between(self, start: datetime, end: datetime) -> Times:
        """The times after start and not after end: how many, the first and the latest."""
        first = next(self.after(start), None)
        if first is None or first > end:
            return Times(count=0, first=None, latest=None)
        count = sum(1 for _ in islice(takewhile(lambda time: time <= end, self.after(start)), _MOST_COUNTED))
        return Times(count=count, first=first, latest=self._latest(start, end))

    def _latest(self, start: datetime, end: datetime) -> datetime | None:
        for window in (*_LOOK_BACK, None):
            begin = start if window is None else max(start, end - window)
            found = deque(takewhile(lambda time: time <= end, self.after(begin)), maxlen=1)
            if found:
                return found[0]
        return None

    def _by_elapsed_time(self, moment: datetime) -> Iterator[datetime]:
        for local in CronSim(self.cron, moment.astimezone(self.zone)):
            yield local.astimezone(UTC)

    def _by_local_time(self, moment: datetime) -> Iterator[datetime]:
        """Cron counts on a clock that is never changed; each of its times is then looked up on the real one."""
        last = moment
        for local in CronSim(self.cron, moment.astimezone(self.zone).replace(tzinfo=None)):
            time = _first(local, self.zone)
            # Several times that are passed over meet at one minute, and after a repeated hour some are behind us.
            if time > last:
                last = time
                yield time


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """count: at most 1,000 are counted. first, latest: in UTC; None when there is none."""

    count: int
    first: datetime | None
    latest: datetime | None


def check_cron(text: str) -> str:
    """The expression itself. Raises ValueError with what is wrong: a field, their number, or times that never come."""
    fields = text.split()
    if len(fields) != _FIELDS:
        raise ValueError(f"takes five fields (minute, hour, day, month, weekday) such as 0 6 * * *, not {len(fields)}")
    try:
        next(CronSim(text, datetime(2000, 1, 1)))  # noqa: DTZ001 -- any moment shows whether there are times at all
    except CronSimError as error:
        raise ValueError(f"is not a cron expression: {str(error)[:1].lower()}{str(error)[1:]}") from None
    except StopIteration:
        raise ValueError("never comes: no day is like that") from None
    return text


def check_timezone(name: str) -> str:
    """The name itself. Raises ValueError, with the nearest name, when there is no such time zone."""
    known = available_timezones()
    if name not in known:
        by_fold = {zone.casefold(): zone for zone in known}
        near = get_close_matches(name.casefold(), by_fold, n=1, cutoff=0.6)
        meant = f'; did you mean "{by_fold[near[0]]}"?' if near else ""
        raise ValueError(f'takes an IANA time zone such as Europe/Vienna, not "{name}"{meant}')
    return name


def _first(local: datetime, zone: ZoneInfo) -> datetime:
    """The moment of a local time in UTC: the first of two, the next minute that exists for none."""
    while True:
        moment = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
        if moment.astimezone(zone).replace(tzinfo=None) == local:
            return moment
        local += _MINUTE
