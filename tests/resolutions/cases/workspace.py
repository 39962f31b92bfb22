"""What goes wrong with the workspace and with the working files of a run."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

from segue.resolutions import Action
from segue.workflow.records import RunRecord
from tests.e2e.shop import Shop
from tests.resolutions.cases.klaviyo import JOBS, NEW_LIST, POLL, status
from tests.resolutions.journey import Case, Journey, Prepare, nothing
from tests.rights import permissions_count


def home(shop: Shop) -> Path:
    return shop.folder / "home"


def latest(shop: Shop) -> RunRecord:
    """The run that is under way or failed last."""
    run: RunRecord = shop._with_runner(lambda runner: runner.records.recent(limit=1)[0])
    return run


def working(shop: Shop, name: str) -> Path:
    """A working file of the latest run."""
    return home(shop) / "runs" / latest(shop).id / name


def hidden(path: Callable[[Shop], Path]) -> Prepare:
    """A file is gone."""
    return lambda shop: path(shop).rename(shop.folder / "kept")


def restored(path: Callable[[Shop], Path]) -> Prepare:
    """It is put back."""
    return lambda shop: (shop.folder / "kept").replace(path(shop))


def environment(**values: str) -> Prepare:
    """Segue is started with these variables."""
    return lambda shop: shop.environment.update(values)


def without(*names: str) -> Prepare:
    """They are set no more."""

    def prepare(shop: Shop) -> None:
        for name in names:
            del shop.environment[name]

    return prepare


def released(shop: Shop) -> None:
    """What stood in the way does no more."""
    shop.closing.close()


def staged(shop: Shop) -> Path:
    return working(shop, "staged.json")


def full_disk(shop: Shop) -> None:
    """The next thing that the run writes down does not fit."""
    working(shop, "staged.json.part").symlink_to("/dev/full")


def room(shop: Shop) -> None:
    working(shop, "staged.json.part").unlink()


def forbidden(shop: Shop) -> None:
    """The run's folder is somebody else's."""
    folder = staged(shop).parent
    folder.chmod(0o500)
    shop.closing.callback(folder.chmod, 0o700)
    shop.closing.enter_context(permissions_count())


def miscounted(shop: Shop) -> None:
    """A row of the query is in none of the counts."""
    content = json.loads(staged(shop).read_text(encoding="utf-8"))
    content["rows"]["source"] += 1
    staged(shop).write_text(json.dumps(content), encoding="utf-8")


def a_folder(shop: Shop) -> None:
    """Something stands where the rows to send should be, that nobody reckons with."""
    hidden(lambda shop: working(shop, "delta.arrow"))(shop)
    working(shop, "delta.arrow").mkdir()


def the_rows(shop: Shop) -> None:
    working(shop, "delta.arrow").rmdir()
    restored(lambda shop: working(shop, "delta.arrow"))(shop)


def one_without_address(shop: Shop) -> None:
    shop.change("INSERT INTO People (email) VALUES ('no address')")
    shop.configure(max_reject_share=0)


RUNNING = Journey(
    before=one_without_address,
    cases=(
        Case(
            code="engine_memory",
            wrong=environment(SEGUE_ENGINE_MEMORY="1MB"),
            right=without("SEGUE_ENGINE_MEMORY"),
        ),
        Case(code="fuse_blown", task="fuses", wrong=nothing, take=Action.ALLOW_FUSE),
        Case(code="list_refused", task="list", wrong=status(NEW_LIST, 400)),
        Case(code="disk_full", task="list", wrong=full_disk, right=room),
        Case(code="workspace_permissions", task="list", wrong=forbidden, right=released),
        Case(code="unexpected", task="send", wrong=a_folder, right=the_rows),
        Case(code="unexpected_answer", task="confirm", wrong=status(POLL, 418)),
        Case(code="staging_lost", task="confirm", wrong=hidden(staged), right=restored(staged)),
    ),
    jobs=1,
)
"""One run that meets them all and sends every row once."""

ANEW = Journey(
    before=one_without_address,
    cases=(
        Case(code="fuse_blown", task="fuses", wrong=nothing, take=Action.ALLOW_FUSE),
        Case(
            code="sums_differ",
            task="fuses",
            wrong=miscounted,
            right=lambda shop: shop.configure(max_reject_share=1),
            take=Action.ANEW,
        ),
        Case(code="key_refused", task="send", wrong=status(JOBS, 401)),
    ),
)


def snapshots(shop: Shop) -> Path:
    """The files that say who was sent."""
    return home(shop) / "snapshots"


def sent_before(shop: Shop) -> None:
    """One more person is on the list, and leaves the query."""
    shop.generate(13)
    shop.run()
    shop.generate(12)


def write_lock(shop: Shop) -> None:
    """Another process writes, and does not end."""
    writer = sqlite3.connect(home(shop) / "segue.db", isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    shop.closing.callback(writer.close)


def metadata(shop: Shop) -> Path:
    return home(shop) / "segue.db"


def junk(path: Callable[[Shop], Path]) -> Prepare:
    """A file has other content than it should."""

    def prepare(shop: Shop) -> None:
        hidden(path)(shop)
        path(shop).write_bytes(b"nothing that anybody could read, but long enough to be taken for something" * 400)

    return prepare


BEFORE = Journey(
    before=sent_before,
    cases=(
        Case(
            code="wrong_key",
            begun=False,
            wrong=environment(SEGUE_SECRET_KEY="A" * 43 + "="),
            right=without("SEGUE_SECRET_KEY"),
        ),
        Case(
            code="database_unavailable",
            begun=False,
            wrong=environment(SEGUE_DATABASE_URL="postgresql://segue:none@127.0.0.1:1/segue"),
            right=without("SEGUE_DATABASE_URL"),
        ),
        Case(code="workspace_busy", begun=False, wrong=write_lock, right=released),
        Case(code="workspace_damaged", begun=False, wrong=junk(metadata), right=restored(metadata)),
        Case(code="snapshot_missing", wrong=hidden(snapshots), right=restored(snapshots)),
    ),
)
"""The command does not come to a run, or the run not to its query: it is given again."""
