"""Folders of queries: a tree that the queries make themselves, by the slashes in what they say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from segue.catalog import models
from segue.errors import UsageError
from segue.services.audit import record
from segue.services.workspace import Workspace

_LONGEST = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """A folder. path: from the top, such as ``VIP/Spring``; count: its queries, with those of the folders in it."""

    path: str
    count: int
    folders: tuple[Folder, ...]

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]


def folder_path(text: str | None) -> str:
    """The path that a text means: ``VIP / Spring/`` is ``VIP/Spring``; empty for no folder."""
    return "/".join(filter(None, (part.strip() for part in (text or "").split("/"))))


def is_within(path: str, folder: str) -> bool:
    """Whether a path is a folder or lies in it."""
    return path == folder or path.startswith(f"{folder}/")


def folder_tree(texts: Iterable[str | None]) -> tuple[Folder, ...]:
    """The folders of queries, sorted. texts: the folder of each query, as it is written there."""
    paths = [path for path in map(folder_path, texts) if path]
    return _below("", paths)


def check_folder(text: str) -> str:
    """The path that somebody typed; empty for no folder. Raises UsageError ``bad_name``."""
    path = folder_path(text)
    if len(path) > _LONGEST or not path.isprintable():
        raise UsageError(
            f"A folder has at most {_LONGEST} characters, all of them visible.",
            code="bad_name",
            steps=("Choose another name.",),
        )
    return path


def rename_folder(workspace: Workspace, path: str, name: str) -> int:
    """Give a folder another path; its queries, and those of the folders in it, go along. Where that folder is there already the
    two become one. Returns how many queries moved. Raises NotPermittedError, UsageError ``bad_name``, ``unknown_folder``."""
    workspace.actor.require("queries.edit")
    target = check_folder(name)
    if not target:
        raise UsageError("A folder needs a name.", code="bad_name", steps=("Delete it to move its queries out.",))
    with workspace.catalog.session() as session:
        return _move(session, workspace, folder_path(path), target)


def delete_folder(workspace: Workspace, path: str) -> int:
    """Dissolve a folder: its queries go to the folder that it lies in. Returns how many. Raises as ``rename_folder``."""
    workspace.actor.require("queries.edit")
    gone = folder_path(path)
    with workspace.catalog.session() as session:
        return _move(session, workspace, gone, gone.rpartition("/")[0])


def _move(session: Session, workspace: Workspace, path: str, target: str) -> int:
    rows = session.scalars(select(models.Query).where(models.Query.folder.is_not(None)).order_by(models.Query.name))
    found = [row for row in rows if is_within(folder_path(row.folder), path)]
    if not path or not found:
        raise UsageError(f'There is no folder "{path}".', code="unknown_folder")
    for row in found:
        moved = check_folder(f"{target}/{folder_path(row.folder)[len(path) :]}") or None
        if moved != row.folder:
            before, row.folder = row.folder, moved
            record(session, workspace.actor, "query.move", row.name, before={"folder": before}, after={"folder": moved})
    return len(found)


def _below(top: str, paths: list[str]) -> tuple[Folder, ...]:
    start = len(top) + 1 if top else 0
    names = sorted({path[start:].partition("/")[0] for path in paths if len(path) > start}, key=str.casefold)
    made = []
    for name in names:
        path = f"{top}/{name}" if top else name
        inside = [each for each in paths if is_within(each, path)]
        made.append(Folder(path=path, count=len(inside), folders=_below(path, inside)))
    return tuple(made)
