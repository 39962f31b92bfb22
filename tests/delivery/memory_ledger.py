"""A ledger in memory, which does what ``segue.delivery.ledger.Ledger`` promises."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace

from segue.delivery.ledger import Part, PartKind, PartState, RowReject


class MemoryLedger:
    """For tests that need no metadata database."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._parts: dict[tuple[PartKind, int, int], Part] = {}
        self._rejects: dict[tuple[PartKind, int, int], RowReject] = {}
        self.ids: dict[str, str] = {}

    def parts(self, kind: PartKind) -> Sequence[Part]:
        with self._lock:
            return [self._parts[k] for k in sorted(self._parts, key=lambda k: (k[1], k[2])) if k[0] is kind]

    def plan(self, parts: Sequence[Part]) -> None:
        with self._lock:
            for part in parts:
                self._parts.setdefault((part.kind, part.chunk, part.start), part)

    def mark(self, part: Part, state: PartState, *, job: str | None = None) -> Part:
        marked = replace(part, state=state, job=job)
        with self._lock:
            assert (part.kind, part.chunk, part.start) in self._parts
            self._parts[part.kind, part.chunk, part.start] = marked
        return marked

    def split(self, part: Part, at: int) -> tuple[Part, Part]:
        assert part.start < at < part.stop
        first = replace(part, stop=at, state=PartState.PLANNED, job=None)
        second = replace(part, start=at, state=PartState.PLANNED, job=None)
        with self._lock:
            for half in (first, second):
                self._parts[half.kind, half.chunk, half.start] = half
        return first, second

    def reject(self, rejects: Sequence[RowReject]) -> None:
        with self._lock:
            for r in rejects:
                self._rejects.setdefault((r.kind, r.chunk, r.position), r)

    def rejected(self, kind: PartKind, chunk: int, *, at_submit_only: bool = False) -> frozenset[int]:
        with self._lock:
            return frozenset(
                r.position
                for r in self._rejects.values()
                if r.kind is kind and r.chunk == chunk and (r.at_submit or not at_submit_only)
            )

    def rejects(self) -> list[RowReject]:
        """All of them, by chunk and position."""
        return [self._rejects[k] for k in sorted(self._rejects)]

    def remember_ids(self, ids: dict[str, str]) -> None:
        with self._lock:
            self.ids.update(ids)

    def known_ids(self, keys: Sequence[str]) -> dict[str, str]:
        with self._lock:
            return {key: self.ids[key] for key in keys if key in self.ids}

    def forget_ids(self, keys: Sequence[str]) -> None:
        with self._lock:
            for key in keys:
                self.ids.pop(key, None)
