"""The dialog that adds or changes a data template: how the columns of a query go to a destination."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from segue.errors import SegueError
from segue.services.destinations import list_names
from segue.services.editing import Configured, create, get_configured, replace
from segue.template import TemplateSettings
from segue.web.components.dialogs import dialog
from segue.web.components.fields import fold, needed, suggest, text_field
from segue.web.components.icons import button
from segue.web.components.parts import part
from segue.web.components.saving import save
from segue.web.components.settings_form import Setting, SettingsForm
from segue.web.visit import Visit

_MAIN = (
    Setting(key="list_name", label="List name", hint="The list at Klaviyo. It is made when it is not there."),
    Setting(
        key="audience_primary_key",
        label="Audience primary key",
        hint="The column that says who somebody is.",
        kind="choice",
        options={"email": "email"},
    ),
    Setting(
        key="use_full_profile",
        label="Update contacts with every column",
        hint="Off: only the email is sent. On: every column of the query goes to the profile.",
        kind="check",
    ),
    Setting(
        key="nulls",
        label="A field that became empty",
        hint="What happens to its old value at Klaviyo.",
        kind="choice",
        options={"clear": "Clear it there too", "keep": "Leave the old value"},
    ),
)
_MORE = (
    Setting(
        key="first_send_nulls",
        label="Empty fields of somebody who is sent for the first time",
        hint="Klaviyo may know something of them from elsewhere. Clearing every field takes a call for each person.",
        kind="choice",
        options={"custom": "Clear custom properties", "all": "Clear every field", "keep": "Leave all of it"},
    ),
    Setting(
        key="clear_identifiers",
        label="Clear phone number and external id too",
        hint="They say who somebody is: Klaviyo may take them for somebody else afterwards.",
        kind="check",
    ),
    Setting(
        key="duplicates",
        label="Several rows of one person: the latest by",
        hint="The column whose latest value wins. Empty: such rows stop the run, which names them.",
    ),
    Setting(
        key="own_whole_list",
        label="Segue owns the whole list",
        hint="Members that somebody else put on the list are removed too.",
        kind="check",
    ),
    Setting(
        key="phone_region",
        label="Country of phone numbers",
        hint="For numbers without a +, such as AT. Empty: they are left out and named in the rejects.",
    ),
    Setting(
        key="max_rows",
        label="At most this many new members",
        hint="For a test; nobody is removed then. Empty: all of them.",
        kind="number",
    ),
    Setting(key="list_id", label="List id", hint="Only where Klaviyo has several lists of this name."),
)
_FUSES = (
    Setting(
        key="max_remove_share",
        label="Stop when more members leave than",
        hint="Of those that were sent so far.",
        kind="percent",
    ),
    Setting(
        key="max_clear_share",
        label="Stop when more rows lose a field than",
        hint="Of those that were sent so far.",
        kind="percent",
    ),
    Setting(
        key="max_reject_share",
        label="Stop when more rows cannot be sent than",
        hint="Of the rows of the query.",
        kind="percent",
    ),
    Setting(
        key="max_count_change",
        label="Stop when the number of rows moves by more than",
        hint="Off the last run's. Empty: it is not watched.",
        kind="percent",
    ),
    Setting(
        key="allow_empty",
        label="A query without rows may empty the list",
        hint="Off: such a run stops before anything is removed.",
        kind="check",
    ),
)
_DEFAULTS: Mapping[str, Any] = TemplateSettings(list_name="-").model_dump(mode="json")
_LATEST = "latest_by: "


async def open_template_form(
    visit: Visit, destination: str, ref: str | None, done: Callable[[], Awaitable[None]]
) -> None:
    """Show the dialog. ref: of the template that is changed; None adds one. done: called when it is saved."""
    thing = await visit.call(get_configured, visit.workspace, "data_templates", ref) if ref else None
    form = _Form(visit, destination, thing, done)
    form.open()
    await form.offer_lists()


class _Form:
    """The fields: those that everybody looks at, and behind them those that few people need."""

    def __init__(
        self, visit: Visit, destination: str, thing: Configured | None, done: Callable[[], Awaitable[None]]
    ) -> None:
        self._visit = visit
        self._destination = destination
        self._thing = thing
        self._done = done
        self._before = {k: v for k, v in (thing.entry if thing else {}).items() if k not in ("name", "destination")}
        values = {**_DEFAULTS, "list_name": "", **self._before}
        values["duplicates"] = None if values["duplicates"] == "fail" else values["duplicates"].removeprefix(_LATEST)
        with dialog("Edit data template" if thing else "Add data template") as self._box:
            part("p", "muted", text=f"How columns go to {destination}.")
            self._name = text_field("Name", value=thing.name if thing else "")
            self._name.set_enabled(thing is None)
            self._forms = [SettingsForm(_MAIN, values)]
            with fold("More"):
                self._forms.append(SettingsForm(_MORE, values))
            with fold("Fuses: when a run stops before it sends anything"):
                self._forms.append(SettingsForm(_FUSES, values))
            self._problem = part("div")
            with part("div", "dialog-actions"):
                button("Cancel", on_click=self._box.close)
                button("Save", on_click=self._save, kind="primary")
        self._list = self._forms[0].field("list_name")

    def open(self) -> None:
        """Show it."""
        self._box.open()

    async def offer_lists(self) -> None:
        """Offer the lists of the account, as soon as it has named them; without them, the name is typed."""
        try:
            names = await self._visit.call(list_names, self._visit.workspace, self._visit.settings, self._destination)
        except SegueError as error:
            self._list.props["hint"] = f"Its lists cannot be asked for, so type the name. {error.message}"
        else:
            with self._box:
                suggest(self._list, names)

    async def _save(self) -> None:
        found = [form.changed() for form in self._forms]
        if not all([needed(self._name), needed(self._list)]) or None in found:
            return
        changes = {key: value for part_of in found for key, value in (part_of or {}).items()}
        if "duplicates" in changes:
            changes["duplicates"] = f"{_LATEST}{changes['duplicates']}" if changes["duplicates"] else "fail"
        kept = {**self._before, **changes}
        entry = {
            "name": str(self._name.value).strip(),
            "destination": self._destination,
            # A setting at its default needs no words, unless somebody wrote them down.
            **{key: value for key, value in kept.items() if key in self._before or value != _DEFAULTS.get(key)},
        }
        saving = self._visit.call(self._saved, entry)
        await save(saving, box=self._box, problem=self._problem, told="The data template is saved.", done=self._done)

    def _saved(self, entry: Mapping[str, Any]) -> None:
        workspace = self._visit.workspace
        if self._thing is None:
            create(workspace, "data_templates", entry)
        else:
            partial(replace, tag=self._thing.tag)(workspace, "data_templates", self._thing.id, entry)
