"""Ways out of a failed run: which of them fit, and doing one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from segue.errors import UsageError, fill_in
from segue.resolutions import Action, Resolution, resolution
from segue.security import Secret
from segue.services.audit import note
from segue.services.rekey import replace_key
from segue.workflow.gate import require_start
from segue.workflow.queue import Options
from segue.workflow.records import RunRecord
from segue.workflow.resumable import is_hopeless, resumable
from segue.workflow.status import TaskStatus
from segue.workflow.ways import Here, Way

if TYPE_CHECKING:
    from segue.workflow.run import Runner

_LATE = frozenset(
    {"read_back", "allow_empty", "max_remove_share", "max_clear_share", "max_reject_share", "max_count_change"}
)
"""Template settings that do not shape what is sent: a run that has begun to send may go on with new ones."""
_FROM_FACTS = {Action.ALLOW_FUSE: "fuses", Action.CHOOSE_LIST: "lists", Action.WAIT: "opens_in"}
_AFRESH = (Action.RESTART, Action.ANEW)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What can be done about a run. code: of its error; task: that failed; actions: those that fit now; fuses, lists: to
    be allowed, to choose from; opens_at: when a limit opens again."""

    run: RunRecord
    code: str
    task: str | None
    resolution: Resolution
    actions: tuple[Action, ...]
    fuses: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    opens_at: datetime | None = None


def offer(runner: Runner, run_id: str) -> Offer:
    """What fits a run that failed, was stopped or died. Raises UsageError for one that has ended well."""
    runner.workspace.actor.require("runs.read")
    run = runner.records.get(run_id)
    if run.status.succeeded:
        raise UsageError(f"Run {run.id} has {run.status}: there is nothing to resolve.", code="run_over")
    failed = next((t for t in reversed(run.tasks) if t.status in (TaskStatus.FAILED, TaskStatus.WAITING)), None)
    facts: Mapping[str, Any] = failed.outcome if failed else {}
    code = str((run.error or {}).get("code", "stopped"))
    entry = resolution(code)
    entry = replace(entry, steps=fill_in(entry.steps, orchestration=run.orchestration, run=run.id))
    task, goes_on = failed.name if failed else None, _goes_on(runner, run.id)
    actions = tuple(a for a in entry.actions if _fits(a, facts, task=task, goes_on=goes_on))
    seconds = facts.get("opens_in")
    return Offer(
        run=run,
        code=code,
        task=task,
        resolution=entry,
        actions=actions or _AFRESH[:1],
        fuses=tuple(facts.get("fuses", ())),
        lists=tuple(facts.get("lists", ())),
        opens_at=(run.ended_at or run.started_at) + timedelta(seconds=seconds) if seconds else None,
    )


def resolve(
    runner: Runner,
    run_id: str,
    action: Action,
    *,
    list_id: str | None = None,
    key: Secret | None = None,
    way: Way | None = None,
) -> RunRecord:
    """Do one of the offered actions and return the run that came of it, which may fail again.

    list_id: for ``choose_list``; key: for ``update_credential``; way: who carries it out, None for this process. Raises
    UsageError for an action that does not fit, CredentialError for a key that is no good, BusyError while a run is under way.
    """
    offered = offer(runner, run_id)
    if action not in offered.actions:
        raise UsageError(
            f'"{action}" does not fit run {offered.run.id} ({offered.code}).',
            code="unfit_action",
            steps=(f"Take one of: {', '.join(offered.actions)}.", f"See what they do: segue resolve {offered.run.id}"),
        )
    require_start(runner.workspace, offered.run.orchestration)
    what = {"run": offered.run.id, "error": offered.code, "action": str(action)}
    note(runner.workspace, "run.resolve", offered.run.orchestration, after=what)
    return _DO[action](runner, offered, _Given(list_id=list_id, key=key, way=way or Here(runner=runner)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Given:
    """What the user adds to an action, and who carries it out."""

    list_id: str | None
    key: Secret | None
    way: Way


def _fits(action: Action, facts: Mapping[str, Any], *, task: str | None, goes_on: bool) -> bool:
    if action in _AFRESH:
        return True
    if action is Action.SKIP:
        return goes_on and task == "reconcile"
    return goes_on and (action not in _FROM_FACTS or bool(facts.get(_FROM_FACTS[action])))


def _goes_on(runner: Runner, run_id: str) -> bool:
    try:
        resumable(runner.records, run_id)
    except UsageError:
        return False
    return True


def _retry(_runner: Runner, offered: Offer, given: _Given) -> RunRecord:
    return given.way.resume(offered.run.id)


def _restart(runner: Runner, offered: Offer, given: _Given) -> RunRecord:
    run = offered.run
    if run.kind == "undo":
        return _again(run, given.way)
    unfinished = runner.records.unfinished(run.orchestration_id)
    if unfinished is None or unfinished.id != run.id or is_hopeless(run.error):
        return _again(run, given.way)
    today = Options.model_validate(run.options).over(runner.load(run.orchestration).settings.model_dump(mode="json"))
    if any(today[name] != run.settings.get(name) for name in today if name not in _LATE):
        return _anew(runner, offered, given)
    return given.way.resume(run.id, settings={name: today[name] for name in _LATE})


def _again(run: RunRecord, way: Way) -> RunRecord:
    return way.undo(run.undoes) if run.undoes else way.run(run.orchestration, max_rows=_sample(run))


def _sample(run: RunRecord) -> int | None:
    """How many a test send was to have: what comes of one is one again, never a whole send."""
    return Options.model_validate(run.options).max_rows


def _anew(_runner: Runner, offered: Offer, given: _Given) -> RunRecord:
    return given.way.run(offered.run.orchestration, restart=True, max_rows=_sample(offered.run))


def _skip(_runner: Runner, offered: Offer, given: _Given) -> RunRecord:
    return given.way.resume(offered.run.id, read_back=False)


def _update_credential(runner: Runner, offered: Offer, given: _Given) -> RunRecord:
    if given.key is None:
        raise UsageError("There is no new key.", code="key_needed", steps=("Give the new API key on standard input.",))
    credential = runner.load(offered.run.orchestration).credential.name
    replace_key(runner.workspace, runner.settings, credential, given.key, account_id=offered.run.account_id)
    return given.way.resume(offered.run.id)


def _allow_fuse(_runner: Runner, offered: Offer, given: _Given) -> RunRecord:
    return given.way.resume(offered.run.id, allowed=offered.fuses)


def _choose_list(_runner: Runner, offered: Offer, given: _Given) -> RunRecord:
    if given.list_id not in offered.lists:
        raise UsageError(
            "That is none of the lists to choose from.",
            code="unknown_list",
            steps=(f"Take one of: {', '.join(offered.lists)}.",),
        )
    return given.way.resume(offered.run.id, settings={"list_id": given.list_id})


def _wait(_runner: Runner, offered: Offer, given: _Given) -> RunRecord:
    return given.way.resume(offered.run.id, not_before=offered.opens_at)


_DO: Mapping[Action, Callable[[Runner, Offer, _Given], RunRecord]] = {
    Action.RETRY: _retry,
    Action.RESTART: _restart,
    Action.ANEW: _anew,
    Action.SKIP: _skip,
    Action.UPDATE_CREDENTIAL: _update_credential,
    Action.ALLOW_FUSE: _allow_fuse,
    Action.CHOOSE_LIST: _choose_list,
    Action.WAIT: _wait,
}
