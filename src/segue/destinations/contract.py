"""What a destination does for a run. A plug-in is a module with a ``plugin`` of type Plugin, found by entry point."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from segue.audience.delta import Delta
from segue.audience.fields import FieldMap, column_warnings
from segue.audience.packing import ChunkLimits
from segue.delivery.exchanges import Recorder, Unrecorded
from segue.delivery.ledger import Ledger
from segue.delivery.progress import Progress

UNSHOWN = "key-"
"""How the id of an account begins whose credential may not show it; the rest is a mark of the credential."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Whose account a credential opens. note: what could not be found out, empty otherwise."""

    id: str
    name: str
    note: str = ""

    def may_be(self, known: str | None) -> bool:
        """Whether this may be the account known by that id: one of both ids may stand for a key that cannot show it."""
        return known is not None and (known == self.id or known.startswith(UNSHOWN) or self.id.startswith(UNSHOWN))


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetList:
    """The audience list. id is None when it has to be made; members: how many it has, None when not known."""

    id: str | None
    name: str
    created: bool = False
    members: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What a delivery costs: requests by endpoint, bytes of bodies, and the least minutes at the limits."""

    requests: dict[str, int]
    bytes: int
    minutes: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """The staged work of one run: folder holds delta.arrow and removes.parquet (see ``audience``)."""

    folder: Path
    list_id: str
    ledger: Ledger
    still_wanted: Callable[[Sequence[str]], frozenset[str]]
    """Which of these keys the query still has: they are never taken off the list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a delivery task did. done and failed: rows, or members; warnings: sentences for people."""

    done: int = 0
    failed: int = 0
    warnings: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """Everything that is needed to open a destination. credential: its name, for errors; rate_scale: 1 obeys the published
    limits, 0 does not wait; settings: of the destination, of the names that its plug-in declares; recorder: is told of every
    attempt of a call; share_of: how much of the limits of an account, by its id, may be used, over 0 and up to 1; account_id:
    which account the credential opened the last time, None where nobody knows."""

    base_url: str | None
    secret: str
    credential: str = ""
    rate_scale: float = 1.0
    settings: Mapping[str, Any] = field(default_factory=dict)
    progress: Progress
    pause: Callable[[float], bool]
    recorder: Recorder = field(default_factory=Unrecorded)
    share_of: Callable[[str], float] = lambda _account: 1.0
    account_id: str | None = None


class Destination(Protocol):
    """An open destination. Every method may be repeated after a crash and goes on where the ledger says."""

    fields: FieldMap
    chunk_limits: ChunkLimits

    def account(self) -> Account:
        """Who the credential belongs to. Raises CredentialError."""

    def check(self) -> tuple[str, ...]:
        """Try every right that a run needs, writing nothing; what is missing, a sentence each."""

    def find_list(self, name: str, known_id: str | None) -> TargetList:
        """The list by its stored id, else by name. Raises DestinationError ``list_ambiguous``."""

    def list_names(self) -> tuple[str, ...]:
        """Names of the lists that there are, sorted, for people who choose one; of very many only some."""

    def make_list(self, name: str) -> TargetList:
        """Make the list. Raises DestinationError ``maximum_lists`` or ``limit_used_up``."""

    def estimate(self, delta: Delta, *, removes: int, strangers: int, read_back: int, new_list: bool) -> Estimate:
        """What a run costs that sends a delta, with the calls made so far. strangers: members to remove who were never sent."""

    def members(self, list_id: str) -> Sequence[tuple[str, str | None]]:
        """Every member of a list: id and key. A page of 100 a call."""

    def member_ids(self, list_id: str, keys: Sequence[str]) -> frozenset[str]:
        """Ids of the members that answer to any of these keys, by whatever address; a hundred keys a call."""

    def send(self, work: Work) -> Outcome:
        """Submit every chunk that is not accepted yet."""

    def confirm(self, work: Work) -> Outcome:
        """Wait until every accepted part is settled, and write refused rows down."""

    def clear(self, work: Work) -> Outcome:
        """Clear standard fields of acknowledged rows, one call a row."""

    def remove(self, work: Work) -> Outcome:
        """Take members that left the query off the list."""

    def count_members(self, list_id: str, *, at_least: int) -> int | None:
        """How many the list has; asked again for a while when they are fewer than expected, since lists may lag. None:
        the destination does not say."""

    def read_back(self, work: Work, sample: int) -> Outcome:
        """Compare sent rows and removed keys with what the destination says now."""

    def requests(self) -> dict[str, int]:
        """Requests made so far, by endpoint."""

    def close(self) -> None:
        """Close connections."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """name: as in the configuration; credential: the credential type; fields, well_known: for query authors; open: makes
    a Destination, which makes no call yet; title, summary: for people; settings: what a destination may set under
    ``settings:``, a name and its meaning each."""

    name: str
    credential: str
    fields: FieldMap
    well_known: frozenset[str]
    open: Callable[[Connection], Destination]
    title: str = ""
    summary: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)

    def notes(self, columns: Sequence[str]) -> tuple[str, ...]:
        """What an author should know about the names of the columns, a sentence each."""
        return column_warnings(columns, self.fields, well_known=self.well_known)
