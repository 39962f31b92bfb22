"""Everything the emulator knows: accounts with their contents, keys, switches, faults and traffic."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from klaviyo_emulator.clock import Clock
from klaviyo_emulator.faults import Faults
from klaviyo_emulator.groups import Group
from klaviyo_emulator.jobs import Job, SuppressionJob
from klaviyo_emulator.limits import Windows
from klaviyo_emulator.operations import ALL_SCOPES
from klaviyo_emulator.profiles import ProfileBook, object_id
from klaviyo_emulator.settings import Settings
from klaviyo_emulator.traffic import Traffic

DEFAULT_KEY = "pk_test"
DEFAULT_ACCOUNT = "EMULAT"

_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghjkmnpqrstuvwxyz23456789"
_IDS = 1_000_000
"""How many ids of lists, segments and jobs one account may give out before they meet those of the next."""


@dataclass(kw_only=True, slots=True)
class Account:
    """One Klaviyo account and all that is in it."""

    id: str
    name: str
    timezone: str = "UTC"
    profiles: ProfileBook = field(default_factory=ProfileBook)
    lists: dict[str, Group] = field(default_factory=dict)
    segments: dict[str, Group] = field(default_factory=dict)
    jobs: dict[str, Job] = field(default_factory=dict)
    suppression_jobs: dict[str, SuppressionJob] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    event_ids: set[tuple[str, str, str]] = field(default_factory=set)
    made: int = 0
    """How many ids of lists, segments and jobs were given out."""
    first_id: int = 0
    """Where its ids begin: those of two accounts differ, as at Klaviyo."""

    def new_group_id(self) -> str:
        """Six letters and digits, never given out before."""
        self.made += 1
        # A full-period walk (the multiplier has no factor of 54) looks random and never repeats.
        number = (self.first_id + self.made) * 48_271_991 % len(_LETTERS) ** 6
        text = ""
        for _ in range(6):
            number, digit = divmod(number, len(_LETTERS))
            text += _LETTERS[digit]
        return text

    def new_job_id(self) -> str:
        """An id for a job."""
        self.made += 1
        return object_id(self.made)

    def live_jobs(self, now: float) -> list[Job]:
        """Jobs that have not expired, oldest first; the others are forgotten here."""
        for key in [job.id for job in self.jobs.values() if job.expires <= now]:
            del self.jobs[key]
        return list(self.jobs.values())

    def find_list(self, name_or_id: str) -> Group | None:
        """A list by id, else the first of that name."""
        found = self.lists.get(name_or_id)
        return found or next((group for group in self.lists.values() if group.name == name_or_id), None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Key:
    """A private key, or an OAuth access token, and what it may do."""

    account_id: str
    scopes: frozenset[str] = ALL_SCOPES
    kind: Literal["private", "oauth"] = "private"
    app: str = "app"
    """The OAuth app of a token; each has a rate quota of its own in an account."""

    @property
    def owner(self) -> str:
        """Whose rate windows the key uses up: all private keys of an account share one quota."""
        return self.account_id if self.kind == "private" else f"{self.account_id}/{self.app}"


class World:
    """The state of one emulator. All changes happen on its event loop, so nothing is locked."""

    def __init__(
        self, *, clock: Clock | None = None, settings: Settings | None = None, keys: Iterable[str] = ()
    ) -> None:
        self.clock = clock or Clock()
        self._first_settings = settings or Settings()
        self._first_keys = tuple(keys) or (DEFAULT_KEY,)
        self.reset()

    def reset(self) -> None:
        """Back to the state of the start: one empty account, the switches of the start, no faults, no history."""
        self.clock.restart()
        self.settings = self._first_settings.copy()
        self.accounts: dict[str, Account] = {}
        self.keys: dict[str, Key] = {}
        self.faults = Faults()
        self.windows = Windows()
        self.traffic = Traffic()
        self._waiting: list[tuple[float, int, str, str]] = []
        self._submitted = 0
        self.add_account(DEFAULT_ACCOUNT, "Emulated Shop")
        for key in self._first_keys:
            self.keys[key] = Key(account_id=DEFAULT_ACCOUNT)

    def add_account(self, account_id: str, name: str, timezone: str = "UTC") -> Account:
        """A new empty account."""
        first_id = len(self.accounts) * _IDS
        account = Account(id=account_id, name=name, timezone=timezone, first_id=first_id)
        self.accounts[account_id] = account
        return account

    def account(self, account_id: str | None = None) -> Account | None:
        """An account by id; the first one when no id is given."""
        return next(iter(self.accounts.values())) if account_id is None else self.accounts.get(account_id)

    def submit(self, account: Account, job: Job) -> None:
        """Queue a job for processing when it is due."""
        account.jobs[job.id] = job
        self._submitted += 1
        heapq.heappush(self._waiting, (job.due, self._submitted, account.id, job.id))

    def next_due(self) -> float | None:
        """When the next waiting job is due, in seconds; None when none waits."""
        return self._waiting[0][0] if self._waiting else None

    def due_jobs(self) -> Iterator[tuple[Account, Job]]:
        """Takes the jobs that are due by now off the queue, in the order of their due times."""
        while self._waiting and self._waiting[0][0] <= self.clock.now():
            _, _, account_id, job_id = heapq.heappop(self._waiting)
            account = self.accounts.get(account_id)
            job = account.jobs.get(job_id) if account else None
            if account and job and job.open:
                yield account, job
