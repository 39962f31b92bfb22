"""The documentation says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from segue.services.configuration.reference import reference
from segue.settings import Settings

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "reference" / "configuration.md"


def test_the_reference_is_current():
    assert PAGE.read_text(encoding="utf-8") == reference(), (
        "run: python -m segue.services.configuration.reference > docs/reference/configuration.md"
    )


def test_every_documented_default_of_a_variable_is_its_default():
    rows = re.findall(r"^\| `(SEGUE_\w+)` \| (?:`(.*?)`|not set) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(rows) >= 7
    for variable, default in rows:
        assert Settings.from_env({variable: default}) == Settings.from_env({}), variable


@pytest.mark.parametrize(
    "block", re.findall(r"```yaml\n(.*?)```", (DOCS / "how-to" / "configure.md").read_text(), re.DOTALL)
)
def test_the_examples_of_the_guide_apply(site, block):
    report = site.apply(block)
    assert report.changed
    assert report.warnings == ()


def test_merge_keys_work_as_the_guide_says(site):
    report = site.apply(
        "version: 1\ncredentials: [{name: k, type: klaviyo, api_key: '${KLAVIYO_API_KEY}'}]\n"
        "destinations: [{name: D, plugin: klaviyo, credential: k}]\n"
        "data_templates:\n  - &base {name: A, destination: D, list_name: L, max_rows: 5}\n"
        "  - {<<: *base, name: B, max_rows: 7}\n"
    )
    second = next(change for change in report.changes if change.name == "B")
    assert {field.name: field.new for field in second.fields} == {"destination": "D", "list_name": "L", "max_rows": 7}
