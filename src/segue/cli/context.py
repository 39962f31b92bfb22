"""What commands share: the settings of this process and the open workspace."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from segue.settings import Settings

if TYPE_CHECKING:
    from segue.services.workspace import Workspace


def settings() -> Settings:
    """The settings of this process. Raises ConfigError naming a variable that makes no sense."""
    return Settings.from_env(os.environ)


def armed_settings() -> Settings:
    """The settings of a command that crash tests may kill at a place."""
    from segue import failpoints  # noqa: PLC0415 -- rarely needed

    current = settings()
    if current.failpoint:
        failpoints.arm(current.failpoint)
    return current


@contextmanager
def workspace() -> Iterator[Workspace]:
    """The workspace at SEGUE_HOME, closed at the end. Raises StateError when it cannot be used."""
    from segue.services.workspace import open_workspace  # noqa: PLC0415 -- loads SQLAlchemy

    opened = open_workspace(settings())
    try:
        yield opened
    finally:
        opened.close()
