"""The published list: every function answers as Trino's documentation says."""

from __future__ import annotations

import datetime as dt
import decimal
import math
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from segue.query import FUNCTIONS, Case
from segue.query.reference import reference

Run = Callable[..., list[tuple[Any, ...]]]
CASES = [(entry.name, case) for entry in FUNCTIONS for case in entry.cases]
PAGE = Path(__file__).parents[2] / "docs/reference/sql-functions.md"


def plain(value: object) -> object:
    """Give a value as the golden cases write it: text for dates and decimals, hex for binary."""
    if isinstance(value, dt.datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        return str(value)
    if isinstance(value, bytes):
        return value.hex().upper()
    if isinstance(value, list):
        return [plain(each) for each in value]
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    return value


def same(given: object, expected: object) -> bool:
    """Compare by value and type; doubles to the last digits but one."""
    if isinstance(given, float) and isinstance(expected, float):
        return given == expected or math.isclose(given, expected, rel_tol=1e-14, abs_tol=1e-15)
    if isinstance(given, list) and isinstance(expected, list):
        return len(given) == len(expected) and all(map(same, given, expected))
    return type(given) is type(expected) and given == expected


@pytest.mark.parametrize(("name", "case"), CASES, ids=[f"{name}-{number}" for number, (name, _) in enumerate(CASES)])
def test_golden(name: str, case: Case, run: Run) -> None:
    sql = case.sql if case.sql.startswith("SELECT") else f"SELECT {case.sql}"
    ((value,),) = run(sql)
    assert same(plain(value), case.expected), f"{name}: {value!r} where {case.source} gives {case.expected!r}"


def test_at_least_150_functions_each_named_once_and_each_with_a_case() -> None:
    assert len(FUNCTIONS) >= 150
    assert {name: count for name, count in Counter(entry.name for entry in FUNCTIONS).items() if count > 1} == {}
    assert [entry.name for entry in FUNCTIONS if not entry.cases] == []


def test_every_case_names_its_page_and_why() -> None:
    for _, case in CASES:
        page, _, why = case.source.partition(": ")
        assert page.startswith("https://trino.io/docs/current/functions/")
        assert why or page


def test_a_case_calls_its_function() -> None:
    by_operator = {"row", "if"}
    for name, case in CASES:
        assert name in case.sql.lower() or name in by_operator, (name, case.sql)


def test_the_arity_follows_from_the_signature() -> None:
    arity = {entry.name: entry.arity for entry in FUNCTIONS}
    assert arity["pi"] == (0, 0)
    assert arity["round"] == (1, 2)
    assert arity["lag"] == (1, 3)
    assert arity["concat"] == (2, None)
    assert arity["zip"] == (2, None)
    assert arity["reduce"] == (4, 4)
    assert arity["map"] == (0, 2)
    assert arity["random"] == (0, 2)
    assert arity["width_bucket"] == (2, 4)


def test_the_reference_page_is_current() -> None:
    assert PAGE.read_text() == reference(), "run: python -m segue.query.reference > docs/reference/sql-functions.md"
