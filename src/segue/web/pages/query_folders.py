"""The folders of the list of queries: which one is shown, its name, and what is done with it."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

from nicegui import ui

from segue.services.folders import delete_folder, folder_path, folder_tree, is_within, rename_folder
from segue.services.overview import QueryLine
from segue.web.components.dialogs import ask, confirm
from segue.web.components.folder_tree import FolderTree, paths_of
from segue.web.components.icons import menu_button
from segue.web.components.parts import part
from segue.web.visit import Visit

LOOSE = "/"
"""What stands for no folder in an address: no folder has this path."""


def address_of(folder: str) -> str:
    """Where a folder is shown; empty: all queries."""
    return f"/queries?folder={quote(folder, safe='')}" if folder else "/queries"


def within(line: QueryLine, folder: str) -> bool:
    """Whether a query is shown with a folder: in it or in one of those in it."""
    path = folder_path(line.folder)
    return not folder or (not path if folder == LOOSE else is_within(path, folder))


def show_tree(lines: tuple[QueryLine, ...], folder: str) -> None:
    """Every folder with its queries."""
    folders = folder_tree(line.folder for line in lines)
    loose = sum(within(line, LOOSE) for line in lines)
    fixed = {address_of(""): ("All queries", len(lines)), address_of(LOOSE): ("No folder", loose)}
    addresses = {path: address_of(path) for path in paths_of(folders)}
    FolderTree(
        folders, fixed=fixed, addresses=addresses, chosen=folder_path(folder) or None, current=address_of(folder)
    )


def show_path(visit: Visit, folder: str) -> None:
    """The way to the folder, and its menu."""
    if not folder or folder == LOOSE:
        return
    parts = folder.split("/")
    with part("div", "card-head folder-head"):
        with part("nav", "crumbs", aria_label="Folder"):
            for place, name in enumerate(parts, start=1):
                if place < len(parts):
                    part("a", text=name, href=address_of("/".join(parts[:place])))
                    part("span", "muted", text="/", aria_hidden="true")
                else:
                    part("strong", text=name, aria_current="page")
        if visit.may("queries.edit"):
            entries: list[tuple[str, str, Callable[[], object]]] = [
                ("drive_file_rename_outline", "Rename folder", lambda: _rename(visit, folder)),
                ("folder_delete", "Delete folder", lambda: _delete(visit, folder)),
            ]
            menu_button(f"Actions: folder {folder}", entries, danger="Delete folder")


async def _rename(visit: Visit, folder: str) -> None:
    name = await ask("Rename the folder", "Folder", value=folder, yes="Rename")
    if name:
        await visit.call(rename_folder, visit.workspace, folder, name)
        ui.navigate.to(address_of(folder_path(name)))


async def _delete(visit: Visit, folder: str) -> None:
    parent = folder.rpartition("/")[0]
    where = f'to "{parent}"' if parent else "out of any folder"
    if await confirm(
        "Delete the folder?", f"No query is deleted: those in it move {where}.", yes="Delete", danger=True
    ):
        await visit.call(delete_folder, visit.workspace, folder)
        ui.navigate.to(address_of(parent))
