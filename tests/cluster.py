"""A PostgreSQL of our own: Debian's programs, a cluster in a temporary folder, reached by a socket file alone."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

_DEBIAN = Path("/usr/lib/postgresql")
_WHY = "PostgreSQL is not installed and could not be: nothing that needs it was tested (apt-get install postgresql)"
_TABLES = """import sys
from segue.services.workspace import init_workspace, open_workspace
from segue.settings import Settings
from segue.workflow.engine import Engine
settings = Settings.from_env({"SEGUE_HOME": sys.argv[1], "SEGUE_DATABASE_URL": sys.argv[2]})
init_workspace(settings)
state = open_workspace(settings).catalog.for_engine()
Engine(state, worker_id="template", at_once=1, carry_out=lambda _: None).close()
"""


def programs() -> Path | None:
    """The folder of initdb and postgres."""
    versions = sorted(_DEBIAN.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3])) if _DEBIAN.is_dir() else []
    if versions:
        return versions[-1].parent
    found = shutil.which("initdb")
    return Path(found).resolve().parent if found else None


class Cluster:
    """A running cluster."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._template: str | None = None

    def workspace(self) -> str:
        """The URL of a new database with all tables, those of the engine included."""
        if self._template is None:
            url = self.make()
            # In a process of its own: a database that somebody is connected to cannot be copied.
            subprocess.run([sys.executable, "-c", _TABLES, str(self._folder / "home"), url], check=True, timeout=100)
            self._template = url.partition("?")[0].rpartition("/")[2]
        return self.make(self._template)

    def url(self, database: str) -> str:
        """As SEGUE_DATABASE_URL takes it."""
        return f"postgresql://segue@/{database}?host={self._folder}"

    def make(self, template: str = "template1") -> str:
        """A new database; its URL."""
        name = f"t{uuid.uuid4().hex}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)


@contextmanager
def cluster() -> Iterator[Cluster]:
    """Start one, and end it. Skips the test, loudly, where there is no PostgreSQL."""
    found = programs()
    if found is None:
        pytest.skip(_WHY)
    # The path of a socket has at most 107 bytes: pytest's own folders can be longer.
    folder = Path(tempfile.mkdtemp(prefix="segue-pg-"))
    user = _user(folder)
    data = folder / "data"
    arguments = ["-D", str(data), "-U", "segue", "--auth=trust", "-E", "UTF8", "--locale=C", "--no-sync"]
    _call([str(found / "initdb"), *arguments], folder, user)
    # Nothing in it outlives the tests: it need not be written to the disk.
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": str(folder),
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
        "max_connections": "200",
        "shared_buffers": "32MB",
    }
    options = " ".join(f"-c {name}={value}" for name, value in settings.items())
    options = options.replace("listen_addresses=", "listen_addresses=''")
    control = [str(found / "pg_ctl"), "-D", str(data), "-w", "-l", str(folder / "log")]
    _call([*control, "-o", options, "start"], folder, user)
    try:
        yield Cluster(folder)
    finally:
        _call([*control, "-m", "immediate", "stop"], folder, user)
        shutil.rmtree(folder, ignore_errors=True)


def _call(command: list[str], folder: Path, user: int | None) -> None:
    # pg_ctl leaves its output to the server: a pipe would never end.
    with (folder / "out").open("w") as out:
        subprocess.run(
            command,
            check=True,
            stdout=out,
            stderr=out,
            cwd=folder,
            timeout=100,
            user=user,
            extra_groups=None if user is None else [],
        )


def _user(folder: Path) -> int | None:
    """PostgreSQL refuses to work as root: then it works as the user of Debian's package, or as nobody."""
    if os.geteuid() != 0:
        return None
    names = [entry.pw_name for entry in pwd.getpwall()]
    user = pwd.getpwnam("postgres" if "postgres" in names else "nobody").pw_uid
    os.chown(folder, user, -1)
    return user
