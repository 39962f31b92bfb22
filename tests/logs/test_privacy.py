"""No log, no error, no output and no table but those that are for it holds a person's data or a key.

Marked people go through a plan, a run with rejects on both sides, failures, an undo and alerts; then everything is searched.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest
import yaml

from segue.cli.main import run as segue
from segue.resolutions import Action
from segue.workflow.resolve import resolve
from tests.e2e.shop import NAME, Shop

JOBS = "POST /api/profile-bulk-import-jobs"
MARKS = (
    "zuzanna",  # first names
    "quixote",  # in addresses
    "6641234567",  # in phone numbers
    "extid-7788",
    "pumpernickel",  # a value of a property
    "Zwettl",  # a city
    "pk_marked",  # the API key
    "wsecretw",  # the address of an alert
)
FOR_PEOPLE = {"delivery_rejects", "profile_ids"}
"""Tables whose purpose is to hold addresses."""


def person(number: int, **changes: object) -> dict[str, object]:
    return {
        "email": f"quixote{number}@mail.shop",
        "first_name": f"Zuzanna{number}",
        "phone_number": f"+436641234567{number}",
        "external_id": f"extid-7788-{number}",
        "city": "Zwettl",
        "tier": "pumpernickel",
        "points": number,
        "last_event_date": "2026-01-01",
        **changes,
    }


@pytest.fixture
def marked(shop: Shop) -> Shop:
    shop.admin.add_key("pk_marked_0123")
    shop.key = "pk_marked_0123"
    shop.environment["SEGUE_LOG"] = str(shop.folder / "log" / "segue.jsonl")
    shop.configure(max_reject_share=1.0, max_remove_share=1.0, max_clear_share=1.0)
    alerts = {
        "version": 1,
        "alerts": [{"name": "Nobody", "url": "${URL}", "when": ["failed", "succeeded", "recovered"]}],
    }
    path = shop.folder / "alerts.yaml"
    path.write_text(yaml.safe_dump(alerts), encoding="utf-8")
    # Nobody listens there: the alert fails each time, and says so.
    assert shop.command("apply", str(path), URL="json://user:wsecretw@127.0.0.1:9/wsecretw").returncode == 0
    return shop


@pytest.mark.timeout(300)
def test_nothing_of_a_person_is_left_behind(
    marked: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shop, said = marked, []
    for name, value in shop.environment.items():
        monkeypatch.setenv(name, value)

    def command(*arguments: str) -> str:
        segue(arguments)
        done = capsys.readouterr()
        said.append(done.err)
        if arguments[0] not in ("history", "rejects"):
            said.append(done.out)
        return done.out

    people = [person(n) for n in range(6)]
    bad = [
        person(7, email="quixote at mail.shop"),
        person(8, phone_number="0664 1234567 8"),
        person(9, external_id="extid-7788-" + "x" * 80),
    ]
    shop.people([*people, *bad, person(1, tier="pumpernickel older")])
    command("plan", NAME, "--json")
    # Somebody else at Klaviyo has the phone of number 3, so that Klaviyo refuses that row by its value.
    shop.admin.seed(
        profiles=[{"email": "other@else.shop", "phone_number": "+4366412345673"}, {"email": "quixote3@mail.shop"}]
    )
    shop.admin.fault("status", JOBS, status=429, count=1)
    first = json.loads(command("run", NAME, "--json"))["run_id"]
    command("rejects", first)
    assert "429" in command("requests", first)
    command("history", "quixote1@mail.shop")
    command("show", first)
    shop.change("UPDATE People SET city = NULL, first_name = NULL WHERE points = 2")
    shop.change("DELETE FROM People WHERE points = 5")
    shop.admin.fault("status", "POST /api/profile-import", status=400, count=1)
    second = json.loads(command("run", NAME, "--json"))["run_id"]
    failures(shop, command)
    undone = json.loads(command("undo", second, "--json"))["run_id"]
    for run in (first, second, undone):
        command("show", run, "--json")
    command("runs", "--json")
    command("activity", "--json")
    command("activity")
    command("alert", "test", "Nobody")
    command("list", "--json")
    command("export")
    log = (shop.folder / "log" / "segue.jsonl").read_text(encoding="utf-8")
    found = [mark for text in (log, *said, *database(shop)) for mark in MARKS if mark.lower() in text.lower()]
    assert found == []
    assert any("Nobody" in text for text in said)
    complete(log, {first, second, undone})


def failures(shop: Shop, command) -> None:
    """Runs that fail over the values of people, one way after the other."""
    shop.change("INSERT INTO People SELECT * REPLACE ('pumpernickel other' AS tier) FROM People WHERE points = 1")
    shop.configure(duplicates="fail")
    run = json.loads(command("run", NAME, "--json"))
    assert run["error"]["code"] == "duplicate_keys"
    command("resolve", run["run_id"])
    command("resolve", run["run_id"], "--json")
    before, shop.sql = shop.sql, "SELECT email, CAST(tier AS integer) AS tier FROM People"
    shop.configure(duplicates="latest_by: last_event_date")
    run = json.loads(command("run", NAME, "--json"))
    assert run["error"]["code"] == "invalid_cast"
    shop.sql = before
    shop.configure()
    shop.admin.fault("status", JOBS, status=401, count=1)
    shop.change("UPDATE People SET tier = 'pumpernickel new'")
    run = json.loads(command("run", NAME, "--json"))
    assert run["error"]["code"] == "key_refused"
    assert shop._with_runner(lambda runner: resolve(runner, run["run_id"], Action.RETRY)).error is None


def database(shop: Shop) -> list[str]:
    """Every row of the metadata database, but of the tables that are for people's data."""
    with closing(sqlite3.connect(shop.settings.home / "segue.db")) as opened:
        tables = [name for (name,) in opened.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        assert set(tables) >= FOR_PEOPLE
        rows = [
            str(row) for name in tables if name not in FOR_PEOPLE for row in opened.execute(f'SELECT * FROM "{name}"')
        ]
        meant = [str(row) for name in FOR_PEOPLE for row in opened.execute(f'SELECT * FROM "{name}"')]
    assert len(rows) > 20
    # The marks do come this far: where they are meant to be, they are.
    assert any("quixote" in row for row in meant)
    return rows


def complete(log: str, runs: set[str]) -> None:
    """The log tells each run and its tasks, one JSON object a line."""
    lines = [json.loads(line) for line in log.splitlines()]
    assert {"event", "level", "timestamp"} <= set(lines[0])
    for run in runs:
        tasks = [line["task"] for line in lines if line["event"] == "task begun" and line["run"] == run]
        assert tasks[0] == "query"
        assert tasks[-1] == "record"
        [ended] = [line for line in lines if line["event"] == "run ended" and line["run"] == run]
        assert ended["status"] in ("completed", "completed with warnings")
    assert any(line["event"] == "alert not sent" for line in lines)
