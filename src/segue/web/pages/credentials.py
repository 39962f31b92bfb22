"""The credentials below the destinations: who uses them, and another key for one."""

from __future__ import annotations

from nicegui import ui
from nicegui.events import GenericEventArguments

from segue.errors import SegueError
from segue.security import Secret
from segue.services.credentials import CredentialLine, credential_lines, replace_key
from segue.web.components.banner import notice, show_problem
from segue.web.components.dialogs import dialog
from segue.web.components.fields import needed, password_field
from segue.web.components.icons import button
from segue.web.components.parts import part
from segue.web.components.table import Action, Column, DataTable
from segue.web.deleting import delete_thing
from segue.web.visit import Visit

_COLUMNS = (
    Column(key="name", label="Credential"),
    Column(key="type", label="Type", wide=True),
    Column(key="url", label="Address", wide=True),
    Column(key="used", label="Used by"),
)
_ACTIONS = (
    Action(key="key", label="Replace the key", icon="key"),
    Action(key="delete", label="Delete", icon="delete", danger=True),
)


class Credentials:
    """A card with every credential. Their keys are shown to nobody."""

    def __init__(self, visit: Visit, lines: tuple[CredentialLine, ...]) -> None:
        self._visit = visit
        self._lines = lines
        with part("section", "card", aria_label="Credentials"):
            part("h2", text="Credentials")
            self._table = DataTable(
                "Credentials",
                _COLUMNS,
                _rows(lines),
                actions=_ACTIONS if visit.may("credentials.edit") else (),
                on_action=self._act,
                search=False,
                empty=("No credential yet", "A destination is added together with the credential that it needs."),
            )

    async def refill(self) -> None:
        """Show what there is now."""
        self._lines = await self._visit.call(credential_lines, self._visit.workspace)
        self._table.fill(_rows(self._lines))

    async def _act(self, event: GenericEventArguments) -> None:
        line = next((each for each in self._lines if each.id == event.args["row"]), None)
        if line is None:
            ui.notify("The credential is gone.", type="warning")
        elif event.args["action"] == "key":
            self._ask_key(line)
        elif await delete_thing(
            self._visit,
            "credentials",
            line.id,
            line.name,
            noun="credential",
            text="and its key are deleted for good.",
            users=[f'the destination "{name}"' for name in line.used_by],
        ):
            await self.refill()

    def _ask_key(self, line: CredentialLine) -> None:
        with dialog("Replace the key") as box:
            part(
                "p",
                "muted",
                text=f"What uses {line.name} goes on with the new key, once it is known to open the account.",
            )
            key = password_field("API key", autocomplete="new-password", hint="It is encrypted, and never shown again.")
            problem = part("div")

            async def save() -> None:
                if not needed(key):
                    return
                problem.clear()
                with problem:
                    notice("The key is being checked.", tone="busy", name="autorenew")
                given = Secret(str(key.value).strip())
                try:
                    await self._visit.call(replace_key, self._visit.workspace, self._visit.settings, line.name, given)
                except SegueError as error:
                    show_problem(problem, error)
                    with problem:
                        part("p", "muted", text="The old key stays.")
                    return
                key.value = ""  # the dialog is kept while the page is open
                box.close()
                ui.notify("The key is replaced.", type="positive", position="bottom-right")

            with part("div", "dialog-actions"):
                button("Cancel", on_click=box.close)
                button("Check and save", on_click=save, kind="primary")
        box.open()


def _rows(lines: tuple[CredentialLine, ...]) -> list[dict[str, object]]:
    return [
        {
            "id": line.id,
            "name": line.name,
            "type": line.type,
            "url": line.base_url,
            "used": ", ".join(line.used_by),
        }
        for line in lines
    ]
