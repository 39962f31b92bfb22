"""The commands of the documents do what the documents say, one after the other, as a reader would type them."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from examples.demo import SENDABLE
from examples.sandbox import emulator
from klaviyo_emulator.admin_client import EmulatorAdmin
from segue.database.sample import create_sample
from tests.docs.pages import PAGES, ROOT, blocks
from tests.starts import on_the_path

pytestmark = pytest.mark.timeout(600)
# One after the other in one workspace, since a workspace takes longer than a page; an undo needs a run that added somebody.
_ORDER = (
    "read-rejects",
    "look-into-requests",
    "undo-a-run",
    "retention",
    "keep-configuration-in-git",
    "send-a-test",
    "allow-a-fuse",
    "go-on-after-a-crash",
    "replace-a-key",
    "own-the-whole-list",
    "clear-nulls",
    "schedule",
    "signal-dbt",
    "signal-airflow",
    "alerts",
    "api",
    "use-a-server",
    "serve",
)
_NOT_COMMANDS = {"traces", "forget-a-person", "configure", "users", "use-the-web-app", "postgresql", "share-an-account"}
"""Pages that need a browser, a header of an answer, several people, a database server or a receiver of traces, or that
forget somebody."""
_HOW_TOS = [ROOT / "docs" / "how-to" / f"{stem}.md" for stem in _ORDER]
# Exit code 3 is a run that completed with warnings: the sample has rows that cannot be sent.
_PREAMBLE = """
set -euo pipefail
segue() { command segue "$@" || [ $? -eq 3 ]; }
trap 'kill $(jobs -p) 2>/dev/null || true' EXIT
"""
_READY = """
segue init --sample --rows 500
sed -i s/9800/{port}/ .segue/segue.yaml
segue apply .segue/segue.yaml
segue run "Loyalty to Klaviyo" --yes
"""
# What a reader has running in another terminal; a run that comes before it is up is carried out all the same.
_SERVED = "command segue serve --port 0 &\n"  # not the function: a kill would reach its shell alone
# At the end of the tutorial, before its emulator goes: who is on the list, and people who lost their city.
_LOOK = """
cat > look.py <<'PYTHON'
import json
import duckdb
from klaviyo_emulator.admin_client import EmulatorAdmin
admin = EmulatorAdmin("http://127.0.0.1:{port}")
with duckdb.connect(".segue/customer360.duckdb", read_only=True) as con:
    rows = con.execute("SELECT lower(email) FROM Merged_Customers WHERE customer_number BETWEEN 120 AND 139").fetchall()
people = [admin.profile(email) for (email,) in rows if email]
json.dump({{"members": admin.emails("Customers"), "people": people}}, open("seen.json", "w"))
PYTHON
python look.py
"""


def _script(page: Path, folder: Path, *, port: int) -> str:
    """The scripts of a page, behind one another, for an emulator on the port; its files are written."""
    parts = []
    for block in blocks(page):
        text = block.text.replace("9800", str(port))
        if block.file:
            here = text.replace(
                '"${KLAVIYO_API_KEY}"}', f'"${{KLAVIYO_API_KEY}}", base_url: "http://127.0.0.1:{port}"}}'
            )
            (folder / block.file).write_text(here, encoding="utf-8")
        else:
            parts.append(
                text.replace("segue init --sample\n", f"segue init --sample\nsed -i s/9800/{port}/ .segue/segue.yaml\n")
            )
    return "\n".join(parts)


def _run(script: str, folder: Path, *, tools: Path | None = None) -> str:
    """What a script printed; it must succeed. tools: programs that go before the installed ones."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("SEGUE_", "KLAVIYO_"))}
    path = [str(tools)] if tools else []
    path += [str(Path(sys.executable).parent), os.environ["PATH"]]
    variables = {"PATH": ":".join(path), "KLAVIYO_API_KEY": "pk_test"}
    done = subprocess.run(
        ["bash", "-c", _PREAMBLE + script],
        cwd=folder,
        env={**kept, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def _rows(folder: Path, sql: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(folder / ".segue" / "customer360.duckdb"), read_only=True) as con:
        return con.execute(sql).fetchall()


@pytest.fixture
def klaviyo() -> Iterator[EmulatorAdmin]:
    with emulator() as url:
        yield EmulatorAdmin(url)


def _port(admin: EmulatorAdmin) -> int:
    return int(admin.url.rpartition(":")[2])


def test_tutorial(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    printed = _run(_script(ROOT / "docs/tutorial.md", tmp_path, port=port) + _LOOK.format(port=port), tmp_path)
    assert printed.count("completed with warnings") >= 2
    wanted = {email for (email,) in _rows(tmp_path, SENDABLE)}
    seen = json.loads((tmp_path / "seen.json").read_text(encoding="utf-8"))
    assert set(seen["members"]) == wanted
    people = [person for person in seen["people"] if person]
    assert len(people) > 10
    assert {person["location"]["city"] for person in people} == {None}


def test_readme(tmp_path, klaviyo):
    create_sample(tmp_path / "customer360.duckdb", rows=500)
    printed = _run(_script(ROOT / "README.md", tmp_path, port=_port(klaviyo)), tmp_path)
    assert "The key has every right that a run needs." in printed
    assert len(klaviyo.emails("Loyalty")) > 450


def test_how_tos(tmp_path, klaviyo):
    # The tutorial and the README start the installed program; these many pages one that starts sooner.
    tools = on_the_path()
    _run(_READY.format(port=_port(klaviyo)), tmp_path, tools=tools)
    for page in _HOW_TOS:
        script = _script(page, tmp_path, port=_port(klaviyo))
        printed = _run(_SERVED + script if page.stem == "serve" else script, tmp_path, tools=tools)
        check = _OUTCOMES.get(page.stem)
        if check is not None:
            check(tmp_path, klaviyo, printed)


def test_every_how_to_is_run():
    written = {page.stem for page in PAGES if page.parent.name == "how-to"} - _NOT_COMMANDS
    assert {page.stem for page in _HOW_TOS} == written


def _exported(folder: Path, klaviyo: EmulatorAdmin, printed: str) -> None:
    text = (folder / "segue-export.yaml").read_text(encoding="utf-8")
    assert "pk_test" not in text
    assert "${KLAVIYO_API_KEY" in text
    assert "10 unchanged" in printed  # with the retention that a page before it set


def _ten_members(folder: Path, klaviyo: EmulatorAdmin, printed: str) -> None:
    assert len(klaviyo.emails("Loyalty test")) == 10


def _nobody_left(folder: Path, klaviyo: EmulatorAdmin, printed: str) -> None:
    assert klaviyo.emails("Loyalty") == []


def _group_ran(folder: Path, klaviyo: EmulatorAdmin, printed: str) -> None:
    assert printed.count("  completed") == 2  # one line for each member
    assert klaviyo.emails("Customers") != []


def _signalled(folder: Path, klaviyo: EmulatorAdmin, printed: str) -> None:
    assert "no enabled group" not in printed


def _rejects_written(folder: Path, klaviyo: EmulatorAdmin, printed: str) -> None:
    lines = (folder / "rejects.csv").read_text(encoding="utf-8").splitlines()
    [(missing,)] = _rows(folder, "SELECT count(*) FROM Customer360 WHERE nullif(trim(email), '') IS NULL")
    assert sum("email_missing" in line for line in lines) == missing


def _requests_told(folder: Path, klaviyo: EmulatorAdmin, printed: str) -> None:
    jobs = [line for line in printed.splitlines() if line.startswith("POST /api/profile-bulk-import-jobs")]
    assert [line.split()[2:5] for line in jobs] == [["202", "done", "1"]]
    assert "GET /api/accounts" in printed
    assert "revision: 2026-07-15" in printed
    assert "pk_test" not in printed


_OUTCOMES = {
    "look-into-requests": _requests_told,
    "keep-configuration-in-git": _exported,
    "send-a-test": _ten_members,
    "undo-a-run": _nobody_left,
    "schedule": _group_ran,
    "signal-dbt": _signalled,
    "signal-airflow": _signalled,
    "read-rejects": _rejects_written,
}
