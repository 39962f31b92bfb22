"""What went wrong, and what to do about it."""

from __future__ import annotations

import json
import logging

from nicegui import ui

from segue.errors import QueryError, SegueError
from segue.services.configuration import ConfigurationError
from segue.web.components.icons import icon
from segue.web.components.parts import Part, part

_log = logging.getLogger("segue.web")
_SECONDS = 12_000


def error_banner(error: SegueError) -> Part:
    """An error with its cause and its steps."""
    with part("div", "banner bad", role="alert") as banner:
        icon("error")
        with part("div", "banner-text"):
            part("strong", text=_message(error))
            if error.cause:
                part("p", text=error.cause)
            if isinstance(error, ConfigurationError):
                _list([f"{problem.place}: {problem.message}" for problem in error.problems])
            if error.steps:
                _list(error.steps)
    return banner


def show_problem(place: ui.element, error: SegueError) -> None:
    """An error in a place of its own in a form, where it is seen."""
    place.clear()
    with place:
        error_banner(error)
    ui.run_javascript(f"document.getElementById('{place.html_id}').scrollIntoView({{ block: 'center' }})")


def notice(text: str, *, tone: str = "warn", name: str = "warning") -> Part:
    """A sentence that should not be missed. tone: as of a status."""
    with part("div", f"banner {tone}", role="status") as banner:
        icon(name)
        part("div", "banner-text", text=text)
    return banner


def toast(text: str, kind: str, label: str, address: str) -> None:
    """A word over the page with a link. kind: ``positive``, ``warning``, ``negative`` or ``info``; label: of the link."""
    ui.run_javascript(f"segue.toast({', '.join(map(json.dumps, (kind, text, label, address)))})")


def tell(error: Exception, *, debug: bool = False) -> None:
    """Show what an action raised, over the page."""
    if isinstance(error, SegueError):
        text = "\n".join((_message(error), *error.steps))
    else:
        # Its text may hold a person's data.
        _log.error("a page failed: %s", type(error).__name__, exc_info=error if debug else None)
        text = "Something went wrong that nobody foresaw. The server's log has its type."
    ui.notify(
        text,
        type="negative",
        position="bottom-right",
        multi_line=True,
        timeout=_SECONDS,
        close_button="Close",
        classes="toast",
    )


def _message(error: SegueError) -> str:
    message = "There are mistakes." if isinstance(error, ConfigurationError) else error.message
    place = f" (line {error.line}, column {error.column})" if isinstance(error, QueryError) and error.line else ""
    return f"{message[:1].upper()}{message[1:]}{place}"


def _list(lines: list[str] | tuple[str, ...]) -> None:
    with part("ul"):
        for line in lines:
            part("li", text=line)
