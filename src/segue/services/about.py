"""What this Segue is: version, workspace, where its metadata are."""

from __future__ import annotations

import importlib.metadata
import platform
from dataclasses import dataclass

from segue.catalog import schema
from segue.services.workspace import Workspace
from segue.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """version: of Segue; schema: of the metadata database; database: what kind it is; workspace: its folder."""

    version: str
    license: str
    python: str
    workspace: str
    database: str
    schema: str


def about(workspace: Workspace, settings: Settings) -> About:
    """Read it. Raises NotPermittedError."""
    workspace.actor.require("configuration.read")
    found = importlib.metadata.metadata("segue")
    return About(
        version=found["Version"],
        license=found["License-Expression"],
        python=platform.python_version(),
        workspace=str(workspace.layout.home),
        database="PostgreSQL" if settings.database_url is not None else "SQLite, in the workspace",
        schema=schema.revisions()[-1],
    )
