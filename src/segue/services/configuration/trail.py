"""Changes of the configuration as lines of the activity log."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from segue.services.audit import record
from segue.services.configuration.changes import Change, shown
from segue.services.configuration.entries import WORDS
from segue.services.permissions import Actor


def record_change(session: Session, actor: Actor, change: Change) -> None:
    """Write down who changed what, and from what to what; of a secret only that it changed."""
    if change.action == "unchanged":
        return
    before: dict[str, Any] = {field.name: shown(field.old) for field in change.fields if field.old is not None}
    after: dict[str, Any] = {field.name: shown(field.new) for field in change.fields if field.new is not None}
    if change.renamed_from:
        before["name"], after["name"] = change.renamed_from, change.name
    word = WORDS[change.kind].replace(" ", "_")
    record(session, actor, f"{word}.{change.action}", change.name, before=before or None, after=after or None)
