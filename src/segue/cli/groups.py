"""``segue groups``, ``segue group run``, ``segue signal`` and ``segue schedule``."""

# ruff: noqa: PLC0415 -- SQLAlchemy and DuckDB load inside the commands, so that `segue --help` stays quick
from __future__ import annotations

import signal as signals
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from segue.cli.context import settings, workspace
from segue.cli.display import Lines
from segue.cli.group_reports import describe, run_dict, show_group, show_run

if TYPE_CHECKING:
    from segue.delivery.progress import Progress
    from segue.errors import SegueError
    from segue.scheduling import GroupRecord, MemberResult, Scheduler, Turn
    from segue.services.workspace import Workspace
    from segue.settings import Settings

_PANEL = "Groups"
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Parallel = Annotated[int, typer.Option("--parallel", min=1, max=64, help="Orchestrations that run at once.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command(rich_help_panel=_PANEL)(groups)
    group = typer.Typer(help="Run orchestration groups.", no_args_is_help=True, rich_markup_mode="rich")
    group.command()(run)
    # With one command typer would drop its name.
    group.callback()(_group)
    app.add_typer(group, name="group", rich_help_panel=_PANEL)
    app.command(rich_help_panel=_PANEL)(signal)
    app.command(rich_help_panel=_PANEL)(schedule)


def _group() -> None:
    """Run orchestration groups."""


def groups(as_json: AsJson = False) -> None:
    """List the groups: what starts them, when next, and how the last run went."""
    from segue.cli.output import print_json
    from segue.scheduling import load_groups

    with workspace() as opened:
        scheduler = _scheduler(opened)
        with opened.catalog.session(read_only=True) as session:
            found = load_groups(session)
        described = [describe(group, scheduler) for group in found]
        beat = scheduler.last_beat()
    if as_json:
        print_json({"groups": described, "scheduler_seen_at": beat and beat.isoformat()})
        return
    for one in described:
        show_group(one)
    seen = f"{beat:%Y-%m-%d %H:%M:%S} UTC" if beat else "never; start it with `segue serve`"
    typer.echo(f"scheduler last seen: {seen}" if described else "There are no groups. See docs/how-to/schedule.md.")


def run(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the group.")],
    parallel: Parallel = 4,
    as_json: AsJson = False,
) -> None:
    """Run a group now, whether it is enabled and whether or not the data changed: by the server, or here where none works.

    A run of the group that was killed is finished instead. Exit code: 0 completed, 3 completed with warnings, 1 failed,
    2 usage, 130 interrupted.
    """
    from segue.cli.output import print_json
    from segue.workflow.following import run_group_by_server

    with workspace() as opened, _until_interrupted() as stop:
        scheduler = _scheduler(opened, parallel=parallel, stop=stop)
        ended = run_group_by_server(scheduler, opened, name)
        if ended is None:
            starter = _Starter(workspace=opened, settings=settings(), stop=stop, quiet=as_json)
            ended = scheduler.run_now(name, starter.start)
    if as_json:
        print_json(run_dict(ended))
    else:
        show_run(ended)
    raise typer.Exit(ended.status.exit_code)


def signal(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The name that groups have under after_signal.")],
) -> None:
    """Say that upstream data are ready: groups that wait for this signal become due.

    The scheduler starts them; here nothing is run.
    """
    from segue.scheduling import record_signal
    from segue.scheduling.signals import hint_for

    with workspace() as opened:
        due = [group.name for group in record_signal(opened.catalog, name)]
        hint = "" if due else hint_for(opened.catalog, name)
    typer.echo(f'signal "{name}" recorded' + (f"; due: {', '.join(due)}" if due else ""))
    if hint:
        typer.secho(f"warning: {hint}", err=True, fg="yellow")


def schedule(parallel: Parallel = 4) -> None:
    """Start groups when they are due, in this process, until it is interrupted (Ctrl-C or SIGTERM).

    One a workspace. What was missed while no scheduler ran is told at the start, and run if the group says so.
    """
    from segue.scheduling import Loop
    from segue.scheduling.telling import tell

    def report(what: str, run: GroupRecord) -> None:
        _report(what, run)
        tell(opened, what, run)

    with workspace() as opened, _until_interrupted() as stop:
        scheduler = _scheduler(opened, parallel=parallel, stop=stop)
        starter = _Starter(workspace=opened, settings=settings(), stop=stop)
        typer.echo("the scheduler runs; Ctrl-C stops it")
        Loop(scheduler=scheduler, start=starter.start, report=report, trouble=_trouble).run()
    typer.echo("the scheduler has stopped")


def _scheduler(opened: Workspace, *, parallel: int = 1, stop: threading.Event | None = None) -> Scheduler:
    from segue.scheduling import Scheduler

    event = stop or threading.Event()
    return Scheduler(catalog=opened.catalog, locks=opened.locks, parallel=parallel, stop=event)


@contextmanager
def _until_interrupted() -> Iterator[threading.Event]:
    """An event that Ctrl-C and SIGTERM set; a second Ctrl-C ends the process, which runs survive."""
    from segue import failpoints

    if failpoint := settings().failpoint:
        failpoints.arm(failpoint)
    stop = threading.Event()

    def interrupt(number: int, frame: Any) -> None:
        if stop.is_set():
            signals.default_int_handler(number, frame)
        stop.set()
        typer.echo("stopping: what is on its way is finished, press Ctrl-C again to stop at once", err=True)

    before = {number: signals.signal(number, interrupt) for number in (signals.SIGINT, signals.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signals.signal(number, handler)


@dataclass(kw_only=True)
class _Starter:
    """Runs members of groups in this process."""

    workspace: Workspace
    settings: Settings
    stop: threading.Event
    quiet: bool = False
    _locks: dict[str, threading.Lock] = field(default_factory=lambda: defaultdict(threading.Lock))

    def start(self, turn: Turn) -> MemberResult:
        """Run a member. Those of one account take turns: each has the whole of its rate budget."""
        from segue.scheduling import MemberResult, MemberStatus
        from segue.workflow.grouping import member_status
        from segue.workflow.run import Runner

        name = turn.orchestration
        runner = Runner(workspace=self.workspace, settings=self.settings, progress=self._progress(name), stop=self.stop)
        with self._locks[runner.load(name).credential.id]:
            if self.stop.is_set():
                return MemberResult(run_id=None, status=MemberStatus.STOPPED)
            ended = runner.run(name)
            if ended.resumed and member_status(ended.run).succeeded:
                # What was finished is an older look at the data than the one that is due.
                ended = runner.run(name)
        error = ended.run.error or {}
        return MemberResult(
            run_id=ended.run.id,
            status=member_status(ended.run),
            message=str(error.get("message", "")),
        )

    def _progress(self, name: str) -> Progress:
        from segue.delivery.progress import Quiet

        return Quiet() if self.quiet else _MemberLines(member=name)


@dataclass(slots=True, kw_only=True)
class _MemberLines(Lines):
    """Lines that say of which orchestration they are: several run at once."""

    member: str

    def _say(self, text: str) -> None:
        Lines._say(self, f"{self.member}: {text}")  # noqa: SLF001 -- super() knows no class that has slots


def _report(what: str, run: GroupRecord) -> None:
    """One line to the log of the scheduler, and the warnings."""
    from segue.scheduling.telling import blame

    at = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%SZ}"
    if what == "due":
        typer.echo(f'{at} group "{run.group}" starts ({run.cause}, due {run.due_at:%Y-%m-%d %H:%M:%SZ}), run {run.id}')
    elif what == "missed":
        typer.echo(f'{at} group "{run.group}" missed its time')
    else:
        typer.echo(f'{at} group "{run.group}" {run.status}{blame(run)}, run {run.id}')
    if what != "ended" or run.status == "skipped":
        for warning in run.warnings:
            typer.secho(f'warning: group "{run.group}": {warning}', err=True, fg="yellow")


def _trouble(error: SegueError) -> None:
    typer.secho(f"warning: {error.message}; looking again soon", err=True, fg="yellow")
