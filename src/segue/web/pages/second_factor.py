"""The card of the second factor: turned on with a code of the phone, off with one, and what helps when it is lost."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from nicegui import ui

from segue.errors import SegueError
from segue.security import Secret
from segue.services.totp import codes_left, end_totp, keep_totp, new_totp, renew_recovery_codes
from segue.services.users import UserRecord, get_user
from segue.web.components.banner import show_problem
from segue.web.components.copying import copy_field, copy_lines
from segue.web.components.dialogs import dialog
from segue.web.components.fields import needed, text_field
from segue.web.components.icons import button
from segue.web.components.parts import part
from segue.web.components.qr import qr_code
from segue.web.components.status import status
from segue.web.visit import Visit

_BY = "A code of the application on your phone, or a recovery code"


class SecondFactor:
    """The card, and the dialogs that it opens."""

    def __init__(self, visit: Visit, user: UserRecord) -> None:
        self._visit = visit
        self._user = user
        self._card = part("section", "card", aria_label="Second factor")

    async def show(self) -> None:
        """Fill the card with what is so now."""
        self._user = await self._visit.call(get_user, self._visit.workspace, self._user.name)
        left = await self._visit.call(codes_left, self._visit.workspace)
        self._card.clear()
        with self._card:
            with part("div", "card-head"):
                part("h2", text="Second factor")
                status("on" if self._user.totp else "off")
            if not self._user.totp:
                part(
                    "p", text="With one, a stolen password alone lets nobody in: a code of your phone is asked for too."
                )
                button("Turn on", on_click=self._enrol, name="phonelink_lock", kind="primary")
                return
            part("p", text=f"{left} recovery codes are left: each stands in once for a code of your phone.")
            with part("div", "actions"):
                button("New recovery codes", on_click=self._renew)
                button("Turn off", on_click=self._end)

    async def _enrol(self) -> None:
        offered = await self._visit.call(new_totp, self._visit.workspace)
        with dialog("Turn the second factor on") as box:
            part("p", text="Scan this with an authenticator application on your phone, or type the key there.")
            qr_code(offered.uri, label="QR code of the key below")
            copy_field("Key", offered.secret)

            async def keep(code: str) -> None:
                codes = await self._visit.call(keep_totp, self._visit.workspace, offered.secret, code)
                await self.show()
                self._show_codes(codes)

            _code_form(box, "The code that the application shows", "Turn on", keep)
        box.open()

    async def _renew(self) -> None:
        with dialog("New recovery codes") as box:
            part("p", text="The old ones open nothing any more.")

            async def renew(code: str) -> None:
                self._show_codes(await self._visit.call(renew_recovery_codes, self._visit.workspace, code))
                await self.show()

            _code_form(box, _BY, "Make new ones", renew)
        box.open()

    async def _end(self) -> None:
        with dialog("Turn the second factor off") as box:
            part("p", text="The password alone lets you in from then on.")

            async def end(code: str) -> None:
                await self._visit.call(end_totp, self._visit.workspace, code)
                await self.show()

            _code_form(box, _BY, "Turn off", end)
        box.open()

    def _show_codes(self, codes: tuple[Secret, ...]) -> None:
        with self._card, dialog("Your recovery codes") as box:
            part(
                "p",
                text="Keep them where you keep passwords: each lets you in once without the phone. They are not shown again.",
            )
            copy_lines("Recovery codes", codes)
            with part("div", "dialog-actions"):
                button("I have kept them", on_click=box.close, kind="primary")
        box.open()


def _code_form(box: ui.dialog, label: str, yes: str, work: Callable[[str], Awaitable[None]]) -> None:
    """A field for a code, and what is done with it; a mistake is told, and the dialog stays."""
    problem = part("div")
    field = text_field(label)
    field.props["autocomplete"] = "one-time-code"

    async def submit() -> None:
        if not needed(field):
            return
        try:
            await work(str(field.value))
        except SegueError as error:
            show_problem(problem, error)
            return
        box.close()

    field.on("keydown.enter", submit)
    with part("div", "dialog-actions"):
        button("Cancel", on_click=box.close)
        button(yes, on_click=submit, kind="primary")
