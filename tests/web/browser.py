"""A real browser at a real server: what the tests of the pages and the pictures of the documents look at."""

from __future__ import annotations

import secrets
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager

from playwright.sync_api import Browser, sync_playwright

from examples.sandbox import Sandbox
from segue.security import Secret
from segue.services.links import first_administrator_link, password_link, redeem_link
from segue.services.login import log_in
from segue.services.permissions import Option, Policy
from segue.services.users import create_user
from segue.services.workspace import open_workspace
from segue.settings import Settings

PASSWORD = Secret("four words of a sentence")
_INSTALLED = ("chromium", "chromium-browser", "google-chrome")


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless Chromium: the system's, or the one that ``playwright install chromium`` fetched."""
    path = next(filter(None, map(shutil.which, _INSTALLED)), None)
    with sync_playwright() as playwright:
        # Chromium refuses its own sandbox to root, who runs tests in containers.
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"])
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def web_app(place: Sandbox, **variables: str) -> Iterator[str]:
    """``segue serve`` on the workspace of a sandbox; gives the address of the web app. variables: of its environment."""
    port = free_port()
    process = place.start("serve", "--port", str(port), output=subprocess.PIPE, **variables)
    assert process.stderr is not None
    try:
        while not (line := process.stderr.readline()).startswith("serving"):
            assert line, "segue serve ended"
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.communicate(timeout=60)


def logged_in(place: Sandbox, name: str = "ana") -> dict[str, str]:
    """The cookies of an administrator's browser; the user is made where there is none."""
    with closing(open_workspace(Settings.from_env(place.variables))) as workspace:
        link = first_administrator_link(workspace)
        if link is not None:
            redeem_link(workspace, link.token, PASSWORD, name=name)
        return {"segue": log_in(workspace, name, PASSWORD, address="127.0.0.1").token.reveal()}


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def logged_in_as(place: Sandbox, policy: Policy, *options: Option) -> dict[str, str]:
    """The cookies of the browser of a new user with this policy."""
    name = f"{policy}-{secrets.token_hex(4)}"
    with closing(open_workspace(Settings.from_env(place.variables))) as workspace:
        create_user(workspace, name, policy, options)
        redeem_link(workspace, password_link(workspace, name).token, PASSWORD)
        return {"segue": log_in(workspace, name, PASSWORD, address="127.0.0.1").token.reveal()}
