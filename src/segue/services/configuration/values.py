"""Values of entries as they are written: names, secrets, durations, conditions."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from segue.alerts import parse_conditions
from segue.security import Secret
from segue.settings import parse_duration


def _name(text: str) -> str:
    if text != text.strip() or not text.isprintable():
        raise ValueError("takes a name without blanks around it and without control characters")
    return text


def _secret(value: object) -> object:
    if not isinstance(value, str):
        return value
    if not re.fullmatch(r"[!-~]+", value.strip()):
        raise ValueError("is empty, or holds blanks or characters that no key has")
    return Secret(value.strip())


def _conditions(items: list[Any]) -> list[Any]:
    parse_conditions(items)
    return items


def _offset(value: object) -> object:
    """A duration in its shortest spelling, so that ``90m`` and ``1h30m`` are the same; none for 0."""
    if value is None or isinstance(value, bool) or not isinstance(value, str | int | float):
        return value
    if str(value) in ("0", "0s"):
        return None
    seconds = parse_duration(str(value))
    if seconds != int(seconds):
        raise ValueError("takes whole seconds")
    return duration_text(int(seconds))


def duration_text(seconds: int) -> str:
    """``1h30m`` for 5400: what ``parse_duration`` reads back."""
    parts = []
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, seconds = divmod(seconds, length)
        parts += [f"{count}{unit}"] if count else []
    return "".join(parts)


Name = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(_name)]
SecretText = Annotated[Secret | None, BeforeValidator(_secret)]
Duration = Annotated[str | None, BeforeValidator(_offset)]
Conditions = Annotated[list[Any], AfterValidator(_conditions)]
