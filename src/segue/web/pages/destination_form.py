"""The dialog that adds or changes a destination. It is saved when its connection is good."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from nicegui import ui

from segue.destinations.contract import Plugin
from segue.destinations.registry import loadable_plugins
from segue.errors import SegueError
from segue.security import Secret
from segue.services.connections import TestedConnection
from segue.services.destinations import NewCredential, save_destination
from segue.services.editing import Configured, get_configured, list_configured
from segue.web.components.banner import notice, show_problem
from segue.web.components.dialogs import dialog
from segue.web.components.fields import check_field, choice_field, complain, fold, needed, password_field, text_field
from segue.web.components.icons import button
from segue.web.components.parts import part
from segue.web.visit import Visit

_NEW = "\0new"
"""Stands for a new credential among the names of those that there are: no name has a control character."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Choices:
    """plugins: by name; credentials: name -> type; thing: the destination that is changed."""

    plugins: Mapping[str, Plugin]
    credentials: Mapping[str, str]
    thing: Configured | None


async def open_destination_form(visit: Visit, ref: str | None, done: Callable[[str], Awaitable[None]]) -> None:
    """Show the dialog. ref: of the destination that is changed; None adds one. done: called with its name when it is
    saved."""
    choices = await visit.call(_choices, visit, ref)
    _Form(visit, choices, done).open()


def _choices(visit: Visit, ref: str | None) -> _Choices:
    return _Choices(
        plugins={plugin.name: plugin for plugin in loadable_plugins()},
        credentials={c.name: str(c.entry["type"]) for c in list_configured(visit.workspace, "credentials")},
        thing=get_configured(visit.workspace, "destinations", ref) if ref else None,
    )


class _Form:
    """The fields, in the order in which people think of them: what kind, whose account, what it is called, who may."""

    def __init__(self, visit: Visit, choices: _Choices, done: Callable[[str], Awaitable[None]]) -> None:
        self._visit = visit
        self._choices = choices
        self._done = done
        entry: Mapping[str, Any] = choices.thing.entry if choices.thing else {}
        with dialog("Edit destination" if choices.thing else "Add destination") as self._box:
            names = {name: plugin.title or name for name, plugin in choices.plugins.items()}
            self._plugin = choice_field(
                "Plug-in", names, value=entry.get("plugin") or (next(iter(names)) if len(names) == 1 else None)
            )
            self._credential = choice_field("Credential", {}, hint="The key that opens the account.")
            self._new = part("div", "fold fold-fields")
            with self._new:
                self._key_name = text_field("Name of the credential")
                self._key = password_field(
                    "API key", autocomplete="new-password", hint="It is encrypted, and never shown again."
                )
                with fold("More"):
                    self._url = text_field(
                        "Address",
                        hint="For an emulator or a proxy, such as http://127.0.0.1:9800; empty: the real one.",
                    )
            self._offer_credentials(entry.get("credential"))
            self._name = text_field("Name", value=entry.get("name", ""))
            self._name.set_enabled(choices.thing is None)
            self._description = text_field("Description", value=entry.get("description", ""))
            self._given = part("div", "stack")
            self._fields: dict[str, ui.input | ui.textarea] = {}
            self._offer_settings(entry.get("settings", {}))
            part("h3", text="Access")
            self._admin_only = check_field(
                "Admin only",
                value=bool(entry.get("admin_only")),
                hint="Only administrators and operators may send there, or configure with it.",
            )
            self._restricted = check_field(
                "Also for people who see no personal data",
                value=bool(entry.get("allow_restricted_pii")),
                hint="They may run what goes there, and still see nobody's data.",
            )
            self._problem = part("div")
            with part("div", "dialog-actions"):
                button("Cancel", on_click=self._box.close)
                self._saver = button("Check and save", on_click=self._save, kind="primary")
        self._plugin.on_value_change(lambda: self._offer_credentials(None))
        self._plugin.on_value_change(lambda: self._offer_settings({}))
        self._credential.on_value_change(self._show_new)

    def open(self) -> None:
        """Show it."""
        self._box.open()

    def _offer_credentials(self, chosen: str | None) -> None:
        plugin = self._choices.plugins.get(str(self._plugin.value))
        fitting = {n: n for n, kind in self._choices.credentials.items() if plugin and kind == plugin.credential}
        if self._visit.may("credentials.edit"):
            fitting[_NEW] = "A new credential"
        self._credential.set_options(fitting, value=chosen if chosen in fitting else next(iter(fitting), None))
        self._show_new()

    def _show_new(self) -> None:
        self._new.set_visibility(self._credential.value == _NEW)

    def _offer_settings(self, values: Mapping[str, Any]) -> None:
        """The settings that the plug-in declares."""
        plugin = self._choices.plugins.get(str(self._plugin.value))
        self._given.clear()
        with self._given:
            self._fields = {
                name: text_field(name, value=str(values.get(name, "")), hint=meaning)
                for name, meaning in (plugin.settings if plugin else {}).items()
            }
        self._given.set_visibility(bool(self._fields))

    async def _save(self) -> None:
        new = (self._key_name, self._key) if self._credential.value == _NEW else ()
        filled = [needed(field) for field in (self._plugin, self._credential, self._name, *new)]
        if not all(filled):
            return
        self._say(None)
        self._saver.props["disabled"] = True
        try:
            tested = await self._visit.call(self._saved)
        except SegueError as error:
            self._say(error)
            return
        finally:
            self._saver.props["disabled"] = False
            self._saver.update()
        self._key.value = ""  # the dialog is kept while the page is open
        self._box.close()
        account = f" of {tested.account.name}" if tested.account.name else ""
        ui.notify(
            f"The connection is good; the destination{account} is saved.", type="positive", position="bottom-right"
        )
        await self._done(str(self._name.value).strip())

    def _say(self, error: SegueError | None) -> None:
        """What went wrong; None: that it is being found out."""
        if error is None:
            self._problem.clear()
            with self._problem:
                notice("The connection is being checked.", tone="busy", name="autorenew")
            return
        show_problem(self._problem, error)
        with self._problem:
            part("p", "muted", text="Nothing was saved.")
        if error.code == "exists":
            complain(self._name, error.message)

    def _saved(self) -> TestedConnection:
        new = None
        if self._credential.value == _NEW:
            new = NewCredential(
                name=str(self._key_name.value).strip(),
                secret=Secret(str(self._key.value).strip()),
                base_url=str(self._url.value or "").strip() or None,
            )
        return partial(save_destination, credential=new, seen=self._choices.thing)(
            self._visit.workspace, self._visit.settings, self._entry(new)
        )

    def _entry(self, new: NewCredential | None) -> dict[str, Any]:
        given = {
            name: str(field.value).strip() for name, field in self._fields.items() if str(field.value or "").strip()
        }
        entry: dict[str, Any] = {
            "name": str(self._name.value).strip(),
            "plugin": self._plugin.value,
            "credential": new.name if new else self._credential.value,
            "description": str(self._description.value or "").strip(),
            "admin_only": bool(self._admin_only.value),
            "allow_restricted_pii": bool(self._restricted.value),
        }
        return {**entry, "settings": given} if given else entry
