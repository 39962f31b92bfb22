"""Encryption at rest: Fernet (AES-128-CBC with HMAC-SHA256) under one key per workspace."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from segue.errors import StateError
from segue.security.secret import Secret

_PRIVATE = 0o600
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class SecretBox:
    """Seals secrets into text for the metadata database, and opens them again.

    key: 32 bytes in URL-safe base64. Raises ValueError for anything else.
    """

    def __init__(self, key: Secret) -> None:
        # cryptography loads OpenSSL: commands that touch no secret should not pay for it.
        from cryptography.fernet import Fernet  # noqa: PLC0415

        self._fernet = Fernet(key.reveal())

    def seal(self, secret: Secret) -> str:
        """Ciphertext of secret; a new one each time."""
        return self._fernet.encrypt(secret.reveal().encode()).decode()

    def open(self, token: str, *, owner: str) -> Secret:
        """The secret that ``seal`` put into token. owner: whose secret it is, for the error.

        Raises StateError when the key is another one or the token is damaged.
        """
        from cryptography.fernet import InvalidToken  # noqa: PLC0415

        try:
            return Secret(self._fernet.decrypt(token.encode()).decode())
        except InvalidToken:
            raise StateError(
                f"the stored secret of {owner} cannot be opened with this key",
                code="wrong_key",
                cause="The key is not the one that sealed it, or the stored text is damaged.",
                steps=(
                    "Set SEGUE_SECRET_KEY to the key that saved it, or unset it if that was secret.key.",
                    "Otherwise restore secret.key from a backup of the workspace.",
                    "If the key is lost, make a new workspace with `segue init` and apply the files again.",
                ),
            ) from None


def create_key(path: Path) -> bool:
    """Write a new random key to path, readable by its owner alone. False when a file is there: it stays."""
    from cryptography.fernet import Fernet  # noqa: PLC0415

    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(descriptor, _PRIVATE)
        file.write(Fernet.generate_key() + b"\n")
        file.flush()
        os.fsync(descriptor)
    return True


def read_key(path: Path) -> Secret:
    """The key in path. Raises StateError when it is missing, empty, or readable by other users."""
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
    return Secret(text)
