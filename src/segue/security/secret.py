"""A text that must not be seen."""

from __future__ import annotations

import hmac
from typing import NoReturn, final

_MASK = "****"


@final
class Secret:
    """Holds a secret text and shows it to nobody but the caller of ``reveal``.

    Printing, formatting and logging give ``****``; pickling and JSON are refused, so that a secret cannot
    slip into a file or another process. Copies are the same object. Comparing takes the same time for every
    wrong guess.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The secret itself: call this where it leaves Segue, and nowhere else."""
        return self._text

    def __repr__(self) -> str:
        return f"Secret({_MASK})"

    def __str__(self) -> str:
        return _MASK

    def __format__(self, spec: str) -> str:
        return _MASK

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret cannot be pickled")
