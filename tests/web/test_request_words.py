"""Requests of a run as the page tells them, without a browser."""

from __future__ import annotations

import json

import pytest

from segue.delivery.exchanges import Body
from segue.delivery.timeline import Line
from segue.services.exchanges import RunRequests
from segue.web.pages.run_request_words import readable, slots, waited

START = 1_799_999_488
"""A multiple of 1,024, so that slots of every width begin here."""


def line(after: int, status: int | None, calls: int = 1, waited: float = 0.0) -> Line:
    return Line(at=START + after, endpoint="POST /a", status=status, calls=calls, waited=waited)


def test_slots_count_by_answer_and_add_up_what_was_waited():
    width, found = slots(RunRequests(width=1, lines=(line(0, 202, 3), line(0, 429, 1, 1.5), line(2, None, 2, 0.5))))
    assert width == 1
    assert [(slot.at - START, slot.numbers, slot.waited) for slot in found] == [
        (0, (3, 1, 0), 1.5),
        (2, (0, 0, 2), 0.5),
    ]
    assert waited(found).startswith("Held back for 2.0 s in all")
    assert waited(found[1:]) == ""


@pytest.mark.parametrize(("seconds", "expected"), [(59, 1), (60, 2), (3599, 64), (4 * 86_400, 8192)])
def test_there_are_never_more_than_sixty_bars(seconds, expected):
    width, found = slots(RunRequests(width=1, lines=(line(0, 202), line(seconds, 202))))
    assert width == expected
    assert sum(sum(slot.numbers) for slot in found) == 2
    assert (found[-1].at - found[0].at) / width < 60


def test_nothing_recorded_is_no_slot():
    assert slots(RunRequests(width=1)) == (1, ())


def test_a_body_is_indented_also_where_it_is_cut():
    whole = {"data": [{"a": 'x"]}'}, {"b": [1, 2]}]}
    text = json.dumps(whole)
    assert readable(Body(text=text, size=len(text))) == json.dumps(whole, indent=2)
    cut = text[: text.index(', {"b"')]
    assert json.loads(readable(Body(text=cut, size=len(text), whole=False))) == {"data": [{"a": 'x"]}'}]}
    assert readable(Body(text="<html>", size=6)) == "<html>"
