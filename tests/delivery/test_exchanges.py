from __future__ import annotations

import json

import pytest

from segue.delivery.exchanges import HEAD_BYTES, Answered, answered_how, head_of

SECRET = "pk_0123456789abcdef0123456789abcdef"


def bulk(rows: int) -> bytes:
    people = [
        {"type": "profile", "attributes": {"email": f'q"{i}@mail.shop', "tags": ["a", "b"], "note": "],}"}}
        for i in range(rows)
    ]
    return json.dumps({"data": {"attributes": {"profiles": {"data": people}}}}).encode()


def test_a_small_body_is_kept_whole():
    content = bulk(3)
    head = head_of(content, secret=SECRET)
    assert (head.text, head.size, head.whole) == (content.decode(), len(content), True)


def test_of_a_large_body_the_first_people_are_kept_each_of_them_whole():
    content = bulk(1000)
    head = head_of(content, secret=SECRET)
    assert (head.size, head.whole) == (len(content), False)
    assert len(head.text) <= HEAD_BYTES
    people = json.loads(head.text + "]}}}}")["data"]["attributes"]["profiles"]["data"]
    assert people == json.loads(content)["data"]["attributes"]["profiles"]["data"][: len(people)]
    # As many as fit: one more would be too long.
    assert len(head.text) + len(json.dumps(people[0])) + 2 > HEAD_BYTES


def test_a_person_who_alone_is_too_large_is_left_out():
    content = json.dumps({"data": [{"email": "a@mail.shop", "note": "x" * HEAD_BYTES}]}).encode()
    assert head_of(content, secret=SECRET).text == '{"data": ['


@pytest.mark.parametrize("before", [0, 10, HEAD_BYTES - len(SECRET), HEAD_BYTES - 5, HEAD_BYTES - 1])
def test_a_secret_that_is_echoed_is_not_kept_nor_a_part_of_it(before):
    text = head_of(b"x" * before + SECRET.encode() + b"y" * HEAD_BYTES, secret=SECRET).text
    assert SECRET[:4] not in text


def test_what_is_no_text_is_kept_as_well_as_can_be():
    assert head_of(b"\xff\xfeab", secret=SECRET).text.endswith("ab")


def test_an_answer_is_done_slowed_down_or_failed():
    # klaviyo-api.md: 429 is a pause, never a failure.
    told = {status: answered_how(status) for status in (200, 202, 204, 429, 400, 401, 404, 503, None)}
    assert [status for status, how in told.items() if how is Answered.DONE] == [200, 202, 204]
    assert [status for status, how in told.items() if how is Answered.SLOWED_DOWN] == [429]
    assert [status for status, how in told.items() if how is Answered.FAILED] == [400, 401, 404, 503, None]
