"""Does a credential open its account, and may it do what a run needs?"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from segue.delivery.budget import Interrupted
from segue.delivery.progress import Quiet
from segue.destinations.contract import Account, Connection, Destination, Plugin
from segue.destinations.registry import find_plugin, known_plugins
from segue.errors import ConfigError, CredentialError, DestinationError, SegueError
from segue.security import Secret
from segue.services.budgets import known_account, shares
from segue.services.checks import record_check
from segue.services.orchestrations import Credential, load_credential
from segue.services.workspace import Workspace
from segue.settings import Settings

_PATIENCE = 20.0
"""Seconds of waiting altogether: a test answers soon, where a run would wait for minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TestedConnection:
    """What a credential opens. missing: rights that a run needs and the key lacks, a sentence each."""

    credential: str
    plugin: str
    account: Account
    missing: tuple[str, ...]

    @property
    def sound(self) -> bool:
        """Whether runs can use it."""
        return not self.missing

    @property
    def said(self) -> str:
        """What came of it, a sentence."""
        if not self.sound:
            return f"It opens the account, but the key lacks rights: {' '.join(self.missing)}"
        return f"It opens the account {self.account.name or self.account.id}."


def check_connection(
    workspace: Workspace, settings: Settings, name: str, *, key: Secret | None = None
) -> TestedConnection:
    """Try a credential, writing nothing there. What came of it is kept.

    key: tried in place of the one that is kept; what comes of that is not. Raises UsageError for an unknown name,
    CredentialError for a key that is refused, DestinationError ``unreachable`` when nobody answers.
    """
    workspace.actor.require("connections.check")
    with workspace.catalog.session(read_only=True) as session:
        credential = load_credential(session, workspace.box, name)
    if key is not None:
        return try_credential(workspace, _plugin(credential), replace(credential, secret=key), settings)
    try:
        tested = try_credential(workspace, _plugin(credential), credential, settings)
    except SegueError as error:
        record_check(workspace, name, sound=False, said=error.message)
        raise
    keep_check(workspace, tested)
    return tested


def keep_check(workspace: Workspace, tested: TestedConnection) -> None:
    """Remember what came of a check of what is saved."""
    record_check(workspace, tested.credential, sound=tested.sound, said=tested.said)


def try_credential(
    workspace: Workspace,
    plugin: Plugin,
    credential: Credential,
    settings: Settings,
    *,
    given: Mapping[str, Any] | None = None,
) -> TestedConnection:
    """Try a credential that may not be saved yet. given: settings of the destination. Raises as ``check_connection``."""
    with opened(workspace, plugin, credential, settings, given=given) as destination:
        return TestedConnection(
            credential=credential.name,
            plugin=plugin.name,
            account=destination.account(),
            missing=destination.check(),
        )


def require_sound(tested: TestedConnection) -> None:
    """Raise CredentialError ``rights_missing`` when a key opens its account and may not do what a run needs."""
    if not tested.sound:
        raise CredentialError(
            f'The key of the credential "{tested.credential}" lacks rights that a run needs.',
            code="rights_missing",
            steps=(*tested.missing, "Give the key these rights, or take another key, and try again."),
        )


@contextmanager
def opened(
    workspace: Workspace,
    plugin: Plugin,
    credential: Credential,
    settings: Settings,
    *,
    given: Mapping[str, Any] | None = None,
) -> Iterator[Destination]:
    """A destination to ask something of, which answers soon or not at all. Raises DestinationError ``unreachable``."""
    destination = plugin.open(
        Connection(
            base_url=credential.base_url,
            secret=credential.secret.reveal(),
            credential=credential.name,
            rate_scale=settings.rate_scale,
            settings=given or {},
            progress=Quiet(),
            pause=_Patience().pause,
            share_of=shares(workspace.catalog),
            account_id=known_account(workspace.catalog, credential.id),
        )
    )
    try:
        yield destination
    except Interrupted:
        raise DestinationError(
            f'The destination of the credential "{credential.name}" does not answer.',
            code="unreachable",
            steps=(
                "Check the network and the base_url of the credential.",
                "Try again in a minute: what Segue may use of the account's limits may be used up until then.",
            ),
        ) from None
    finally:
        destination.close()


class _Patience:
    """Waits as long as it is asked to, until its seconds are used up."""

    def __init__(self) -> None:
        self._left = _PATIENCE
        self._never = threading.Event()

    def pause(self, seconds: float) -> bool:
        """Wait; False when that would take too long altogether."""
        self._left -= seconds
        return self._left >= 0 and not self._never.wait(seconds)


def _plugin(credential: Credential) -> Plugin:
    """The plug-in that uses credentials of this type."""
    broken: ConfigError | None = None
    for name in known_plugins():
        try:
            plugin = find_plugin(name)
        except ConfigError as error:
            broken = error
            continue
        if plugin.credential == credential.type:
            return plugin
    raise broken or ConfigError(
        f'No destination plug-in uses credentials of the type "{credential.type}".',
        code="unknown_plugin",
        steps=("Install the plug-in that the credential is for.",),
    )
