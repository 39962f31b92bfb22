"""Folders beside a list: a tree on a screen, a choice on a phone. Both lead to addresses, so that the way back works."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nicegui import ui

from segue.services.folders import Folder, is_within
from segue.web.components.fields import choice_field
from segue.web.components.icons import icon
from segue.web.components.parts import Part, part

_MANY = 30
"""With more folders than this, those that are not on the way to the chosen one are closed at first."""


class FolderTree:
    """folders: of the top; fixed: address -> name and count of what is no folder, such as all; addresses: of each folder by
    its path; chosen: the path of the folder that is shown, where one is; current: its address."""

    def __init__(
        self,
        folders: Sequence[Folder],
        *,
        fixed: Mapping[str, tuple[str, int]],
        addresses: Mapping[str, str],
        chosen: str | None,
        current: str,
    ) -> None:
        self._addresses = addresses
        self._chosen = chosen
        self._current = current
        self._open = len(addresses) <= _MANY
        with part("nav", "card table-list folders", aria_label="Folders"):
            for address, (name, count) in fixed.items():
                self._link(address, name, count)
            self._level(folders)
        with part("div", "folders-narrow"):
            names = {address: f"{name} ({count:,})" for address, (name, count) in fixed.items()}
            names |= {addresses[f.path]: f"{f.path} ({f.count:,})" for f in _all(folders)}
            field = choice_field("Folder", names, value=current)
            field.on_value_change(lambda event: ui.navigate.to(str(event.value)) if event.value else None)

    def _level(self, folders: Sequence[Folder]) -> Part:
        with part("ul", "tree") as level:
            for folder in folders:
                with part("li"):
                    self._folder(folder)
        return level

    def _folder(self, folder: Folder) -> None:
        is_open = self._open or (self._chosen is not None and is_within(self._chosen, folder.path))
        with part("div", "tree-row"):
            opener = self._opener(folder, is_open) if folder.folders else part("span", "tree-space")
            self._link(self._addresses[folder.path], folder.name, folder.count)
        if folder.folders:
            inside = self._level(folder.folders)
            inside.set_visibility(is_open)
            opener.on("click", lambda: self._toggle(opener, inside))

    def _opener(self, folder: Folder, is_open: bool) -> Part:
        made = part("button", "icon-button small opener", type="button", aria_label=f"Folders in {folder.path}")
        made.props["aria-expanded"] = "true" if is_open else "false"
        with made:
            icon("chevron_right")
        return made

    def _toggle(self, opener: Part, inside: Part) -> None:
        inside.set_visibility(not inside.visible)
        opener.props["aria-expanded"] = "true" if inside.visible else "false"

    def _link(self, address: str, name: str, count: int) -> None:
        here = {"aria_current": "page"} if address == self._current else {}
        with part("a", "side-link", href=address, **here):
            part("span", text=name)
            part("span", "muted", text=f"{count:,}")


def _all(folders: Sequence[Folder]) -> list[Folder]:
    return [each for folder in folders for each in (folder, *_all(folder.folders))]


def paths_of(folders: Sequence[Folder]) -> list[str]:
    """The paths of folders and of those in them, in the order of the tree."""
    return [folder.path for folder in _all(folders)]
