"""Deleting a configured thing from a page."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from segue.services.editing import delete
from segue.web.components.dialogs import confirm, in_use
from segue.web.visit import Visit


async def delete_thing(
    visit: Visit, kind: str, ref: str, name: str, *, noun: str, text: str, users: Sequence[str] = ()
) -> bool:
    """Ask, and delete it; whether it is gone. text: what it means, after its name; users: what uses it, each with its kind:
    then that is said and nothing is asked."""
    if users:
        in_use(name, users)
        return False
    if not await confirm(f"Delete the {noun}?", f'"{name}" {text}', yes="Delete", danger=True):
        return False
    await visit.call(partial(delete, tag=None), visit.workspace, kind, ref)
    return True
