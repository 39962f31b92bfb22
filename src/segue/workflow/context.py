"""What the tasks of one run share."""

from __future__ import annotations

import secrets
import shutil
import threading
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Protocol

import pydantic

from segue.audience.workbench import staging_lost, sync_folder, write_bytes
from segue.catalog import Catalog
from segue.catalog.ledger import CatalogLedger
from segue.delivery.budget import Interrupted
from segue.delivery.ledger import Part, PartState
from segue.delivery.progress import Progress
from segue.destinations.contract import Destination, Work
from segue.errors import CredentialError
from segue.services.exchange_files import EXCHANGES_FILE
from segue.services.orchestrations import Orchestration
from segue.services.shared_lists import SharedLists
from segue.services.staged import Staged
from segue.services.staging import still_wanted
from segue.services.workspace import Workspace
from segue.settings import Settings
from segue.workflow.locks import ListTurns
from segue.workflow.phases import NAMES, PASS, Phases, is_done
from segue.workflow.recording import RunRecorder
from segue.workflow.records import RunRecord, RunRecords

_STAGED = pydantic.TypeAdapter(Staged)
_STAGED_FILE = "staged.json"


class Stage(Protocol):
    """How a kind of run stages its work in the run's folder."""

    def __call__(self, context: RunContext) -> Staged:
        """Query and compare, or whatever takes their place."""


@dataclass(frozen=True, kw_only=True)
class RunContext:
    """The tools of a run, and where it stands. allowed: fuses that may blow in this run; expected_plan: the plan that the
    user has seen and that must still be true; read_back: whether the sample is read back from the destination; stop: set when
    no further chunk may be sent; apart: a folder of its own in that of the run."""

    workspace: Workspace
    settings: Settings
    orchestration: Orchestration
    destination: Destination
    progress: Progress
    records: RunRecords
    run: RunRecord
    stage: Stage
    allowed: Collection[str] = ()
    expected_plan: str | None = None
    read_back: bool = True
    stop: threading.Event
    turns: ListTurns
    recorder: RunRecorder
    apart: str | None = None
    phases: Phases

    @property
    def folder(self) -> Path:
        """Where the run's files are."""
        folder = self.workspace.layout.runs / self.run.id
        return folder / self.apart if self.apart else folder

    def begin(self, step: str) -> int:
        """A task begins, or begins again; how often it has, now."""
        if step == PASS[0]:
            self.phases.begin()
        return self.records.begin_task(self.run.id, step, NAMES.index(step))

    def at(self, step: str) -> str:
        """The task that is under way: the first step is a pass of several."""
        return self.phases.current if step == PASS[0] else step

    def count_requests(self) -> None:
        """Write down what this process asked of the destination, beside what the processes before it did."""
        total = Counter(self.run.requests) + Counter(self.destination.requests())
        self.records.update(self.run.id, requests=dict(total))
        self.recorder.save()

    def save(self, staged: Staged) -> None:
        """Keep what was staged for the tasks that follow, now or after a crash."""
        # The session refuses a worker whose run is another one's by now.
        with self.workspace.catalog.session():
            write_bytes(self.folder / _STAGED_FILE, _STAGED.dump_json(staged))

    @contextmanager
    def staging(self) -> Iterator[RunContext]:
        """The same run with a folder that is new. What the block leaves there, failed or not, becomes the run's files.

        A worker that was slow and is replaced may stage beside the one that took its place; it never gets here.
        """
        beside = replace(self, apart=f"staging-{secrets.token_hex(4)}")
        beside.folder.mkdir(parents=True)
        try:
            try:
                yield beside
            except Exception:
                self._adopt(beside.folder)
                raise
            self._adopt(beside.folder)
        finally:
            shutil.rmtree(beside.folder, ignore_errors=True)

    def _adopt(self, staged: Path) -> None:
        with self.workspace.catalog.session():
            for old in self.folder.iterdir():
                # What was asked of the destination so far is of the run, whoever stages it.
                if old.is_file() and old.name != EXCHANGES_FILE:
                    old.unlink()
            # What says that the others are whole comes last.
            for new in sorted(staged.iterdir(), key=lambda path: path.name == _STAGED_FILE):
                if new.is_file():
                    new.replace(self.folder / new.name)
            sync_folder(self.folder)

    def staged(self) -> Staged:
        """What was staged. Raises StateError ``staging_lost`` when it cannot be read."""
        try:
            return _STAGED.validate_json((self.folder / _STAGED_FILE).read_bytes())
        except (FileNotFoundError, pydantic.ValidationError) as error:
            raise staging_lost(_STAGED_FILE, type(error).__name__) from error

    @property
    def shared_lists(self) -> SharedLists:
        """Whom other orchestrations keep on the list."""
        return SharedLists(workspace=self.workspace, orchestration_id=self.orchestration.id)

    @cached_property
    def same_account(self) -> bool:
        """Whether the credential still opens the account for which the run was staged. Raises CredentialError."""
        connected = self.staged().connected
        account = self.destination.account()
        if account.id == connected.account.id:
            return True
        if not account.may_be(connected.account.id) or connected.target.id is None:
            return False
        return self.destination.find_list(connected.target.name, connected.target.id).id == connected.target.id

    @cached_property
    def ledger(self) -> CatalogLedger:
        """What was delivered so far."""
        account = self.staged().connected.account
        return _StoppableLedger(self.workspace.catalog, run_id=self.run.id, account_id=account.id, stop=self.stop)

    def work(self) -> Work:
        """The work for the destination. The list must be there."""
        if is_done(self.run, "query") and not self.same_account:
            raise CredentialError(
                "The credential opens another Klaviyo account than the one that this run began in.",
                code="another_account",
                steps=(
                    "Put back a key of the first account, apply, and run again to finish what was begun.",
                    "Or give the run up and begin anew in this account: segue run ORCHESTRATION --restart",
                ),
            )
        connected = self.staged().connected
        target = connected.target
        assert target.id is not None  # noqa: S101 -- the task `list` comes first
        self.turns.take(connected.account.id, target.name, target.id)
        return Work(
            folder=self.folder,
            list_id=target.id,
            ledger=self.ledger,
            still_wanted=still_wanted(self.folder, self.settings, self.shared_lists, target.id),
        )


class _StoppableLedger(CatalogLedger):
    """Begins no chunk once the run is asked to stop; what is on its way can still be written down."""

    def __init__(self, catalog: Catalog, *, run_id: str, account_id: str, stop: threading.Event) -> None:
        super().__init__(catalog, run_id=run_id, account_id=account_id)
        self._stop = stop

    def mark(self, part: Part, state: PartState, *, job: str | None = None) -> Part:
        """Move a part on. Raises Interrupted instead of beginning to send it."""
        if state is PartState.SENDING and self._stop.is_set():
            raise Interrupted
        return super().mark(part, state, job=job)
