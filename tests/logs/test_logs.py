"""The log: where it goes, and what it masks."""

from __future__ import annotations

import json
import logging
import stat

import pytest

from segue import logs
from segue.errors import ConfigError
from tests.e2e.shop import NAME, Shop


@pytest.fixture(autouse=True)
def quiet():
    yield
    logs.off()


def test_nothing_is_written_until_it_is_asked_for(capfd):
    logs.event("something", run="r")
    assert capfd.readouterr() == ("", "")


def test_events_of_libraries_are_masked(tmp_path):
    path = tmp_path / "segue.jsonl"
    logs.to(str(path))
    logs.task("r1", "send", attempt=2)
    logging.getLogger("library").warning("refused %s with %s", "ana@mail.shop", "pk_0123456789")
    logging.getLogger("library").info("not written")
    logs.done()
    logs.event("later", text="Bearer abcdef")
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [(line["event"], line.get("run"), line.get("task")) for line in lines] == [
        ("task begun", "r1", "send"),
        ("refused ****@**** with pk_****", "r1", "send"),
        ("later", None, None),
    ]
    assert (lines[0]["attempt"], lines[1]["level"], lines[1]["logger"]) == (2, "warning", "library")
    assert lines[2]["text"] == "Bearer ****"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_log_is_added_to(tmp_path):
    for text in ("one", "two"):
        logs.to(str(tmp_path / "log"))
        logs.event(text)
        logs.off()
    assert len((tmp_path / "log").read_text(encoding="utf-8").splitlines()) == 2


def test_a_log_that_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="cannot be written") as caught:
        logs.to(str(tmp_path / "file" / "log"))
    assert caught.value.code == "log_unwritable"


def test_the_command_logs_to_stderr(shop: Shop) -> None:
    shop.generate(2)
    done = shop.command("run", NAME, "--json", SEGUE_LOG="-")
    run = json.loads(done.stdout)
    events = [json.loads(line) for line in done.stderr.splitlines()]
    assert events[0]["event"] == "run begun"
    assert events[-1]["event"] == "run ended"
    assert (events[-1]["added"], events[-1]["status"]) == (2, "completed")
    assert {event["run"] for event in events} == {run["run_id"]}
    assert shop.command("run", NAME, "--json").stderr == ""
