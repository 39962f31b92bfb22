"""Secrets: a type that does not show them, a box that keeps them, a formatter that keeps them out of logs."""

from __future__ import annotations

from segue.security.box import SecretBox
from segue.security.key import create_key, parse_key, read_key
from segue.security.redaction import RedactingFormatter, redact, whereabouts
from segue.security.secret import Secret

__all__ = ["RedactingFormatter", "Secret", "SecretBox", "create_key", "parse_key", "read_key", "redact", "whereabouts"]
