"""The Markdown pages of the repository, and the blocks in them that are meant to be run."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("packages/*/*.md")], key=lambda path: path.as_posix()
)
_BLOCK = re.compile(
    r"^<!-- (?:(?P<run>run)|file: (?P<file>\S+)) -->\n```(?:sh|yaml)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """file: what the text is the content of; None: it is a script."""

    file: str | None
    text: str


def blocks(page: Path) -> list[Block]:
    """The marked blocks of a page, in order."""
    found = _BLOCK.finditer(page.read_text(encoding="utf-8"))
    return [Block(file=match["file"], text=match["text"]) for match in found]


def prose(page: Path) -> str:
    """A page without its code blocks."""
    return _FENCED.sub("", page.read_text(encoding="utf-8"))


def name(page: Path) -> str:
    """A page as tests call it."""
    return page.relative_to(ROOT).as_posix()
