"""The last net in front of a log: whatever looks like a secret or an email address is masked.

The first net is the ``Secret`` type; this one catches what foreign libraries write.
"""

from __future__ import annotations

import logging
import re
import traceback
from collections.abc import Iterator
from types import TracebackType

from segue.errors import SegueError

_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\b(pk|sk)_[A-Za-z0-9_]+"), r"\1_****"),
    (re.compile(r"(?i)\b(klaviyo-api-key|bearer|basic)(\s+)[^\s'\",]+"), r"\1\2****"),
    (
        re.compile(r"(?i)\b(\w*(?:api_?key|secret_key|password|token|secret))(['\"]?\s*[=:]\s*['\"]?)[^\s'\",;&}]+"),
        r"\1\2****",
    ),
    (re.compile(r"(://[^/\s:@]*):[^/\s@]+@"), r"\1:****@"),
    (re.compile(r"[^\s@'\"<>(),;:=]+(?:'[^\s@'\"<>(),;:=]+)*@[^\s@'\"<>(),;:=]+\.[^\s@'\"<>(),;:=]+"), "****@****"),
)


def redact(text: str) -> str:
    """The text with keys, tokens, passwords and email addresses masked."""
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text


def whereabouts(error: BaseException) -> str:
    """A traceback that says where an error came from and what it led to, and nothing of the data.

    The text of an error of Segue's own is shown, redacted. Foreign errors quote values, such as the one that could not be
    converted: of them the type alone is shown.
    """
    return "\n".join(_traced(error, set()))


def _traced(error: BaseException, seen: set[int]) -> Iterator[str]:
    seen.add(id(error))
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None and id(before) not in seen:
        yield from _traced(before, seen)
        yield "which led to:"
    for inner in error.exceptions if isinstance(error, BaseExceptionGroup) else ():
        yield from _traced(inner, seen)
        yield "in a group:"
    yield "Traceback (most recent call last), without the texts of foreign errors:"
    for frame in traceback.extract_tb(error.__traceback__):
        yield f'  File "{frame.filename}", line {frame.lineno}, in {frame.name}'
    name = f"{type(error).__module__}.{type(error).__qualname__}"
    yield f"{name}: {redact(error.message)}" if isinstance(error, SegueError) else name


class RedactingFormatter(logging.Formatter):
    """Formats a record, its traceback included, and masks the result; every handler of Segue uses it."""

    def formatException(  # noqa: N802 -- the name that logging calls
        self, ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
    ) -> str:
        """Where an error came from, without the texts of foreign errors."""
        return whereabouts(ei[1]) if ei[1] is not None else ""

    def format(self, record: logging.LogRecord) -> str:
        """The line for record, without secrets."""
        return redact(super().format(record))
