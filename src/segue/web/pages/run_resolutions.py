"""The ways out of a run that failed or was stopped: shown, one of them taken."""

from __future__ import annotations

import threading
from functools import partial

from nicegui import ui

from segue.delivery.progress import Quiet
from segue.errors import SegueError
from segue.resolutions import Action
from segue.security import Secret
from segue.web.components.banner import error_banner
from segue.web.components.dialogs import dialog
from segue.web.components.fields import choice_field, needed, password_field
from segue.web.components.icons import button
from segue.web.components.moment import Moment
from segue.web.components.parts import part
from segue.web.visit import Visit
from segue.workflow.records import RunRecord
from segue.workflow.resolve import Offer, offer, resolve
from segue.workflow.run import Runner
from segue.workflow.ways import Queued

_CALLED = {
    Action.RETRY: "Retry the task",
    Action.RESTART: "Go on with the settings of today",
    Action.ANEW: "Give up and begin anew",
    Action.SKIP: "End without the read-back",
    Action.UPDATE_CREDENTIAL: "Update the credential",
    Action.ALLOW_FUSE: "Raise the fuse for this run only",
    Action.CHOOSE_LIST: "Choose a list",
    Action.WAIT: "Wait for the limit",
}


async def open_resolutions(visit: Visit, run_id: str) -> RunRecord | None:
    """Offer what can be done, and do what is chosen. The run that goes on or begins; None where nothing was chosen."""
    offered = await visit.call(offer, _runner(visit), run_id)
    with dialog("Resolutions", wide=True) as box:
        choice = _Choice(visit, offered, box)
    found = await box
    box.delete()
    choice.forget()
    return found if isinstance(found, RunRecord) else None


class _Choice:
    """The content of the dialog."""

    def __init__(self, visit: Visit, offered: Offer, box: ui.dialog) -> None:
        self._visit = visit
        self._offered = offered
        self._box = box
        entry = offered.resolution
        with part("dl", "facts"):
            for name, text in (("Cause", entry.cause), ("Who can put it right", entry.who)):
                part("dt", text=name)
                part("dd", text=text)
        if entry.steps:
            part("h3", text="Steps")
            with part("ol"):
                for step in entry.steps:
                    part("li", text=step)
        part("h3", text="Then")
        self._problem = part("div")
        if not visit.may("runs.start"):
            part("p", "muted", text="To go on with a run takes the permission runs.start: ask an administrator.")
            button("Close", on_click=lambda: box.submit(None))
            return
        names = {str(action): _CALLED[action] for action in offered.actions}
        self._action = ui.radio(names, value=next(iter(names)), on_change=self._show).props("dense")
        self._action.props["aria-label"] = "What to do"
        self._meaning = part("p", "muted")
        with part("p") as self._opens:
            part("span", text="It opens ")
            Moment(offered.opens_at)
        self._key = password_field("New API key", autocomplete="off", hint="It is tried before it is kept.")
        self._list = choice_field("List", offered.lists, value=next(iter(offered.lists), None))
        with part("div", "dialog-actions"):
            button("Cancel", on_click=lambda: box.submit(None))
            self._button = button("Continue", on_click=self._take, kind="primary")
        self._show()

    def forget(self) -> None:
        """Keep no key."""
        if hasattr(self, "_key"):
            self._key.value = ""

    def _show(self) -> None:
        chosen = Action(self._action.value)
        fuses = f" They are: {', '.join(self._offered.fuses)}." if chosen is Action.ALLOW_FUSE else ""
        opens = self._offered.opens_at
        self._meaning.text = f"{chosen.meaning}{fuses}"
        self._opens.set_visibility(chosen is Action.WAIT and opens is not None)
        self._key.set_visibility(chosen is Action.UPDATE_CREDENTIAL)
        self._list.set_visibility(chosen is Action.CHOOSE_LIST)

    async def _take(self) -> None:
        chosen = Action(self._action.value)
        asks_key = chosen is Action.UPDATE_CREDENTIAL
        if asks_key and not needed(self._key):
            return
        take = partial(
            resolve,
            list_id=self._list.value if chosen is Action.CHOOSE_LIST else None,
            key=Secret(str(self._key.value).strip()) if asks_key else None,
            way=Queued(workspace=self._visit.workspace),
        )
        self._button.props["disabled"] = True
        self._problem.clear()
        try:
            found = await self._visit.call(take, _runner(self._visit), self._offered.run.id, chosen)
        except SegueError as error:
            with self._problem:
                error_banner(error)
            self._button.props["disabled"] = False
            return
        self._visit.started.add(found.id)
        self._box.submit(found)


def _runner(visit: Visit) -> Runner:
    return Runner(workspace=visit.workspace, settings=visit.settings, progress=Quiet(), stop=threading.Event())
