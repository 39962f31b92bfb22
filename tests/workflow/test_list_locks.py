"""Locks of lists: one run at a time works on a list, one at a time makes a list of a name."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from segue.catalog.locks import FileLocks
from segue.delivery.budget import Interrupted
from segue.workflow.locks import ListTurns, making_list


def turns(folder: Path, said: list[str], *, stop: threading.Event | None = None) -> ListTurns:
    return ListTurns(FileLocks(folder), stop=stop or threading.Event(), told=said.append)


def test_the_second_who_makes_a_list_of_a_name_waits(tmp_path: Path) -> None:
    order: list[str] = []
    asked, stop, locks = threading.Event(), threading.Event(), FileLocks(tmp_path)

    def second() -> None:
        asked.set()
        with making_list(locks, "People", stop=stop):
            order.append("second")

    with making_list(locks, "People", stop=stop), making_list(locks, "Others", stop=stop):
        thread = threading.Thread(target=second)
        thread.start()
        assert asked.wait(60)
        order.append("first")
    thread.join(60)
    assert order == ["first", "second"]


def test_a_turn_that_is_held_is_waited_for_and_said_once(tmp_path: Path) -> None:
    said: list[str] = []
    told, first = threading.Event(), turns(tmp_path, [])

    def tell(text: str) -> None:
        said.append(text)
        told.set()

    assert first.take("acc", "People", "L1") is False
    assert first.take("acc", "People", "L1") is False
    second = ListTurns(FileLocks(tmp_path), stop=threading.Event(), told=tell)
    waited: list[bool] = []
    thread = threading.Thread(target=lambda: waited.append(second.take("acc", "Renamed", "L1")))
    thread.start()
    assert told.wait(60)
    assert not waited
    first.close()
    thread.join(60)
    assert (waited, len(said)) == ([True], 1)
    second.close()


def test_lists_of_one_name_in_two_accounts_are_two(tmp_path: Path) -> None:
    said: list[str] = []
    one, two = turns(tmp_path, said), turns(tmp_path, said)
    assert (one.take("acc", "People", None), two.take("other", "People", None)) == (False, False)
    one.close()
    two.close()
    assert said == []


def test_who_waits_can_be_stopped(tmp_path: Path) -> None:
    first, stop = turns(tmp_path, []), threading.Event()
    first.take("acc", "People", "L1")
    stop.set()
    with pytest.raises(Interrupted):
        turns(tmp_path, [], stop=stop).take("acc", "People", "L1")
    first.close()
