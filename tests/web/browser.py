"""A real browser at a real server: what the tests of the pages and the pictures of the documents look at."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

from examples.sandbox import Sandbox

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
def web_app(place: Sandbox) -> Iterator[str]:
    """``segue serve`` on the workspace of a sandbox; gives the address of the web app."""
    port = free_port()
    process = place.start("serve", "--port", str(port), output=subprocess.PIPE)
    assert process.stderr is not None
    try:
        while not (line := process.stderr.readline()).startswith("serving"):
            assert line, "segue serve ended"
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.communicate(timeout=60)


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
