"""The way out: a message to one address, by Apprise. An address is a secret and is in no error and no log."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from typing import Any, Literal

from segue.errors import DestinationError
from segue.security import Secret

Weight = Literal["info", "success", "warning", "failure"]
"""Apprise's words for how bad a message is."""


def known_address(address: Secret) -> bool:
    """Whether an address is of a form that messages can be sent to."""
    return _open(address) is not None


def deliver(alert: str, address: Secret, *, title: str, body: str, weight: Weight = "info") -> None:
    """Send one message. alert: whose address it is, for the error; weight: what services make a colour or a severity of.

    Raises DestinationError ``alert_unsent``.
    """
    channel = _open(address)
    try:
        sent = channel is not None and bool(
            channel.notify(title=title, body=body, body_format="text", notify_type=weight)
        )
    except TypeError:  # how Apprise refuses a message that it cannot form
        sent = False
    if not sent:
        raise DestinationError(
            f'The alert "{alert}" could not be sent.',
            code="alert_unsent",
            steps=("Check the address of the alert, then try it: segue alert test NAME",),
        )


def _open(address: Secret) -> Any:
    import apprise  # noqa: PLC0415 -- takes longer to load than everything else of a short command

    # Its log quotes addresses and what servers answer.
    log = logging.getLogger("apprise")
    log.propagate, log.handlers = False, [logging.NullHandler()]
    channel = apprise.Apprise()
    with warnings.catch_warnings():
        # It loads all its services at the first address, among them modules that Python deprecates.
        warnings.simplefilter("ignore", DeprecationWarning)
        return channel if any(channel.add(url) for url in _spellings(address.reveal())) else None


def _spellings(url: str) -> Iterator[str]:
    """The address, and as a plain web address that JSON is posted to where no service of its own knows it."""
    yield url
    scheme, _, rest = url.partition("://")
    posted = {"http": "json", "https": "jsons"}.get(scheme.lower())
    if posted and rest:
        yield f"{posted}://{rest}"
