"""How the parts of a run are made durable."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Step(Protocol):
    """Does a part of a run, or knows from an earlier process what came of it."""

    def __call__(self, name: str, do: Callable[[], bool]) -> bool:
        """Whether the run goes on after it."""
        ...


def at_once(name: str, do: Callable[[], bool]) -> bool:  # noqa: ARG001 -- a Step
    """No engine: the ledger alone says what is done."""
    return do()


class Suspended(BaseException):
    """The worker ends and leaves its runs to the next one. Not an Exception: the engine must not take it for an outcome."""
