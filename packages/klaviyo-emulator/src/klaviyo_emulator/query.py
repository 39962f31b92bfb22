"""The query string of a read: filter, sort, page, sparse fieldsets."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

import orjson

from klaviyo_emulator.errors import ApiError, invalid

FilterValue = str | float | list[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Condition:
    """One comparison of a filter. The value of a time field is in seconds, that of ``any`` a list of texts."""

    operator: str
    field: str
    value: FilterValue


_TIME_FIELDS = frozenset(("created", "updated", "joined_group_at"))
_CALL = re.compile(r"\s*([a-z-]+)\(\s*([\w.$-]+)\s*,\s*")
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"|\'((?:[^\'\\]|\\.)*)\'')
_BARE = re.compile(r"[^,()\[\]\"'\s]+")
_ESCAPE = re.compile(r"\\(.)")


class Query:
    """A parsed query string. Every reading method raises ApiError 400 that names the parameter."""

    def __init__(self, text: str) -> None:
        self._values = dict(parse_qsl(text, keep_blank_values=True))

    def get(self, name: str) -> str | None:
        """The raw value of a parameter."""
        return self._values.get(name)

    def names(self, parameter: str) -> frozenset[str] | None:
        """A comma-separated parameter as a set; None when it is absent."""
        value = self._values.get(parameter)
        return None if value is None else frozenset(part.strip() for part in value.split(",") if part.strip())

    def page_size(self, *, default: int, maximum: int) -> int:
        """``page[size]`` within 1 and ``maximum``."""
        text = self._values.get("page[size]")
        if text is None:
            return default
        if not text.isdecimal() or not 1 <= int(text) <= maximum:
            raise invalid(f"page[size] must be between 1 and {maximum}.", parameter="page[size]")
        return int(text)

    def cursor(self) -> Any:
        """What ``links.next`` of the page before had put into ``page[cursor]``; None on the first page."""
        text = self._values.get("page[cursor]")
        if text is None:
            return None
        try:
            return orjson.loads(base64.urlsafe_b64decode(text.encode() + b"=="))
        except (ValueError, binascii.Error):
            raise invalid("Invalid cursor.", parameter="page[cursor]") from None

    def sort(self, allowed: Mapping[str, str]) -> tuple[str, bool] | None:
        """The key that ``sort`` stands for (by ``allowed``) and whether it descends."""
        text = self._values.get("sort")
        if text is None:
            return None
        name = text.removeprefix("-")
        if name not in allowed:
            raise invalid(f"'{text}' is not a valid sort field.", parameter="sort")
        return allowed[name], text.startswith("-")

    def conditions(self, allowed: Mapping[str, frozenset[str]], *, max_values: int) -> list[Condition]:
        """The comparisons of ``filter``, all of which must hold. allowed: field to its operators."""
        text = self._values.get("filter")
        if text is None:
            return []
        conditions = parse_filter(text)
        for condition in conditions:
            if condition.operator not in allowed.get(condition.field, ()):
                detail = f"'{condition.operator}' is not a valid operator for the field '{condition.field}'."
                raise invalid(detail, parameter="filter")
            if isinstance(condition.value, list) and max_values and len(condition.value) > max_values:
                raise invalid(f"A filter takes at most {max_values} values.", parameter="filter")
        return conditions

    def with_cursor(self, cursor: Any) -> str:
        """The same query string for another page."""
        token = base64.urlsafe_b64encode(orjson.dumps(cursor)).decode().rstrip("=")
        return urlencode({**self._values, "page[cursor]": token})


def parse_filter(text: str) -> list[Condition]:
    """Read ``equals(name,"VIP")``, several joined by commas or wrapped in ``and(...)``."""
    body = text.strip()
    if body.startswith("and(") and body.endswith(")"):
        body = body[4:-1]
    conditions, position = [], 0
    while True:
        condition, position = _condition(body, position)
        conditions.append(condition)
        if position == len(body):
            return conditions
        if body[position] != ",":
            raise _bad_filter()
        position += 1


def _condition(text: str, position: int) -> tuple[Condition, int]:
    call = _CALL.match(text, position)
    if call is None:
        raise _bad_filter()
    operator, field = call.group(1), call.group(2)
    value, position = _value(text, call.end(), field)
    while position < len(text) and text[position].isspace():
        position += 1
    if position >= len(text) or text[position] != ")" or (operator == "any") != isinstance(value, list):
        raise _bad_filter()
    return Condition(operator=operator, field=field, value=value), position + 1


def _value(text: str, position: int, field: str) -> tuple[FilterValue, int]:
    if position < len(text) and text[position] == "[":
        return _list(text, position + 1)
    if field in _TIME_FIELDS:
        bare = _BARE.match(text, position)
        if bare is None:
            raise _bad_filter()
        return _seconds(bare.group()), bare.end()
    string = _STRING.match(text, position)
    if string is None:
        raise _bad_filter("Strings in a filter must be quoted.")
    return _unquoted(string), string.end()


def _list(text: str, position: int) -> tuple[list[str], int]:
    values: list[str] = []
    while True:
        string = _STRING.match(text, position)
        if string is None:
            raise _bad_filter("Strings in a filter must be quoted.")
        values.append(_unquoted(string))
        position = string.end()
        if text[position : position + 1] == "]":
            return values, position + 1
        if text[position : position + 1] != ",":
            raise _bad_filter()
        position += 1
        while text[position : position + 1] == " ":
            position += 1


def _unquoted(string: re.Match[str]) -> str:
    return _ESCAPE.sub(r"\1", string.group(1) if string.group(1) is not None else string.group(2))


def _seconds(text: str) -> float:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise _bad_filter("A time in a filter must be ISO 8601.") from None
    if moment.tzinfo is None:
        raise _bad_filter("A time in a filter must name its offset.")
    return moment.timestamp()


def _bad_filter(detail: str = "The filter cannot be read.") -> ApiError:
    return invalid(f"Invalid filter provided: {detail}", parameter="filter")
