"""References say what the code says."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from typing import Any

import pytest
import typer

from segue.cli.main import build
from tests.docs.pages import PAGES, ROOT, name

_NO_ERROR = {"done", "throttled"}
"""Codes in the table of answers that never become an error."""
_NAMES = re.compile(
    r"`segue ((?:[a-z][a-z-]*)(?: [a-z][a-z-]*)?)|^segue ((?:[a-z][a-z-]*)(?: [a-z][a-z-]*)?)", re.MULTILINE
)


def test_the_reference_of_commands_is_current():
    made = subprocess.run(
        [sys.executable, "-m", "docs.make_cli"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert (ROOT / "docs/reference/cli.md").read_text(encoding="utf-8") == made


def test_every_error_code_is_explained():
    page = (ROOT / "docs/reference/errors.md").read_text(encoding="utf-8")
    explained = set(re.findall(r"`([a-z_0-9]+)`", page))
    assert _codes() - _NO_ERROR - explained == set()


def _codes() -> set[str]:
    """The literal codes of calls such as ``SomeError(..., code="...")`` and of classes."""
    codes = set()
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                values = [keyword.value for keyword in node.keywords if keyword.arg == "code"]
            elif isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "code":
                values = [node.value]
            else:
                continue
            codes |= {v.value for v in values if isinstance(v, ast.Constant) and isinstance(v.value, str)}
    return codes


def test_codes_are_found_where_they_are_written():
    assert {"fuse_blown", "list_ambiguous", "plan_outdated", "no_workspace"} <= _codes()


def test_every_dependency_has_one_line():
    page = (ROOT / "docs/dependencies.md").read_text(encoding="utf-8")
    for file in (ROOT / "pyproject.toml", ROOT / "packages/klaviyo-emulator/pyproject.toml"):
        config = tomllib.loads(file.read_text(encoding="utf-8"))
        wanted = [*config["project"]["dependencies"], *config.get("dependency-groups", {}).get("dev", ())]
        names = {re.split(r"[<>=!~\[ ]", requirement)[0] for requirement in wanted}
        assert {missing for missing in names if f"`{missing}`" not in page} == set()


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_pages_name_commands_that_there_are(page):
    app: Any = typer.main.get_command(build())
    unknown = set()
    for quoted, typed in _NAMES.findall(page.read_text(encoding="utf-8")):
        first, _, second = (quoted or typed).partition(" ")
        command = app.commands.get(first)
        if command is None or (second and second not in getattr(command, "commands", {second: None})):
            unknown.add(quoted or typed)
    assert unknown == set()
