"""The page of resolutions: ``python -m segue.resolutions.reference > docs/reference/resolutions.md``."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from segue.resolutions.actions import Action
from segue.resolutions.catalogue import Resolution, catalogue

_HEAD = """\
# Resolutions

<!-- Made by `python -m segue.resolutions.reference`; a test compares the two. -->

What to do about a failed run, by the code of its error. `segue resolve RUN` shows what fits a run;
`segue resolve RUN --with ACTION` does it. A run goes on from the task that failed, never from the start.

## Actions

"""


def reference() -> str:
    """The whole page, as Markdown."""
    actions = "".join(f"| `{action}` | {action.meaning} |\n" for action in Action)
    parts = [_HEAD, "| Action | What it does |\n| --- | --- |\n", actions, "\n## By error code\n"]
    for entry in catalogue():
        parts += _entry(entry)
    return "".join(parts)


def _entry(entry: Resolution) -> Iterator[str]:
    yield f'\n### <a id="{entry.codes[0]}"></a>{", ".join(f"`{code}`" for code in entry.codes)}\n\n'
    yield f"{entry.cause} Who can put it right: {entry.who}.\n\n"
    yield from (f"{number}. {step}\n" for number, step in enumerate(entry.steps, start=1))
    yield f"\nActions: {', '.join(f'`{action}`' for action in entry.actions)}."
    if not entry.docs.startswith("reference/resolutions.md"):
        page = entry.docs.removeprefix("reference/") if entry.docs.startswith("reference/") else f"../{entry.docs}"
        yield f" More: [{entry.docs}]({page})."
    yield "\n"


if __name__ == "__main__":
    sys.stdout.write(reference())
