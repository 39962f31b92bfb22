"""What a run asked its destination, and what the answers were, for people to look at."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from segue.catalog.runs import Run
from segue.catalog.timelines import RunTimeline
from segue.delivery.exchanges import Body
from segue.delivery.timeline import Line, Timeline
from segue.services.audit import record
from segue.services.exchange_files import StoredExchange, read_exchanges
from segue.services.permissions import Actor
from segue.services.privacy import mask_json, mask_value
from segue.services.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequests:
    """When a run called its destination. width: seconds of a slot; lines: the oldest first, none of a run before it was
    recorded."""

    width: int
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What can be told of an exchange without people's data; see ``segue.delivery.exchanges.Exchange``."""

    number: int
    at: datetime
    seconds: float
    method: str
    path: str
    attempt: int
    status: int | None
    problem: str
    rows: int | None


def run_requests(workspace: Workspace, run_id: str) -> RunRequests:
    """The timeline of a run, also of one that goes on. Raises NotPermittedError."""
    workspace.actor.require("runs.read")
    with workspace.catalog.session(read_only=True) as session:
        row = session.get(RunTimeline, run_id)
        if row is None:
            return RunRequests(width=1)
        return RunRequests(width=row.width, lines=Timeline.of_rows(row.width, row.lines).lines())


def exchange_heads(workspace: Workspace, run_id: str) -> tuple[Head, ...]:
    """Which exchanges of a run were sampled, in their order. Raises NotPermittedError."""
    workspace.actor.require("runs.read")
    return tuple(
        Head(
            number=stored.number,
            at=stored.exchange.at,
            seconds=stored.exchange.seconds,
            method=stored.exchange.method,
            path=stored.exchange.path,
            attempt=stored.exchange.attempt,
            status=stored.exchange.status,
            problem=stored.exchange.problem,
            rows=stored.exchange.rows,
        )
        for stored in _in_order(read_exchanges(workspace.layout.runs / run_id))
    )


def exchanges(workspace: Workspace, run_id: str, *, number: int | None = None) -> tuple[StoredExchange, ...]:
    """The sampled exchanges of a run in their order, or the one of a number; none where they are no longer stored.

    Values are masked for those who may not see them. The activity log has a line of it. Raises NotPermittedError.
    """
    workspace.actor.require("people.read")
    found = read_exchanges(workspace.layout.runs / run_id)
    with workspace.catalog.session() as session:
        run = session.get(Run, run_id)
        what = {"run": run_id} if number is None else {"run": run_id, "number": number}
        record(session, workspace.actor, "exchanges.read", run.orchestration if run else None, after=what)
    chosen = (stored for stored in found if number in (None, stored.number))
    return tuple(_masked(workspace.actor, stored) for stored in _in_order(chosen))


def _in_order(found: Iterable[StoredExchange]) -> list[StoredExchange]:
    return sorted(found, key=lambda stored: (stored.exchange.at, stored.number))


def _masked(actor: Actor, stored: StoredExchange) -> StoredExchange:
    """As this actor may see it. Parameters name people too: filters are lists of addresses."""
    if actor.sees_personal_data:
        return stored
    exchange = stored.exchange
    shown = replace(
        exchange,
        parameters={name: mask_value(actor, value) or "" for name, value in exchange.parameters.items()},
        request_body=_masked_body(actor, exchange.request_body),
        answer_body=_masked_body(actor, exchange.answer_body),
    )
    return replace(stored, exchange=shown)


def _masked_body(actor: Actor, body: Body | None) -> Body | None:
    return replace(body, text=mask_json(actor, body.text)) if body is not None else None
