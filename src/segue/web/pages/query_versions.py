"""The dialog with the versions of a query: who wrote what when, how it differs from what is written now, and back to it."""

from __future__ import annotations

from collections.abc import Callable

from nicegui.events import GenericEventArguments

from segue.services.versions import Version, difference, query_versions
from segue.web.components.dialogs import dialog
from segue.web.components.icons import button
from segue.web.components.parts import Part, part
from segue.web.components.states import empty
from segue.web.components.table import Action, Column, DataTable
from segue.web.visit import Visit

_COLUMNS = (
    Column(key="number", label="Version", kind="number"),
    Column(key="status", label="Status", kind="status"),
    Column(key="by", label="By"),
    Column(key="at", label="Saved", kind="time"),
)
_WORDS = {" ": "", "-": "Gone: ", "+": "New: ", "…": "Lines that are the same"}
_CLASSES = {" ": "diff-line", "-": "diff-line gone", "+": "diff-line new", "…": "diff-line muted"}


async def open_versions(
    visit: Visit, query_id: str, written: Callable[[], str], restore: Callable[[str], None] | None
) -> None:
    """Show the dialog. written: the SQL in the editor; restore: puts SQL there, None for who may not."""
    versions = await visit.call(query_versions, visit.workspace, query_id)
    by_number = {str(version.number): version for version in versions}
    actions = [Action(key="compare", label="Compare with what is written", icon="difference")]
    if restore is not None:
        actions.append(Action(key="restore", label="Restore", icon="restore"))

    def act(event: GenericEventArguments) -> None:
        version = by_number[event.args["row"]]
        if event.args["action"] == "compare":
            _compare(place, version, written())
        elif restore is not None:
            restore(version.sql)
            box.close()

    with dialog("Versions", wide=True) as box:
        part("p", "muted", text="A version that is restored is put into the editor; runs use it once it is active.")
        DataTable(
            "Versions of the query",
            _COLUMNS,
            [_row(version) for version in versions],
            actions=actions,
            on_action=act,
            search=False,
            page=10,
            empty=("No versions yet", "Each save and each activation makes one."),
        )
        place = part("div")
        if versions:
            _compare(place, versions[0], written())
        with part("div", "dialog-actions"):
            button("Close", on_click=box.close)
    box.open()


def _row(version: Version) -> dict[str, object]:
    return {
        "id": version.number,
        "number": version.number,
        "status": "active" if version.active else "draft",
        "by": version.by,
        "at": version.at,
    }


def _compare(place: Part, version: Version, written: str) -> None:
    """From the version to what is written."""
    place.clear()
    lines = difference(version.sql, written)
    with place:
        part("h3", text=f"From version {version.number} to what is written")
        if not lines:
            empty("drag_handle", "No difference", "What is written is what this version says.")
            return
        with part("div", "diff", role="region", aria_label="Difference", tabindex="0"):
            for mark, text in lines:
                with part("div", _CLASSES[mark]):
                    part("span", "diff-mark", text=mark, aria_hidden="true")
                    part("span", "hidden", text=_WORDS[mark])
                    part("code", text=text)
