"""What goes over the wire: the API writes these, the client reads them. A newer server may say more; that is passed over."""

from __future__ import annotations

from datetime import datetime
from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict, JsonValue

P = TypeVar("P", bound="Wire")


class Wire(BaseModel):
    """What all of them share."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Page(Wire, Generic[P]):
    """A part of a list. next: the cursor of the next page, None after the last one."""

    items: tuple[P, ...]
    next: str | None


class Problem(Wire):
    """An error, as in RFC 9457. code: as on the command line, exit_code too; detail: what happened; steps: what to do, in
    order."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    cause: str = ""
    steps: tuple[str, ...] = ()
    line: int | None = None
    """Of a mistake in SQL, from 1."""
    column: int | None = None
    problems: tuple[Mistake, ...] = ()
    """Every mistake of a body or a parameter."""
    exit_code: int = 1


class Mistake(Wire):
    """One mistake of a request. at: a JSON pointer into the body, or the name of a parameter."""

    at: str
    message: str


class Configured(Wire):
    """A configured thing. entry: as in a configuration file, without its secret."""

    id: str
    name: str
    etag: str
    """For `If-Match` of a change, quotes included."""
    created_at: datetime
    updated_at: datetime
    entry: dict[str, JsonValue]


class ConfiguredList(Wire):
    """Every thing of a kind, by name."""

    items: tuple[Configured, ...]


class Failure(Wire):
    """Why a run failed."""

    code: str
    message: str
    cause: str = ""
    steps: tuple[str, ...] = ()


class ListRef(Wire):
    """The list of a run; nothing is known of it before the run found it."""

    id: str | None
    name: str | None
    created: bool


class Task(Wire):
    """One step of a run. outcome: numbers and sentences; seconds: None while it runs; progress: done, total and unit while a
    server is at it."""

    name: str
    status: str
    started_at: datetime | None
    ended_at: datetime | None
    seconds: float | None
    attempts: int
    outcome: dict[str, JsonValue]
    progress: dict[str, JsonValue] | None = None


class TaskList(Wire):
    """The tasks of a run in their order."""

    items: tuple[Task, ...]


class Run(Wire):
    """One run. counts: empty until it ended well; requests: calls to the destination by endpoint; seconds: None while it runs."""

    run_id: str
    orchestration: str
    kind: str
    status: str
    started_by: str
    plan_id: str | None
    undoes: str | None
    started_at: datetime
    ended_at: datetime | None
    seconds: float | None
    account_id: str | None
    list: ListRef
    counts: dict[str, JsonValue]
    requests: dict[str, int]
    warnings: tuple[str, ...]
    error: Failure | None
    tasks: tuple[Task, ...]
    settings: dict[str, JsonValue] = {}
    """Of the data template, by which it goes."""
    parts: dict[str, int] = {}
    """Deliveries by kind and state; only where one run is read."""


class Started(Run):
    """A run that was asked for. resumed: it had begun, or was asked for, before."""

    resumed: bool


class RunList(Page[Run]):
    """A page of runs, newest first."""


class Fuse(Wire):
    """A safety limit and the number that it watches."""

    name: str
    value: float
    limit: float
    why: str
    blown: bool


class Reject(Wire):
    """Why a row, or a field of it, was not sent."""

    row: int | None
    key: str | None
    field: str
    value: str | None
    reason: str
    source: str
    detail: str | None


class PlannedRow(Wire):
    """A person of a plan. fields: that change or are cleared; before, after: what was sent and would be; None: nothing."""

    key: str | None
    fields: tuple[str, ...]
    before: dict[str, JsonValue] | None
    after: dict[str, JsonValue] | None


class PlanSamples(Wire):
    """Up to 20 people of each kind; somebody with changed and cleared fields is in both."""

    added: tuple[PlannedRow, ...]
    changed: tuple[PlannedRow, ...]
    cleared: tuple[PlannedRow, ...]
    removed: tuple[PlannedRow, ...]
    rejected: tuple[Reject, ...]


class Plan(Wire):
    """What a run would do; see the reference of `segue plan --json`."""

    id: str
    orchestration: str
    account: str
    list_id: str | None
    list_name: str
    source: int
    duplicates: dict[str, int]
    rejected: int
    problems: dict[str, int]
    added: int
    changed: int
    changed_fields: dict[str, int]
    unchanged: int
    held_back: int
    cleared: int
    cleared_fields: dict[str, int]
    clears_one_by_one: int
    kept_fields: dict[str, int]
    first_send_unset: dict[str, int] = {}
    removed: int
    foreign: int
    others: int | None
    requests: dict[str, int]
    bytes: int
    minutes: float
    fuses: tuple[Fuse, ...]
    warnings: tuple[str, ...]
    samples: PlanSamples | None = None
    """Only where they are asked for."""


class RejectList(Page[Reject]):
    """A page of rejects."""


class HistoryEntry(Wire):
    """What one run did with a person. unset: custom properties that a first send unset because they were NULL."""

    run_id: str
    orchestration: str
    kind: str
    status: str
    started_at: datetime
    actions: tuple[str, ...]
    changed: tuple[str, ...]
    cleared: tuple[str, ...]
    kept: tuple[str, ...]
    unset: tuple[str, ...] = ()
    row: int | None
    payload: dict[str, JsonValue] | None
    rejects: tuple[Reject, ...]


class History(Wire):
    """What became of one person, newest first."""

    items: tuple[HistoryEntry, ...]


class OfferedAction(Wire):
    """A way out. action: the word that takes it; meaning: what it does."""

    action: str
    meaning: str


class Resolutions(Wire):
    """What can be done about a run that failed or was stopped. code: of its error; task: that failed; who: can put it right;
    fuses, lists: to be allowed, to choose from; opens_at: when a limit opens again; docs: a page below `docs/`."""

    run_id: str
    orchestration: str
    status: str
    code: str
    message: str | None
    task: str | None
    cause: str
    who: str
    steps: tuple[str, ...]
    actions: tuple[OfferedAction, ...]
    docs: str
    fuses: tuple[str, ...]
    lists: tuple[str, ...]
    opens_at: datetime | None
