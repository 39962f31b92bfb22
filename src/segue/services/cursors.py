"""Places in lists that go back in time, as texts that callers hand back unread."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from segue.errors import UsageError

T = TypeVar("T")


def write_cursor(moment: datetime, id_: str) -> str:
    """The place after the thing of this moment and id."""
    return base64.urlsafe_b64encode(f"{moment.isoformat()} {id_}".encode()).decode()


def cut(found: Sequence[T], limit: int, place: Callable[[T], tuple[datetime, str]]) -> tuple[Sequence[T], str | None]:
    """A page of at most ``limit`` things, and the cursor after it; None where it is the last one.

    found: one more than the page holds, where there is one; place: moment and id of a thing.
    """
    shown = found[:limit]
    return shown, write_cursor(*place(shown[-1])) if len(found) > limit else None


def read_cursor(cursor: str) -> tuple[datetime, str]:
    """Moment and id. Raises UsageError ``bad_cursor`` for a text that ``write_cursor`` did not make."""
    try:
        moment, _, id_ = base64.b64decode(cursor, altchars=b"-_", validate=True).decode().partition(" ")
        at = datetime.fromisoformat(moment)
        return at.astimezone(at.tzinfo), id_
    except (ValueError, OverflowError):
        raise bad_cursor() from None


def write_position(position: int) -> str:
    """The place before the thing at this position of a list that does not change."""
    return base64.urlsafe_b64encode(f"at {position}".encode()).decode()


def read_position(cursor: str) -> int:
    """The position, from 0. Raises UsageError ``bad_cursor``."""
    try:
        word, _, number = base64.b64decode(cursor, altchars=b"-_", validate=True).decode().partition(" ")
    except ValueError:
        raise bad_cursor() from None
    if word != "at" or not number.isascii() or not number.isdigit() or len(number) > 12:  # noqa: PLR2004 -- rows
        raise bad_cursor()
    return int(number)


def bad_cursor() -> UsageError:
    """The error for a cursor that is none."""
    return UsageError(
        "The cursor is none of ours.", code="bad_cursor", steps=("Leave it out to begin with the first page.",)
    )
