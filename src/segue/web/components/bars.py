"""Numbers beside each other, as bars."""

from __future__ import annotations

from collections.abc import Sequence

from segue.web.components.parts import Part, part


def bars(label: str, numbers: Sequence[tuple[str, int]]) -> Part:
    """A bar for each number, as long as its share of the largest. label: what they are, for those who do not see them."""
    most = max((number for _, number in numbers), default=0) or 1
    with part("dl", "bars", aria_label=label) as chart:
        for name, number in numbers:
            with part("div", "bar-line"):
                part("dt", text=name, title=name)
                with part("dd"):
                    bar = part("span", "bar", aria_hidden="true")
                    bar.style(f"width: {100 * number / most:.2f}%")
                    part("span", "bar-number", text=f"{number:,}")
    return chart


def progress_bar(label: str, share: float) -> Part:
    """How far something is. share: from 0 to 1."""
    percent = max(0, min(100, round(100 * share)))
    made = part("div", "progress", role="progressbar", aria_label=label, aria_valuemin="0", aria_valuemax="100")
    made.props["aria-valuenow"] = str(percent)
    with made:
        part("span").style(f"width: {percent}%")
    return made
