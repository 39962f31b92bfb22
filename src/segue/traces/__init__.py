"""Traces: a span for each run, its tasks and their requests, where somebody collects them.

A span holds ids, names of ours, numbers and codes; never a value of the data. Nothing is recorded, and no library loaded,
until ``on``.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

Value = str | int | float | bool
_log = logging.getLogger(__name__)


class Span(Protocol):
    """A part of the work while it goes on."""

    def note(self, values: Mapping[str, Value]) -> None:
        """Add what became known on the way."""

    def fail(self, code: str) -> None:
        """Say that it did not go well. code: stable, such as that of an error."""


class Tracer(Protocol):
    """Records spans."""

    def span(self, name: str, values: Mapping[str, Value], *, outgoing: bool) -> AbstractContextManager[Span]:
        """A span below the one of this thread. outgoing: it is a request to somebody else."""

    def close(self) -> None:
        """Hand over what was recorded."""


class _Nothing:
    def note(self, values: Mapping[str, Value]) -> None:
        """Nobody listens."""

    def fail(self, code: str) -> None:
        """Nobody listens."""


class _State:
    """wanted: whether spans are to be recorded; tracer: what records them, made at the first one."""

    wanted = False
    tracer: Tracer | None = None


def on() -> None:
    """Record from now on, as the OTEL_... variables of the process say."""
    _State.wanted = True


def off() -> None:
    """Record no more, and hand over what was recorded."""
    tracer, _State.tracer, _State.wanted = _State.tracer, None, False
    if tracer is not None:
        tracer.close()


@contextmanager
def span(name: str, values: Mapping[str, Value], *, outgoing: bool = False) -> Iterator[Span]:
    """A part of the work; threads that it starts have to be given its context (``contextvars.copy_context``)."""
    tracer = _tracer()
    if tracer is None:
        yield _Nothing()
        return
    with tracer.span(name, values, outgoing=outgoing) as recorded:
        yield recorded


def _tracer() -> Tracer | None:
    if _State.wanted and _State.tracer is None:
        try:
            from segue.traces.otel import make_tracer  # noqa: PLC0415 -- an optional dependency
        except ImportError:
            _State.wanted = False
            _log.warning(
                "traces are asked for (OTEL_...), and what sends them is not installed: pip install 'segue[otel]'"
            )
        else:
            _State.tracer = make_tracer()
    return _State.tracer
