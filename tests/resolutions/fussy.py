"""A destination plug-in as somebody else may write one: Klaviyo's, with errors that carry no code of their own."""

from __future__ import annotations

from dataclasses import replace

from segue.destinations.contract import Account, Connection
from segue.destinations.klaviyo import Klaviyo
from segue.destinations.klaviyo import plugin as klaviyo
from segue.errors import SegueError

mood: list[type[SegueError]] = []
"""What it raises next."""


class Fussy(Klaviyo):
    """Klaviyo, in a mood."""

    def account(self) -> Account:
        """Who the key belongs to, unless it does not like to say."""
        if mood:
            raise mood.pop()("It does not like this.")
        return super().account()


def opened(connection: Connection) -> Fussy:
    """A destination without a call yet."""
    return Fussy(connection)


plugin = replace(klaviyo, name="fussy", open=opened)
