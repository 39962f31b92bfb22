"""The tasks of a run, in order. Each may be begun again after a crash and then does only what is left of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import asdict
from typing import Any

from segue.audience.workbench import Workbench
from segue.catalog.base import now
from segue.catalog.runs import Run
from segue.catalog.runs import Task as TaskRow
from segue.delivery.ledger import PartKind
from segue.delivery.words import counted
from segue.destinations.contract import Outcome, TargetList
from segue.errors import DataError, StateError
from segue.failpoints import reach
from segue.services.budgets import limits_lists, require_list
from segue.services.fuses import check_fuses, refuse_blown
from segue.services.planning import make_plan, notes, row_warnings
from segue.services.snapshots import Held, publish_snapshot
from segue.services.staged import Staged, with_list
from segue.workflow.ahead import writing_ahead
from segue.workflow.context import RunContext
from segue.workflow.folding import Delivered, delivered, fold
from segue.workflow.locks import counting_lists, making_list
from segue.workflow.phases import PASS
from segue.workflow.status import RunStatus, TaskStatus

Task = Callable[[RunContext], Mapping[str, Any]]


def query(context: RunContext) -> Mapping[str, Any]:
    """Connect, run the query, check its rows, compare them with the baseline: the whole pass, see ``phases``."""
    with context.staging() as beside:
        staged = context.stage(beside)
        beside.save(staged)
    connected, counts = staged.connected, staged.delta.counts
    context.records.update(
        context.run.id, account_id=connected.account.id, list_id=connected.target.id, list_name=connected.target.name
    )
    told = {
        "account": connected.account.name or connected.account.id,
        **({"same_as": staged.same_as} if staged.same_as else {}),
        "source": staged.rows.source,
        "rejected": staged.rows.refused,
        "problems": staged.rows.problems,
        "duplicates": staged.duplicates.dropped,
        "added": counts.added,
        "changed": counts.changed,
        "changed_fields": counts.changed_fields,
        "cleared_fields": counts.cleared_fields,
        "first_send_unset": counts.first_send_unset,
        "removed": counts.removed + staged.foreign,
        "unchanged": staged.unchanged,
        "chunks": len(staged.delta.chunks),
        "warnings": [*connected.warnings, *row_warnings(staged, context.orchestration.settings)],
        "notes": list(notes(staged)),
    }
    if context.phases.current == PASS[0]:
        return told
    context.phases.warn("query", connected.warnings)
    context.phases.warn("validate", row_warnings(staged, context.orchestration.settings))
    return {name: told[name] for name in told if name not in _EARLIER}


_EARLIER = frozenset({"source", "rejected", "problems", "duplicates", "warnings"})
"""What the tasks before ``compare`` tell."""


def fuses(context: RunContext) -> Mapping[str, Any]:
    """Everything that stops a run before its first write: sums, a plan that is no longer true, fuses."""
    staged = context.staged()
    _check_staged(staged)
    settings = context.orchestration.settings
    last = context.records.last_count(context.orchestration.id) if context.run.kind == "sync" else None
    checked = check_fuses(staged, settings, last_count=last)
    if context.run.kind == "undo":
        # An undo has no query: only how many it takes off the list can be unusual.
        checked = tuple(fuse for fuse in checked if fuse.name == "max_remove_share")
    plan = make_plan(context.orchestration, staged, context.destination, checked)
    context.records.update(context.run.id, plan_id=plan.id)
    if context.expected_plan and context.expected_plan != plan.id:
        raise DataError(
            f"The plan {context.expected_plan} is no longer what this run would do: data, list or settings moved.",
            code="plan_outdated",
            steps=("Look at the new plan: segue plan ORCHESTRATION", "Run that one, or run without --plan."),
        )
    undo, name = context.run.undoes, context.orchestration.name
    refuse_blown(checked, allowed=context.allowed, command=f"segue undo {undo}" if undo else f'segue run "{name}"')
    return {"fuses": [{**asdict(f), "blown": f.blown} for f in checked], "plan": plan.id, "minutes": plan.minutes}


def _check_staged(staged: Staged) -> None:
    counts = staged.delta.counts
    parts = {
        "duplicates": staged.duplicates.dropped,
        "rejected": staged.rows.refused,
        "added": counts.added,
        "changed": counts.changed,
        "unchanged": staged.unchanged,
        "held back": counts.held_back,
    }
    if sum(parts.values()) != staged.rows.source:
        raise _sums_differ("rows of the query", staged.rows.source, parts)


def _sums_differ(what: str, whole: int, parts: Mapping[str, int]) -> DataError:
    listed = ", ".join(f"{name} {count}" for name, count in parts.items())
    return DataError(
        f"The counts do not reconcile: {whole} {what}, but {listed}.",
        code="sums_differ",
        steps=("This is a fault of Segue: please report it with the output of `segue show RUN`.",),
    )


def resolve_list(context: RunContext) -> Mapping[str, Any]:
    """The list is there, or is made."""
    staged = context.staged()
    target = staged.connected.target
    created = False
    if target.id is None:
        begun = context.records.get(context.run.id).task("list")
        with making_list(context.workspace.locks, target.name, stop=context.stop):
            # Another run may have made it since, or a process before this one that died before it could say so.
            target = context.destination.find_list(target.name, None)
            created = target.id is not None and begun is not None and begun.attempts > 1
            if target.id is None:
                target, created = _make_list(context, target.name, staged.connected.account.id), True
        context.save(with_list(staged, target))
    context.records.update(context.run.id, list_id=target.id, list_created=created or context.run.list_created)
    return {"list_id": target.id, "name": target.name, "created": created}


def _make_list(context: RunContext, name: str, account_id: str) -> TargetList:
    """Make a list, where the account may have another one today."""
    with ExitStack() as counted_alone:
        if limits_lists(context.workspace, account_id):
            counted_alone.enter_context(counting_lists(context.workspace.locks, account_id, stop=context.stop))
            require_list(context.workspace, account_id)
        reach("list-create-before")
        made = context.destination.make_list(name)
        reach("list-create-after")
        # Before the next one counts.
        context.records.update(context.run.id, list_created=True)
    return made


def send(context: RunContext) -> Mapping[str, Any]:
    """Submit the chunks."""
    with writing_ahead(context.folder, context.staged(), memory_bytes=context.settings.engine_memory):
        return _outcome(context.destination.send(context.work()))


def confirm(context: RunContext) -> Mapping[str, Any]:
    """Wait for the jobs, read their errors."""
    outcome = context.destination.confirm(context.work())
    refused = sum(len(context.ledger.rejected(PartKind.IMPORT, c.number)) for c in context.staged().delta.chunks)
    warnings = [f"Klaviyo refused {counted(refused, 'row')}; the rejects name them."] if refused else []
    return {**_outcome(outcome), "warnings": [*warnings, *outcome.warnings]}


def clear(context: RunContext) -> Mapping[str, Any]:
    """Clear standard fields, one call a row."""
    return _outcome(context.destination.clear(context.work()))


def remove(context: RunContext) -> Mapping[str, Any]:
    """Take leavers off the list; everything that is added is confirmed by now."""
    return _outcome(context.destination.remove(context.work()))


def reconcile(context: RunContext) -> Mapping[str, Any]:
    """What was staged equals what became of it, and a sample says the same at the destination."""
    staged = context.staged()
    result = delivered(context.folder, context.ledger)
    expected = staged.delta.counts.added + staged.delta.counts.changed
    if result.rows != expected:
        raise _sums_differ("rows to send", expected, asdict(result))
    leavers = staged.delta.counts.removed + staged.foreign
    if result.removed != leavers:
        raise _sums_differ("members to remove", leavers, {"removed": result.removed})
    if not context.read_back:
        return {
            "warnings": ["What was sent was not read back from Klaviyo: the check was skipped."],
            "delivered": asdict(result),
        }
    sample = min(context.orchestration.settings.read_back, 1000)
    outcome = context.destination.read_back(context.work(), sample) if sample else Outcome()
    warnings = [*outcome.warnings, *_missing_members(context, staged, result)]
    return {**_outcome(outcome), "warnings": warnings, "delivered": asdict(result)}


def _missing_members(context: RunContext, staged: Staged, result: Delivered) -> list[str]:
    """Fewer members than were acknowledged: people were merged, which no answer to an import says."""
    if not result.rows and not result.removed:
        return []
    before, target = staged.connected.snapshot.rows, staged.connected.target
    left_before = max(0, before - target.members) if target.members is not None else 0
    expected = before + result.added - (result.removed - staged.foreign) - left_before
    count = context.destination.count_members(context.work().list_id, at_least=expected)
    if count is None or count >= expected:
        return []
    why = "it merged people who share a phone number or an external id, or they left meanwhile"
    return [f"The list has {counted(expected - count, 'fewer member')} than Klaviyo acknowledged: {why}."]


def record(context: RunContext) -> Mapping[str, Any]:
    """The acknowledged rows become the baseline and the run ends, in one transaction."""
    staged, run = context.staged(), context.records.get(context.run.id)
    layout, settings = context.workspace.layout, context.settings
    result = delivered(context.folder, context.ledger)
    list_id = context.work().list_id
    with Workbench(context.folder, memory_bytes=settings.engine_memory, threads=settings.threads) as bench:
        context.shared_lists.show(bench, list_id)
        snapshot = fold(
            bench,
            context.folder,
            staged,
            context.ledger,
            result,
            segments=layout.snapshots / context.orchestration.id,
            run_id=run.id,
            list_id=list_id,
            fields=context.destination.fields,
        )
    held = Held(snapshot=snapshot, list_name=context.orchestration.settings.list_name)
    warnings = [text for task in run.tasks for text in task.outcome.get("warnings", [])]
    counts = run_counts(staged, result)
    with context.workspace.catalog.session() as session:
        publish_snapshot(session, context.orchestration.id, held, run.id)
        row = session.get_one(Run, run.id)
        row.counts, row.warnings = counts, warnings
        row.status = RunStatus.WARNINGS if warnings else RunStatus.COMPLETED
        row.ended_at = now()
        # A crash right after this transaction must not leave a task that seems to go on.
        task = session.get_one(TaskRow, (run.id, "record"))
        task.status, task.ended_at = TaskStatus.SUCCEEDED, row.ended_at
    reach("recorded")
    return {"members": snapshot.rows, "version": snapshot.version}


def run_counts(staged: Staged, result: Delivered) -> dict[str, int]:
    """The counts of a run: source = duplicates + rejected + added + changed + unchanged + warned."""
    return {
        "source": staged.rows.source,
        "duplicates": staged.duplicates.dropped,
        "rejected": staged.rows.refused + result.rejected,
        "added": result.added,
        "changed": result.changed,
        "unchanged": staged.unchanged,
        "cleared": result.cleared,
        "unset": result.unset,
        "removed": result.removed,
        "warned": result.unsettled + staged.delta.counts.held_back,
    }


def counts_so_far(context: RunContext) -> dict[str, int]:
    """The counts of a run that did not reach its end; {} when it had staged nothing, or when its files cannot be read:
    that must not hide what stopped it."""
    try:
        return run_counts(context.staged(), delivered(context.folder, context.ledger))
    except (StateError, OSError):
        return {}


def _outcome(outcome: Outcome) -> dict[str, Any]:
    return {"done": outcome.done, "failed": outcome.failed, "warnings": list(outcome.warnings)}


def summary(outcome: Mapping[str, Any]) -> str:
    """What came of a task, for people."""
    shown = ("source", "added", "changed", "removed", "done", "failed", "members")
    return ", ".join(f"{outcome[name]:,} {name}" for name in shown if outcome.get(name))


TASKS: tuple[tuple[str, Task], ...] = (
    ("query", query),
    ("fuses", fuses),
    ("list", resolve_list),
    ("send", send),
    ("confirm", confirm),
    ("clear", clear),
    ("remove", remove),
    ("reconcile", reconcile),
    ("record", record),
)
