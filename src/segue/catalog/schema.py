"""Revisions of the catalog: which one is there, which one this Segue needs, and the way between them."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path

from sqlalchemy import Engine, MetaData, inspect, text

import segue.catalog
from segue.catalog.base import Base
from segue.errors import StateError

MIGRATIONS = Path(__file__).parent / "migrations"


def revisions() -> tuple[str, ...]:
    """Every known revision, oldest first: each migration's file is named after its revision."""
    return tuple(sorted(file.stem for file in (MIGRATIONS / "versions").glob("[0-9]*.py")))


def metadata() -> MetaData:
    """The tables of every module of this package, so that a new module of models cannot be forgotten."""
    for module in pkgutil.iter_modules(segue.catalog.__path__):
        if not module.ispkg:
            importlib.import_module(f"segue.catalog.{module.name}")
    return Base.metadata


def current(engine: Engine) -> str | None:
    """The revision of the catalog behind engine; None when it has no tables yet."""
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        revision = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        return None if revision is None else str(revision)


def check(engine: Engine) -> None:
    """Raise StateError unless the catalog has exactly the revision that this version of Segue needs."""
    found, known = current(engine), revisions()
    if found == known[-1]:
        return
    if found is None and engine.dialect.name == "postgresql":
        raise StateError("the metadata database is empty", code="no_workspace", steps=("Make its tables: segue init",))
    if found is None or found in known:
        raise StateError(
            f"the workspace has an older schema ({found or 'empty'}) than this Segue needs ({known[-1]})",
            code="schema_older",
            steps=("Run `segue upgrade`; it keeps a copy of the metadata database.",),
        )
    raise StateError(
        f"the workspace has a newer schema ({found}) than this Segue knows ({known[-1]})",
        code="schema_newer",
        steps=("Install the Segue version that made it, or a later one.",),
    )


def upgrade(engine: Engine) -> tuple[str | None, str]:
    """Bring the catalog to the revision that this Segue needs, in one transaction; returns (before, after).

    Raises StateError when the catalog is of a newer Segue.
    """
    # alembic takes as long to import as everything else together: only `init` and `upgrade` pay for it.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    before, known = current(engine), revisions()
    if before is not None and before not in known:
        check(engine)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return before, known[-1]
