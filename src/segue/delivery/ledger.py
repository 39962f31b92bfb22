"""What a delivery writes down before and after each step, so that a kill at any point loses nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class PartState(StrEnum):
    """planned -> sending -> accepted -> complete, or cancelled, unsure, refused.

    ``sending`` after a crash means that nobody knows whether it arrived: it is sent again, which an upsert tolerates.
    ``unsure``: some rows of the part failed and the destination did not say which, so none counts as acknowledged.
    """

    PLANNED = "planned"
    SENDING = "sending"
    ACCEPTED = "accepted"
    COMPLETE = "complete"
    CANCELLED = "cancelled"
    UNSURE = "unsure"
    REFUSED = "refused"


class PartKind(StrEnum):
    """What a part does."""

    IMPORT = "import"
    CLEAR = "clear"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Rows ``start`` to ``stop`` (exclusive) of chunk ``chunk``, delivered by one request. job: the destination's id."""

    kind: PartKind
    chunk: int
    start: int
    stop: int
    state: PartState = PartState.PLANNED
    job: str | None = None

    @property
    def rows(self) -> int:
        """How many rows it spans, rejected ones included."""
        return self.stop - self.start


@dataclass(frozen=True, slots=True, kw_only=True)
class RowReject:
    """A row that the destination refused: position in its chunk, and why in the destination's words.

    at_submit: whether the request was refused because of it, so that the row is not in the accepted body.
    """

    kind: PartKind
    at_submit: bool
    chunk: int
    position: int
    key: str
    field: str
    reason: str
    detail: str


class Ledger(Protocol):
    """Durable when a method returns; every method may be repeated with the same arguments. Thread-safe."""

    def parts(self, kind: PartKind) -> Sequence[Part]:
        """All parts of a kind, by chunk and start."""

    def plan(self, parts: Sequence[Part]) -> None:
        """Write parts down that are not there yet; known ones stay as they are."""

    def mark(self, part: Part, state: PartState, *, job: str | None = None) -> Part:
        """Move a part on; the part as it is now."""

    def split(self, part: Part, at: int) -> tuple[Part, Part]:
        """Replace a part by two planned ones that meet at row ``at``, in one transaction."""

    def reject(self, rejects: Sequence[RowReject]) -> None:
        """Write refused rows down; a row of a chunk counts once."""

    def rejected(self, kind: PartKind, chunk: int, *, at_submit_only: bool = False) -> frozenset[int]:
        """Positions in a chunk that the destination refused."""

    def remember_ids(self, ids: dict[str, str]) -> None:
        """Keep profile ids by key, for later removes."""

    def known_ids(self, keys: Sequence[str]) -> dict[str, str]:
        """The kept profile ids of these keys."""

    def forget_ids(self, keys: Sequence[str]) -> None:
        """Drop ids that the destination no longer knows."""
