"""The commands, on real runs against the emulator."""

from __future__ import annotations

import json
import os
from datetime import datetime
from itertools import pairwise

import pytest
import yaml

from klaviyo_emulator import serve
from segue.cli.main import run as command
from segue.services.workspace import open_workspace
from segue.settings import Settings
from segue.workflow.records import RunRecords

NAMES = ("Gold", "Silver", "Empty")


class Shop:
    """People in three tiers, an orchestration each; nobody is in the tier Empty, so its fuse blows."""

    def __init__(self, folder, emulator, capsys):
        self.folder, self.emulator, self.capsys = folder, emulator, capsys
        (folder / "people.csv").write_text("email,tier\nada@shop-mail.test,Gold\nbob@shop-mail.test,Silver\n")

    def segue(self, *arguments):
        code = command(arguments)
        out, err = self.capsys.readouterr()
        return code, out, err

    def apply(self, *groups):
        document = {
            "version": 1,
            "databases": [{"name": "shop", "engine": "duckdb", "tables": {"People": "./people.csv"}}],
            "credentials": [
                {"name": "klaviyo", "type": "klaviyo", "api_key": self.emulator.key, "base_url": self.emulator.url}
            ],
            "queries": [
                {
                    "name": name,
                    "database": "shop",
                    "status": "active",
                    "sql": f"SELECT email FROM People WHERE tier = '{name}'",
                }
                for name in NAMES
            ],
            "destinations": [{"name": "Klaviyo", "plugin": "klaviyo", "credential": "klaviyo"}],
            "data_templates": [{"name": name, "destination": "Klaviyo", "list_name": name} for name in NAMES],
            "orchestrations": [
                {"name": name, "query": name, "destination": "Klaviyo", "data_template": name} for name in NAMES
            ],
            "orchestration_groups": list(groups),
        }
        (self.folder / "segue.yaml").write_text(yaml.safe_dump(document))
        code, _, err = self.segue("apply", "segue.yaml")
        assert code == 0, err

    def members(self, name):
        return set(self.emulator.admin.emails(name))


@pytest.fixture
def shop(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name in ("SEGUE_SECRET_KEY", "SEGUE_DEBUG", "SEGUE_FAILPOINT", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SEGUE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SEGUE_RATE_SCALE", "0")
    with serve(limit_scale=0) as running:
        made = Shop(tmp_path, running, capsys)
        assert made.segue("init")[0] == 0
        yield made


BOTH = {
    "name": "Both",
    "after_signal": "loaded",
    "members": [{"orchestration": "Gold"}, {"orchestration": "Silver", "after": ["Gold"]}],
}
BROKEN = {
    "name": "Broken",
    "members": [
        {"orchestration": "Gold"},
        {"orchestration": "Empty"},
        {"orchestration": "Silver", "after": ["Empty"]},
    ],
}


def test_group_run_runs_its_members_and_says_how_each_fared(shop):
    shop.apply(BOTH)
    code, out, _ = shop.segue("group", "run", "Both")
    assert code == 0
    assert "completed  Both" in out
    assert (shop.members("Gold"), shop.members("Silver")) == ({"ada@shop-mail.test"}, {"bob@shop-mail.test"})


def test_a_failing_member_fails_the_group_and_stops_those_after_it(shop):
    shop.apply(BROKEN)
    code, out, _ = shop.segue("group", "run", "Broken", "--json")
    run = json.loads(out)
    assert (code, run["status"]) == (1, "failed")
    assert {m["orchestration"]: m["status"] for m in run["members"]} == {
        "Gold": "completed",
        "Empty": "failed",
        "Silver": "skipped",
    }
    assert run["members"][1]["message"]
    assert shop.members("Gold") == {"ada@shop-mail.test"}
    code, out, _ = shop.segue("show", run["members"][0]["run_id"])
    assert code == 0
    code, out, _ = shop.segue("groups")
    assert "failed: Empty failed, Silver skipped" in out


def test_members_of_one_account_take_turns(shop):
    shop.apply({**BOTH, "members": [{"orchestration": "Gold"}, {"orchestration": "Silver"}]})
    code, out, _ = shop.segue("group", "run", "Both", "--json")
    assert code == 0
    workspace = open_workspace(Settings.from_env(os.environ))
    records = RunRecords(workspace.catalog)
    runs = [records.get(member["run_id"]) for member in json.loads(out)["members"]]
    workspace.close()
    first, second = sorted(runs, key=lambda run: run.started_at)
    assert first.ended_at is not None
    assert first.ended_at <= second.started_at


def test_an_unknown_group_is_a_usage_error(shop):
    shop.apply(BOTH)
    code, _, err = shop.segue("group", "run", "Bot")
    assert (code, 'did you mean "Both"' in err) == (2, True)


def test_groups_shows_cron_in_words_and_the_next_five_times_in_the_time_zone(shop):
    schedule = {"cron": "0 6 * * *", "timezone": "Asia/Kolkata"}
    shop.apply({**BOTH, "schedule": schedule, "offset": "10m"}, {**BOTH, "name": "Off", "enabled": False})
    code, out, _ = shop.segue("groups")
    assert code == 0
    assert "At 06:00 every day, Asia/Kolkata  [0 6 * * *]" in out
    assert out.count("06:10 +0530") == 5
    assert 'after "loaded"' in out
    assert "10m later" in out
    assert "Off  (disabled)" in out
    assert "scheduler last seen: never" in out
    listed = json.loads(shop.segue("groups", "--json")[1])
    times = [datetime.fromisoformat(time) for time in listed["groups"][0]["next"]]
    # India has no summer time: five days, 24 hours apart.
    assert [(b - a).total_seconds() for a, b in pairwise(times)] == [86400.0] * 4
    assert all(f"{time:%H:%M%z}" == "06:10+0530" for time in times)


def test_a_signal_says_who_is_due_and_warns_when_nobody_is(shop):
    shop.apply(BOTH)
    assert shop.segue("signal", "loaded") == (0, 'signal "loaded" recorded; due: Both\n', "")
    code, out, err = shop.segue("signal", "loadet")
    assert (code, out) == (0, 'signal "loadet" recorded\n')
    assert 'no enabled group waits for it; did you mean "loaded"?' in err
