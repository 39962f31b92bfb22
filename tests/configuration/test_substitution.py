from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.services.configuration.substitution import escape, substitute

ENVIRON = {"A": "one", "EMPTY": "", "B_2": "two", "NESTED": "${A}"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("${A}", "one"),
        ("<${A}-${B_2}>", "<one-two>"),
        ("${A:-x}", "one"),
        ("${NONE:-x y}", "x y"),
        ("${NONE:-}", ""),
        ("${EMPTY:-x}", "x"),
        ("${EMPTY}", ""),
        ("$${A}", "${A}"),
        ("$A and $ {A}", "$A and $ {A}"),
        # A value is never substituted again: it may hold anything.
        ("${NESTED}", "${A}"),
    ],
)
def test_references(text, expected):
    result = substitute(text, ENVIRON)
    assert result.text == expected
    assert result.unset == ()
    assert not result.malformed


def test_unset_variables_are_named():
    assert substitute("${NONE} ${A} ${NADA}", ENVIRON).unset == ("NONE", "NADA")


@pytest.mark.parametrize("text", ["${", "${}", "${1A}", "${A", "${A:x}", "${a b}"])
def test_malformed_references_are_noticed(text):
    assert substitute(text, ENVIRON).malformed


def test_whether_a_variable_was_used():
    assert substitute("${A:-x}", ENVIRON).used
    assert not substitute("$${A} $A", ENVIRON).used


@given(st.text(alphabet="${}A:-x ", max_size=20))
def test_escaping_undoes_itself(text):
    result = substitute(escape(text), ENVIRON)
    assert result.text == text
    assert not result.used
    assert not result.malformed
