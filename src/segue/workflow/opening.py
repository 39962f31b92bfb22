"""The destination of a run, opened for as long as the run needs it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from segue.delivery.exchanges import Recorder
from segue.delivery.progress import Progress
from segue.destinations.contract import Connection, Destination
from segue.destinations.registry import find_plugin
from segue.services.budgets import known_account, shares
from segue.services.orchestrations import Orchestration
from segue.services.workspace import Workspace
from segue.settings import Settings


@contextmanager
def opened(
    workspace: Workspace,
    orchestration: Orchestration,
    settings: Settings,
    *,
    progress: Progress,
    pause: Callable[[float], bool],
    recorder: Recorder,
) -> Iterator[Destination]:
    """The destination of an orchestration, closed at the end. pause: waits so many seconds, False when the run is to stop;
    recorder: is told of every attempt of a call."""
    destination = find_plugin(orchestration.destination.plugin).open(
        Connection(
            base_url=orchestration.credential.base_url,
            secret=orchestration.credential.secret.reveal(),
            credential=orchestration.credential.name,
            rate_scale=settings.rate_scale,
            settings=orchestration.destination.settings,
            progress=progress,
            pause=pause,
            recorder=recorder,
            share_of=shares(workspace.catalog),
            account_id=known_account(workspace.catalog, orchestration.credential.id),
        )
    )
    try:
        yield destination
    finally:
        destination.close()
