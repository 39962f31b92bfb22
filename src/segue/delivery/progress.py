"""What a run tells whoever watches it."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """All methods return at once and may be called from any thread."""

    def begin(self, task: str, *, total: int | None, unit: str) -> None:
        """A task begins; total in units, None when it is not known."""

    def advance(self, task: str, done: int) -> None:
        """So many units are done altogether."""

    def end(self, task: str, summary: str) -> None:
        """The task succeeded; a short sentence for people."""

    def waiting(self, endpoint: str, seconds: float) -> None:
        """Calls of an endpoint wait for the server's window."""

    def tell(self, text: str) -> None:
        """A sentence for people, such as what a run waits for."""


class Quiet:
    """Shows nothing."""

    def begin(self, task: str, *, total: int | None, unit: str) -> None:
        """Nothing."""

    def advance(self, task: str, done: int) -> None:
        """Nothing."""

    def end(self, task: str, summary: str) -> None:
        """Nothing."""

    def waiting(self, endpoint: str, seconds: float) -> None:
        """Nothing."""

    def tell(self, text: str) -> None:
        """Nothing."""
