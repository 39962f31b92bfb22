"""What goes wrong with the database, and with the process that queries it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import duckdb
import pytest

from segue.database import duckdb_engine
from segue.delivery.progress import Quiet
from segue.query import DUCKDB_SETUP
from tests.database.conftest import own_children
from tests.e2e.shop import SQL, Shop
from tests.resolutions.cases.queries import stored
from tests.resolutions.cases.workspace import environment, hidden, junk, released, restored, without
from tests.resolutions.journey import RESTART, Case, Journey, both


def database(shop: Shop) -> Path:
    return shop.folder / "shop.duckdb"


def newer_version(shop: Shop) -> None:
    """A later DuckDB wrote the file: the storage version follows the checksum and "DUCK" in its head."""
    path = database(shop)
    shutil.copy(path, shop.folder / "kept")
    content = bytearray(path.read_bytes())
    content[12:20] = (1000).to_bytes(8, "little")
    path.write_bytes(content)
    try:
        duckdb.connect(str(path), read_only=True)
    except duckdb.Error as error:
        computed = int(str(error).split("computed checksum ")[1].split()[0])
    content[:8] = computed.to_bytes(8, "little")
    path.write_bytes(content)


def cut_off(shop: Shop) -> None:
    """The file was not copied to its end."""
    shutil.copy(database(shop), shop.folder / "kept")
    with database(shop).open("rb+") as file:
        file.truncate(13_000)


def loading(shop: Shop) -> None:
    """A load holds the file."""
    shop.closing.enter_context(duckdb.connect(str(database(shop))))


def half_installed(shop: Shop) -> None:
    """A part of DuckDB that Segue reckons with is not there."""
    broken = pytest.MonkeyPatch()
    broken.setattr(duckdb_engine, "DUCKDB_SETUP", (*DUCKDB_SETUP, "SET a_setting_of_another_version = 1"))
    shop.closing.callback(broken.undo)


class Killing(Quiet):
    """The machine ends the process of the query when its first rows have come."""

    def advance(self, task: str, done: int) -> None:
        for child in own_children():
            child.kill()


MANY = "SELECT email FROM People CROSS JOIN UNNEST(sequence(1, 10000)) AS s(n)"
SPILLING = """SELECT email, CAST(n AS varchar) AS c FROM People CROSS JOIN UNNEST(sequence(1, 10000)) AS s(n)
    CROSS JOIN UNNEST(sequence(1, 25)) AS u(m) ORDER BY n * 7919 % 10007, m"""


def killing(shop: Shop) -> None:
    stored(MANY)(shop)
    shop.progress = Killing()


def quiet(shop: Shop) -> None:
    shop.progress = Quiet()


def small_disk(shop: Shop) -> None:
    """The folder of temporary files is on a disk of 2 MB."""
    if os.geteuid() != 0:
        pytest.skip("only root can make a small disk")
    disk = shop.folder / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", disk], check=True)
    shop.closing.callback(lambda: subprocess.run(["umount", disk], check=True))
    elsewhere = pytest.MonkeyPatch()
    elsewhere.setattr(tempfile, "tempdir", str(disk))
    shop.closing.callback(elsewhere.undo)
    shop.environment["SEGUE_QUERY_MEMORY"] = "540MB"
    stored(SPILLING)(shop)


FILES = Journey(
    cases=(
        Case(code="database_missing", wrong=hidden(database), right=restored(database)),
        Case(code="database_invalid", wrong=junk(database), right=restored(database)),
        Case(code="database_unreadable", wrong=cut_off, right=restored(database)),
        Case(code="database_version", wrong=newer_version, right=restored(database)),
        Case(code="database_locked", wrong=loading, right=released),
        Case(
            code="config",
            wrong=environment(SEGUE_QUERY_MEMORY="100MB"),
            right=without("SEGUE_QUERY_MEMORY"),
            take=RESTART,
        ),
        Case(code="setup_failed", wrong=half_installed, right=released),
        Case(
            code="query_timeout",
            wrong=environment(SEGUE_QUERY_SECONDS="0.01"),
            right=without("SEGUE_QUERY_SECONDS"),
        ),
        Case(code="query_died", wrong=killing, right=both(stored(SQL), quiet)),
        Case(code="query_disk", wrong=small_disk, right=both(stored(SQL), released)),
    ),
)
