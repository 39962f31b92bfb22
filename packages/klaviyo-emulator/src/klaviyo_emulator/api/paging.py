"""Pages of sorted objects whose cursor is the sort key of the last one shown, so that pages survive changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from klaviyo_emulator.api.call import Call
from klaviyo_emulator.errors import invalid

T = TypeVar("T")


def sorted_page(
    call: Call,
    items: Iterable[T],
    key: Callable[[T], tuple[Any, str]],
    *,
    size: int,
    descending: bool = False,
) -> tuple[list[T], str | None]:
    """The page after the call's cursor and the address of the next one. key: (sort value, id)."""
    cursor = call.query.cursor()
    ordered = sorted(items, key=key, reverse=descending)
    if cursor is not None:
        try:
            value, last_id = cursor
            last = (value, last_id)
            ordered = [item for item in ordered if (key(item) < last if descending else key(item) > last)]
        except (TypeError, ValueError):
            raise invalid("Invalid cursor.", parameter="page[cursor]") from None
    shown = ordered[:size]
    more = call.next_url(list(key(shown[-1]))) if len(ordered) > size else None
    return shown, more


def position_cursor(call: Call) -> int | None:
    """The cursor of a page whose order is a position; raises ApiError 400."""
    cursor = call.query.cursor()
    if cursor is not None and (not isinstance(cursor, int) or isinstance(cursor, bool) or cursor < 0):
        raise invalid("Invalid cursor.", parameter="page[cursor]")
    return cursor


def position_page(call: Call, positions: Iterable[int], *, size: int) -> tuple[list[int], str | None]:
    """The first ``size`` positions and the address of the page after them."""
    shown: list[int] = []
    for position in positions:
        if len(shown) == size:
            return shown, call.next_url(shown[-1])
        shown.append(position)
    return shown, None
