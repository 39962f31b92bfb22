"""The workspace: the folder that holds everything Segue knows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import URL, Engine, make_url, select

from segue.catalog import Catalog, schema, sqlite
from segue.catalog.catalog import connect, translated
from segue.catalog.locks import Locks
from segue.catalog.models import Credential
from segue.errors import StateError
from segue.security import SecretBox, create_key, read_key
from segue.services.permissions import LOCAL, Actor
from segue.settings import Settings

_PRIVATE = 0o700


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where each thing lives under the workspace folder ``home`` (absolute)."""

    home: Path

    @property
    def database(self) -> Path:
        """The metadata database where it is a file."""
        return self.home / "segue.db"

    @property
    def key(self) -> Path:
        """The key that seals credentials; not there when SEGUE_SECRET_KEY is used from the start."""
        return self.home / "secret.key"

    @property
    def snapshots(self) -> Path:
        """What Klaviyo has acknowledged, as Parquet."""
        return self.home / "snapshots"

    @property
    def runs(self) -> Path:
        """Working files of runs."""
        return self.home / "runs"

    @property
    def locks(self) -> Path:
        """Lock files, one per orchestration that is running; not used where the metadata are in PostgreSQL."""
        return self.home / "locks"

    @property
    def sample(self) -> Path:
        """The synthetic Customer 360 that ``segue init --sample`` makes."""
        return self.home / "customer360.duckdb"

    @property
    def sample_config(self) -> Path:
        """The example configuration beside the sample."""
        return self.home / "segue.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """An open workspace: its layout, its metadata database, its locks, the box that opens its secrets, and who acts in it.

    Use cases ask the actor; without another one it is the local operator, who holds the key of the workspace.
    """

    layout: Layout
    catalog: Catalog
    locks: Locks
    box: SecretBox
    actor: Actor = LOCAL

    def acting_as(self, actor: Actor) -> Workspace:
        """The same workspace for somebody else: edges that serve several people open it once."""
        return replace(self, actor=actor)

    def close(self) -> None:
        """Close the metadata database."""
        self.catalog.close()


def database_url(settings: Settings) -> URL:
    """SQLAlchemy URL of the metadata database. It may hold a password."""
    if settings.database_url is not None:
        return make_url(settings.database_url.reveal())
    return URL.create("sqlite", database=str(Layout(home=settings.home).database))


def open_workspace(settings: Settings) -> Workspace:
    """The workspace at settings.home. Raises StateError when it is missing, damaged or of another version."""
    layout = Layout(home=settings.home)
    catalog = Catalog(database_url(settings))
    try:
        return Workspace(
            layout=layout,
            catalog=catalog,
            locks=catalog.locks(layout.locks),
            box=SecretBox(settings.secret_key or read_key(layout.key)),
        )
    except BaseException:
        catalog.close()
        raise


def init_workspace(settings: Settings) -> tuple[Path, ...]:
    """Make whatever the workspace at settings.home lacks; returns the paths that were made.

    Nothing that exists is changed. Raises StateError when the existing metadata database is of another
    version, or when its key is gone.
    """
    layout = Layout(home=settings.home)
    made = [folder for folder in (layout.home, layout.snapshots, layout.runs, layout.locks) if _make_folder(folder)]
    if _make_database(settings, layout):
        made.append(layout.database)
    if settings.secret_key is None and not layout.key.exists():
        _refuse_if_sealed(settings, layout)
        if create_key(layout.key):
            made.append(layout.key)
    open_workspace(settings).close()
    return tuple(made)


def upgrade_workspace(settings: Settings) -> tuple[str, str, Path | None] | None:
    """Bring the metadata database to the schema of this Segue; a SQLite file is copied first.

    Returns (revision before, revision after, path of the copy), or None when there was nothing to do.
    """
    layout, url, copy = Layout(home=settings.home), database_url(settings), None
    engine = connect(url)
    try:
        with translated(url):
            before = schema.current(engine)
            if before == schema.revisions()[-1]:
                return None
            if settings.database_url is None:
                copy = _free_path(layout.home, f"segue.db.{before or 'empty'}")
                sqlite.back_up(engine, copy)
            _, after = schema.upgrade(engine)
        return before or "empty", after, copy
    finally:
        engine.dispose()


def make_sample(settings: Settings, *, rows: int) -> tuple[Path, ...]:
    """Make the synthetic Customer 360 of so many customers, and an example configuration beside it.

    What exists is left alone; returns the paths that were made.
    """
    from segue.database.sample import create_sample  # noqa: PLC0415 -- loads DuckDB

    layout = Layout(home=settings.home)
    made = []
    if not layout.sample.exists():
        create_sample(layout.sample, rows=rows)
        made.append(layout.sample)
    if not layout.sample_config.exists():
        example = Path(__file__).with_name("sample.yaml").read_text(encoding="utf-8")
        layout.sample_config.write_text(example, encoding="utf-8")
        made.append(layout.sample_config)
    return tuple(made)


def _make_folder(folder: Path) -> bool:
    if folder.is_dir():
        return False
    try:
        folder.mkdir(mode=_PRIVATE, parents=True)
    except OSError as error:
        raise StateError(
            f"the workspace folder {folder} cannot be made",
            code="workspace_folder",
            cause=error.strerror or type(error).__name__,
            steps=("Set SEGUE_HOME to a folder that you may write to.",),
        ) from None
    return True


def _make_database(settings: Settings, layout: Layout) -> bool:
    """Make the tables; whether a file was made for them."""
    new = settings.database_url is None and not layout.database.exists()
    if settings.database_url is None:
        # SQLite would make it readable by others where the umask says so.
        layout.database.touch(mode=0o600)
    url = database_url(settings)
    engine = connect(url, create=True)
    try:
        with translated(url):
            if new or schema.current(engine) is None:
                schema.upgrade(engine)
            else:
                schema.check(engine)
    finally:
        engine.dispose()
    return new


def _refuse_if_sealed(settings: Settings, layout: Layout) -> None:
    """A new key beside credentials that an older key sealed would hide the loss until a run fails."""
    engine: Engine = connect(database_url(settings))
    try:
        with engine.connect() as connection:
            sealed = connection.execute(select(Credential.id).limit(1)).first()
    finally:
        engine.dispose()
    if sealed is not None:
        raise StateError(
            f"the workspace at {layout.home} holds credentials, but its secret.key is gone",
            code="key_missing",
            steps=(
                "Restore secret.key from a backup, or set SEGUE_SECRET_KEY to the same key.",
                "If the key is lost, make a new workspace in another folder and apply the files there.",
            ),
        )


def _free_path(folder: Path, stem: str) -> Path:
    path, number = folder / f"{stem}.bak", 1
    while path.exists():
        number += 1
        path = folder / f"{stem}.{number}.bak"
    return path
