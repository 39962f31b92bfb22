"""Numbers in sentences for people."""

from __future__ import annotations


def counted(number: int, one: str, many: str | None = None) -> str:
    """``1 row``, ``2,000 rows``; many: the plural where it is no ``s``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
