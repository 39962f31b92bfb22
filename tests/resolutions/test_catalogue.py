"""The catalogue serves every error that a run can end with, and its page is current."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import segue
from segue import errors
from segue.database import failures
from segue.delivery.decider import RULES
from segue.resolutions import Action, catalogue, resolution
from segue.resolutions.reference import reference

SOURCE = Path(segue.__file__).parent
DOCS = SOURCE.parent.parent / "docs"
OF_RUNS = ("audience", "catalog", "database", "delivery", "destinations", "query", "security", "workflow")
ALSO = ("staging", "fuses", "snapshots", "orchestrations", "planning")
BEFORE_A_RUN = {
    # The workspace does not open.
    "schema_older", "schema_newer", "no_workspace", "key_exposed", "key_damaged", "key_missing",
    # The command, or the configuration, is refused.
    "usage", "draft_query", "unknown_plugin", "broken_plugin", "unknown_run", "run_under_way", "unknown_list", "run_over",
    "run_overtaken", "server_running", "server_gone", "run_of_a_command", "unfit_action", "key_needed",
    "already_undone", "unfinished_run", "unknown_fuse",
    # Whoever runs a query by an engine may stop it; nobody does that to the query of a run.
    "query_cancelled",
}  # fmt: skip
NO_FAILURE = {"done", "throttled"}


def _codes(path: Path) -> Iterator[str]:
    """Codes of the errors that a module makes: the argument ``code``, or the default of the class."""
    defaults = {
        name: kind.code for name, kind in vars(errors).items() if isinstance(kind, type) and hasattr(kind, "code")
    }
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        given = {keyword.arg: keyword.value for keyword in node.keywords}
        code = given.get("code")
        if isinstance(code, ast.Constant) and isinstance(code.value, str):
            yield code.value
        elif isinstance(code, ast.IfExp):
            yield from (str(part.value) for part in (code.body, code.orelse) if isinstance(part, ast.Constant))
        elif code is None and node.func.id in defaults and path.name != "errors.py":
            yield defaults[node.func.id]


def _raised() -> set[str]:
    modules = [path for folder in OF_RUNS for path in (SOURCE / folder).rglob("*.py")]
    modules += [SOURCE / "services" / f"{name}.py" for name in ALSO]
    found = {code for path in modules for code in _codes(path)}
    found |= {rule.code for rule in RULES.values()}
    tables = (failures._OWN, failures._NAMED.values(), [code for _, code in failures._NAMED_CODES])
    found |= {code for table in tables for code in table} - {"database_unopened"}
    return found | {code for _, code, _ in failures._RUNNING_CODES}


def test_every_error_of_a_run_has_an_entry() -> None:
    named = {code for entry in catalogue() for code in entry.codes}
    assert _raised() - named - BEFORE_A_RUN - NO_FAILURE == set()


def test_the_enumeration_sees_what_is_raised() -> None:
    # Some of each way in which a code comes about, so that a blind search cannot pass.
    assert {"list_ambiguous", "unavailable", "scope_missing", "invalid_cast", "config", "fuse_blown"} <= _raised()


def test_entries_are_whole() -> None:
    entries = catalogue()
    codes = [code for entry in entries for code in entry.codes]
    assert len(entries) >= 30
    assert len(set(codes)) == len(codes)
    for entry in entries:
        assert entry.actions, entry.codes
        assert entry.steps, entry.codes
        assert entry.cause.endswith("."), entry.codes
        assert entry.who, entry.codes
    assert {action for entry in entries for action in entry.actions} == set(Action)


def test_the_pages_are_there() -> None:
    for entry in catalogue():
        page, _, anchor = entry.docs.partition("#")
        text = (DOCS / page).read_text(encoding="utf-8")
        assert not anchor or f'<a id="{anchor}"></a>' in text, entry.docs


def test_the_reference_is_current() -> None:
    assert (DOCS / "reference" / "resolutions.md").read_text(encoding="utf-8") == reference()


@pytest.mark.parametrize("code", ["something_of_a_plug_in", ""])
def test_an_unforeseen_code_has_a_way_out(code: str) -> None:
    assert resolution(code).actions[0] is Action.RETRY
