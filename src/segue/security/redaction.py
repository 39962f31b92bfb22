"""The last net in front of a log: whatever looks like a secret or an email address is masked.

The first net is the ``Secret`` type; this one catches what foreign libraries write.
"""

from __future__ import annotations

import logging
import re

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


class RedactingFormatter(logging.Formatter):
    """Formats a record, its traceback included, and masks the result; every handler of Segue uses it."""

    def format(self, record: logging.LogRecord) -> str:
        """The line for record, without secrets."""
        return redact(super().format(record))
