"""Faults on demand: what goes wrong, where, how often."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

JOB_ENDPOINT = ("POST", "/api/profile-bulk-import-jobs")
"""The only requests that ``cancel_job`` looks at."""
KINDS = ("status", "drop_before", "drop_after", "slow", "cancel_job", "non_json")


class BadFaultError(ValueError):
    """The description of a fault is not usable."""


@dataclass(kw_only=True, slots=True)
class Fault:
    """A fault and how often it has struck.

    It looks at requests of ``method`` and ``template`` (``*``: any), lets the first ``after`` of them pass, then strikes
    each with the probability ``rate``, at most ``count`` times (None: without end).
    """

    id: int
    kind: str
    method: str = "*"
    template: str = "*"
    status: int = 503
    body: Any = None
    """Body of a ``status`` fault; None: the usual envelope."""
    retry_after: int | None = None
    seconds: float = 0.0
    """How much later a ``slow`` answer comes."""
    rows: int = 0
    """Rows that ``cancel_job`` lets through before it cancels."""
    count: int | None = 1
    rate: float = 1.0
    seed: int = 0
    after: int = 0
    seen: int = 0
    struck: int = 0
    _random: random.Random = field(default_factory=random.Random, repr=False)

    def strikes(self, method: str, template: str) -> bool:
        """Whether this request is hit; counts it either way."""
        if self.method not in ("*", method) or self.template not in ("*", template):
            return False
        self.seen += 1
        if self.seen <= self.after or (self.count is not None and self.struck >= self.count):
            return False
        if self.rate < 1.0 and self._random.random() >= self.rate:
            return False
        self.struck += 1
        return True

    def as_dict(self) -> dict[str, Any]:
        """All fields as JSON."""
        names = ("id", "kind", "method", "template", "status", "body", "retry_after", "seconds", "rows", "count")
        return {name: getattr(self, name) for name in (*names, "rate", "seed", "after", "seen", "struck")}


_FIELDS: dict[str, tuple[type, ...]] = {
    "kind": (str,),
    "method": (str,),
    "template": (str,),
    "status": (int,),
    "body": (str, dict, list, type(None)),
    "retry_after": (int, type(None)),
    "seconds": (int, float),
    "rows": (int,),
    "count": (int, type(None)),
    "rate": (int, float),
    "seed": (int,),
    "after": (int,),
}


class Faults:
    """The faults that are set, in order; the first that strikes wins."""

    def __init__(self) -> None:
        self.all: list[Fault] = []
        self._last_id = 0

    def add(self, description: Mapping[str, Any]) -> Fault:
        """Set a fault from its JSON; raises BadFaultError."""
        for name, value in description.items():
            if name not in _FIELDS:
                raise BadFaultError(f"a fault has no {name!r}; it has {', '.join(_FIELDS)}")
            if not isinstance(value, _FIELDS[name]) or (isinstance(value, bool) and bool not in _FIELDS[name]):
                raise BadFaultError(f"{name} is of the wrong type")
        if description.get("kind") not in KINDS:
            raise BadFaultError(f"kind takes one of {', '.join(KINDS)}")
        self._last_id += 1
        fault = Fault(id=self._last_id, **description)
        fault.method = fault.method.upper()
        if fault.kind == "cancel_job":
            fault.method, fault.template = JOB_ENDPOINT
        fault._random.seed(fault.seed)  # noqa: SLF001 -- the seed is known only now
        self.all.append(fault)
        return fault

    def strike(self, method: str, template: str) -> Fault | None:
        """The fault that hits this request."""
        return next((fault for fault in self.all if fault.strikes(method, template)), None)

    def clear(self, fault_id: int | None = None) -> int:
        """Remove one fault or all of them; returns how many went."""
        kept = [] if fault_id is None else [fault for fault in self.all if fault.id != fault_id]
        removed = len(self.all) - len(kept)
        self.all = kept
        return removed
