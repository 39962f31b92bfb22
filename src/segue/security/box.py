"""Encryption at rest: Fernet (AES-128-CBC with HMAC-SHA256) under one key per workspace."""

from __future__ import annotations

from segue.errors import StateError
from segue.security.secret import Secret


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
