"""The pictures of the documents, from a real run: ``python -m docs.make_images`` (or ``make images``).

Every page of the web app is taken too, as it is on a screen and on a phone, light and dark.
"""

from __future__ import annotations

import io
import shlex
import tempfile
from pathlib import Path
from typing import Literal

from playwright.sync_api import Page
from rich.console import Console
from rich.text import Text

from examples.demo import ORCHESTRATION
from examples.sandbox import Sandbox, sandbox
from segue.database.churn import churn_sample
from segue.web.pages import PAGES
from segue.workflow.watching import LATEST
from tests.web.browser import chromium, logged_in, web_app

IMAGES = Path(__file__).with_name("images")
_CONFIGURATION = Path(__file__).parents[1] / "examples" / "segue.yaml"
_COLUMNS = 88
_SCREENS = ((1280, 800), (390, 844))
_THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


def main() -> None:
    """Send the sample, change it, and draw the plan and the run that follow."""
    IMAGES.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        sandbox(Path(folder) / "workspace", rows=10_000, configuration=_CONFIGURATION) as place,
    ):
        place.captured("apply", str(place.folder / "segue.yaml"))
        place.captured("run", ORCHESTRATION, "--yes")
        churn_sample(place.database, share=0.02)
        _draw(place, "plan", "plan", ORCHESTRATION)
        _draw(place, "run", "run", ORCHESTRATION, "--yes")
        _photograph(place)


def _photograph(place: Sandbox) -> None:
    """Every page of the web app, in a browser that is logged in."""
    with web_app(place) as url, chromium() as browser:
        cookies = logged_in(place)
        for width, height in _SCREENS:
            for theme in _THEMES:
                context = browser.new_context(
                    viewport={"width": width, "height": height},
                    color_scheme=theme,
                    reduced_motion="reduce",
                )
                context.add_cookies([{"name": name, "value": value, "url": url} for name, value in cookies.items()])
                page = context.new_page()
                for shown in PAGES:
                    page.goto(url + shown.address)
                    page.wait_for_function("window.did_handshake === true")
                    page.get_by_role("heading", level=1).wait_for()
                    page.locator(".skeleton").first.wait_for(state="detached")
                    name = shown.path.strip("/").replace("/{", "-").replace("}", "").replace("/", "-") or "home"
                    path = IMAGES / f"web-{name}-{width}-{theme}.png"
                    page.screenshot(path=path)
                    print(f"took {path}")
                _photograph_requests(page, url, IMAGES / f"web-run-requests-{width}-{theme}.png")
                context.close()


def _photograph_requests(page: Page, url: str, path: Path) -> None:
    """What the last run asked Klaviyo, with one request opened."""
    page.goto(f"{url}/workflows/{LATEST}")
    page.wait_for_function("window.did_handshake === true")
    section = page.get_by_role("region", name="Requests", exact=True)
    section.locator("summary").filter(has_text="POST /api/profile-bulk-import-jobs").first.click()
    section.get_by_role("region", name="Body of the request").wait_for()
    # What stays at the top of a window would lie on a picture that is higher than it.
    page.add_style_tag(content=".top { position: static !important; }")
    section.screenshot(path=path)
    print(f"took {path}")


def _draw(place: Sandbox, name: str, *arguments: str) -> None:
    """Run a command and keep what it printed, colours included, as an SVG."""
    printed = place.captured(*arguments, FORCE_COLOR="1", COLUMNS=str(_COLUMNS))
    console = Console(record=True, width=_COLUMNS, file=io.StringIO(), highlight=False)
    console.print(Text(f"$ {shlex.join(['segue', *arguments])}", style="bold"))
    console.print(Text.from_ansi(printed.rstrip()))
    path = IMAGES / f"{name}.svg"
    # A fixed id: otherwise every drawing differs from the last one.
    path.write_text(console.export_svg(title="segue", unique_id=name), encoding="utf-8")
    print(f"drew {path}")


if __name__ == "__main__":
    main()
