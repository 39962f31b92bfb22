"""What is shown where there is nothing to show: nothing yet, or not yet."""

from __future__ import annotations

from segue.web.components.icons import icon
from segue.web.components.parts import Part, part


def empty(name: str, title: str, text: str) -> Part:
    """Says that there is nothing, and what would bring something. name: of an icon."""
    with part("div", "empty") as place:
        icon(name)
        part("strong", text=title)
        part("p", text=text)
    return place


def skeleton(lines: int = 5) -> Part:
    """Stands where content will be; says to those who do not see it that it loads."""
    with part("div", "skeleton", role="status", aria_label="Loading") as place:
        for _ in range(lines):
            part("span")
    return place
