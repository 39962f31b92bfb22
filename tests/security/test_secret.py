from __future__ import annotations

import copy
import json
import logging
import pickle
from dataclasses import asdict, dataclass

import pytest

from segue.security import Secret

TEXT = "pk_0123456789abcdef"


@dataclass(frozen=True)
class Holder:
    secret: Secret


@pytest.mark.parametrize(
    "show",
    [
        repr,
        str,
        format,
        ascii,
        "{:>40}".format,
        lambda secret: f"{secret!r:>10}{secret}",
        lambda secret: repr(Holder(secret)),
        lambda secret: repr([secret]),
    ],
)
def test_showing_a_secret_shows_none_of_it(show):
    shown = show(Secret(TEXT))
    assert "0123456789" not in shown
    assert "****" in shown


def test_a_secret_cannot_be_pickled_or_written_as_json():
    with pytest.raises(TypeError, match="pickled"):
        pickle.dumps(Secret(TEXT))
    with pytest.raises(TypeError):
        json.dumps({"key": Secret(TEXT)})


def test_a_secret_has_no_attributes_to_list():
    with pytest.raises(TypeError):
        vars(Secret(TEXT))


def test_logging_a_secret_shows_none_of_it(caplog):
    logging.getLogger("test").warning("the key is %s", Secret(TEXT))
    assert caplog.messages == ["the key is ****"]


def test_only_reveal_tells_it():
    assert Secret(TEXT).reveal() == TEXT


def test_equality_is_by_text():
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("ä") != Secret("a")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a"), Secret("b")}) == 2


def test_copies_and_dataclass_dicts_keep_the_secret_a_secret():
    secret = Secret(TEXT)
    assert copy.copy(secret) is secret
    assert copy.deepcopy({"key": secret})["key"] is secret
    assert asdict(Holder(secret))["secret"] is secret
