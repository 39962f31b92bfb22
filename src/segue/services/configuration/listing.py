"""What is configured, for a person or a program to read; no secrets."""

from __future__ import annotations

from typing import Any

from segue.security import Secret
from segue.services.configuration.entries import KINDS, NOUNS
from segue.services.configuration.state import read_state
from segue.services.names import unknown
from segue.services.workspace import Workspace


def list_entries(workspace: Workspace, kind: str | None = None) -> dict[str, list[dict[str, Any]]]:
    """kind -> its entries as they stand in a file, sorted by name; of every kind when kind is None.

    kind may be the key of a file (``data_templates``) or the noun (``data template``). Raises UsageError for
    another.
    """
    kinds = tuple(KINDS) if kind is None else (_kind(kind),)
    workspace.actor.require("configuration.read")
    with workspace.catalog.session(read_only=True) as session:
        state = read_state(session, workspace.box)
    return {
        name: [
            {key: str(value) if isinstance(value, Secret) else value for key, value in entry.document().items()}
            for entry in state[name].values()
        ]
        for name in kinds
    }


def _kind(text: str) -> str:
    word = text.casefold().replace("-", "_").replace(" ", "_")
    nouns = {noun.replace(" ", "_"): kind for kind, noun in NOUNS.items()}
    if word in KINDS:
        return word
    if word in nouns:
        return nouns[word]
    raise unknown("kind", text, KINDS)
