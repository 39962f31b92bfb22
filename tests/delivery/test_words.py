"""Numbers in sentences."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import segue
from segue.delivery.words import counted


@pytest.mark.parametrize(
    ("number", "words", "text"),
    [
        (0, ("row",), "0 rows"),
        (1, ("row",), "1 row"),
        (2000, ("row",), "2,000 rows"),
        (1, ("person stays", "people stay"), "1 person stays"),
        (3, ("person stays", "people stay"), "3 people stay"),
    ],
)
def test_a_number_and_its_word_agree(number: int, words: tuple[str, ...], text: str) -> None:
    assert counted(number, *words) == text


def test_no_sentence_of_a_run_counts_with_a_fixed_plural() -> None:
    """``{n:,} rows`` says "1 rows" for one."""
    folder = Path(segue.__file__).parent
    files = [*(folder / "destinations").rglob("*.py"), *(folder / "workflow").glob("*.py")]
    files += [folder / "services" / f"{name}.py" for name in ("staging", "planning", "fuses", "strangers")]
    fixed = re.compile(r"\{[^{}]+\} (rows|people|profiles|members|values|jobs)\b")
    found = [
        line.strip() for path in files for line in path.read_text(encoding="utf-8").splitlines() if fixed.search(line)
    ]
    assert found == []
