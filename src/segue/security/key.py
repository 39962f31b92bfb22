"""The key of a workspace: 32 random bytes in URL-safe base64."""

from __future__ import annotations

import base64
import os
import stat
from pathlib import Path

from segue.errors import StateError
from segue.security.secret import Secret

_PRIVATE = 0o600
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_BYTES = 32


def parse_key(text: str) -> Secret:
    """A key from its text. Raises ValueError, which does not repeat the text."""
    try:
        raw = base64.b64decode(text.encode(), altchars=b"-_", validate=True)
    except ValueError:
        raw = b""
    if len(raw) != _BYTES:
        raise ValueError(f"takes {_BYTES} bytes in URL-safe base64 (44 characters)")
    return Secret(text)


def create_key(path: Path) -> bool:
    """Write a new random key to path, readable by its owner alone. False when a file is there: it stays."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "wb") as file:
        file.write(base64.urlsafe_b64encode(os.urandom(_BYTES)) + b"\n")
        file.flush()
        os.fsync(descriptor)
    return True


def read_key(path: Path) -> Secret:
    """The key in path. Raises StateError when it is missing, damaged, or readable by other users."""
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            text = file.read().decode("ascii", errors="replace").strip()
    except OSError as error:
        raise StateError(
            f"the key file {path} cannot be read",
            code="key_missing",
            cause=error.strerror or type(error).__name__,
            steps=("Restore it from a backup of the workspace, or set SEGUE_SECRET_KEY to the same key.",),
        ) from None
    if mode & _OTHERS:
        raise StateError(
            f"the key file {path} can be read or changed by other users (mode {mode:04o})",
            code="key_exposed",
            steps=(
                f"Run `chmod 600 {path}`.",
                "If other people use this machine, replace the API keys it protects.",
            ),
        )
    try:
        return parse_key(text)
    except ValueError:
        raise StateError(
            f"the key file {path} holds no key",
            code="key_damaged",
            steps=("Restore it from a backup of the workspace, or set SEGUE_SECRET_KEY to the same key.",),
        ) from None
