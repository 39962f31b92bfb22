"""The examples of the how-tos work."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from segue.services.configuration.entries import GroupEntry

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to"


def block(page, language):
    return re.findall(rf"```{language}\n(.*?)```", (HOW_TO / page).read_text(), re.DOTALL)[0]


@pytest.fixture
def shell(site, tmp_path):
    """Runs a script where ``segue`` is the command and ``dbt`` ends with a code of the test's choice."""
    tools = tmp_path / "bin"
    tools.mkdir()

    def run(script, *, dbt=0):
        for name, text in (("dbt", f"exit {dbt}"), ("segue", f'exec "{sys.executable}" -m segue.cli "$@"')):
            (tools / name).write_text(f"#!/bin/sh\n{text}\n")
            (tools / name).chmod(0o755)
        environment = {
            **os.environ,
            "PATH": f"{tools}:{os.environ['PATH']}",
            "SEGUE_HOME": str(site.settings.home),
        }
        return subprocess.run(
            ["bash", "-c", script], env=environment, check=False, capture_output=True, text=True, timeout=100
        )

    return run


@pytest.mark.parametrize("page", ["schedule.md", "signal-dbt.md", "signal-airflow.md"])
def test_the_groups_are_valid(page):
    for entry in yaml.safe_load(block(page, "yaml"))["orchestration_groups"]:
        GroupEntry.model_validate(entry)


def waiting(page):
    """The group of a page, with a member that these tests have."""
    (group,) = yaml.safe_load(block(page, "yaml"))["orchestration_groups"]
    return {**group, "members": [{"orchestration": "A"}]}


def test_after_dbt_the_group_is_due_and_not_when_dbt_fails(site, shell):
    group = waiting("signal-dbt.md")
    site.apply(group)
    script = block("signal-dbt.md", "bash")
    assert shell(script, dbt=1).returncode == 1
    assert site.scheduler().due(site.later()) == ()
    done = shell(script)
    assert (done.returncode, done.stderr) == (0, "")
    assert [run.group for run in site.scheduler().due(site.later())] == [group["name"]]


def test_the_task_of_airflow_makes_the_group_due(site, shell):
    group = waiting("signal-airflow.md")
    site.apply(group)
    (command,) = (
        keyword.value.value
        for node in ast.walk(ast.parse(block("signal-airflow.md", "python")))
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == "bash_command" and isinstance(keyword.value, ast.Constant)
        if "segue" in str(keyword.value.value)
    )
    done = shell(command)
    assert (done.returncode, done.stderr) == (0, "")
    assert [run.group for run in site.scheduler().due(site.later())] == [group["name"]]
