from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from segue.security import Secret
from segue.services.links import Link, first_administrator_link, redeem_link
from segue.services.permissions import Actor, Option, Policy
from segue.services.users import UserRecord
from segue.services.workspace import Workspace, open_workspace
from segue.settings import Settings
from tests.workspaces import new_workspace

PASSWORD = Secret("four words of a sentence")


class Clock:
    """Time that stands still until a test moves it."""

    def __init__(self) -> None:
        self.moment = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.moment

    def forward(self, **by: float) -> None:
        self.moment += timedelta(**by)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    settings = Settings.from_env({"SEGUE_HOME": str(tmp_path / "home")})
    new_workspace(settings)
    opened = open_workspace(settings)
    yield opened
    opened.close()


@pytest.fixture
def ana(workspace: Workspace) -> UserRecord:
    """The first administrator."""
    link = first_administrator_link(workspace)
    assert isinstance(link, Link)
    return redeem_link(workspace, link.token, PASSWORD, name="ana")


def somebody(policy: Policy, *options: Option) -> Actor:
    return Actor(name="somebody", policy=policy, options=frozenset(options))
