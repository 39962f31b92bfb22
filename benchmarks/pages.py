"""``python -m benchmarks.pages``: how soon the pages of a large workspace can be used, and how smoothly a long grid scrolls.

A thousand orchestrations in fifty groups with a hundred thousand runs, beside one orchestration with one run: the same pages of
both, in headless Chromium at `segue serve` on loopback. A page can be used when the websocket stands, nothing is a placeholder
any more and what it is about is there.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any

import duckdb
from playwright.sync_api import Page
from rich.console import Console
from rich.table import Table
from sqlalchemy import insert, select

from examples.sandbox import KEY, Sandbox, emulator
from segue.catalog.base import now
from segue.catalog.models import Orchestration
from segue.catalog.runs import Run
from segue.services.configuration import apply_files
from segue.services.workspace import init_workspace, open_workspace
from segue.settings import Settings
from tests.web.browser import chromium, logged_in, web_app

MANY, RUNS, GROUP = 1_000, 100_000, 20
BROKEN = 10_000
"""Rows that are refused: the longest grid."""
VISITS = 5
_LOOKED_AT = 1000
"""Milliseconds."""
_USABLE = """selector => window.did_handshake === true && !document.querySelector(".skeleton")
    && document.querySelector(selector) ? performance.now() : false"""
_SCROLL = """async () => {
    const grid = [...document.querySelectorAll("*")].filter(e => e.scrollHeight > e.clientHeight + 50
        && /auto|scroll/.test(getComputedStyle(e).overflowY)).sort((a, b) => b.scrollHeight - a.scrollHeight)[0]
        || document.scrollingElement;
    const frames = []; let last = await new Promise(requestAnimationFrame);
    for (let i = 0; i < 120; i++) {
        grid.scrollTop += 400;
        const at = await new Promise(requestAnimationFrame); frames.push(at - last); last = at;
    }
    return {frames, height: grid.scrollHeight, top: grid.scrollTop};
}"""
_ROW = "main table tbody tr"
PAGES = {
    "/": "main .card",
    "/queries": _ROW,
    "/orchestrations": _ROW,
    "/groups": "main .card h2",
    "/workflows": _ROW,
    "/workflows/configured": _ROW,
    "/destinations": "main .card",
    "/settings/activity": _ROW,
}


def workspace(folder: Path, url: str, *, orchestrations: int, runs: int) -> Sandbox:
    """A workspace at an emulator, with runs that are only written down and one that was carried out."""
    place = Sandbox(folder=folder, url=url)
    settings = Settings.from_env(place.variables)
    init_workspace(settings)
    with duckdb.connect(str(folder / "shop.duckdb")) as database:
        email = "'p' || i || if(i % 6 = 0, '@mail.shop', ' at mail')"
        database.execute(f"CREATE TABLE People AS SELECT {email} AS email FROM range({BROKEN * 6 // 5}) t(i)")
    file = folder / "many.json"
    file.write_text(json.dumps(_configuration(folder, url, orchestrations)), encoding="utf-8")
    with closing(open_workspace(settings)) as opened:
        apply_files(opened, [file], environ={})
        with opened.catalog.session() as session:
            ids = dict(session.execute(select(Orchestration.name, Orchestration.id)).all())
            names = [f"Segment {n % orchestrations} to Klaviyo" for n in range(runs)]
            session.execute(insert(Run), [_run(number, name, ids[name]) for number, name in enumerate(names)])
    place.captured("run", "Segment 0 to Klaviyo", "--allow", "max_reject_share")
    return place


def _configuration(folder: Path, url: str, count: int) -> dict[str, Any]:
    sql, names = "SELECT email AS email FROM People", [f"Segment {n}" for n in range(count)]
    return {
        "version": 1,
        "databases": [{"name": "shop", "engine": "duckdb", "path": str(folder / "shop.duckdb")}],
        "credentials": [{"name": "klaviyo", "type": "klaviyo", "api_key": KEY, "base_url": url}],
        "destinations": [{"name": "Klaviyo", "plugin": "klaviyo", "credential": "klaviyo"}],
        "data_templates": [{"name": "Email only", "destination": "Klaviyo", "list_name": "Segment"}],
        "queries": [{"name": name, "database": "shop", "status": "active", "sql": sql} for name in names],
        "orchestrations": [
            {
                "name": f"{name} to Klaviyo",
                "query": name,
                "destination": "Klaviyo",
                "data_template": "Email only",
                "settings": {"list_name": name},
            }
            for name in names
        ],
        "orchestration_groups": [
            {
                "name": f"Group {first // GROUP}",
                "members": [{"orchestration": f"{name} to Klaviyo"} for name in names[first : first + GROUP]],
            }
            for first in range(0, count, GROUP)
        ],
    }


def _run(number: int, name: str, orchestration: str) -> dict[str, Any]:
    at = now() - timedelta(minutes=number + 5)
    return {
        "id": f"{at:%Y%m%d-%H%M%S}-{number:06x}",
        "orchestration_id": orchestration,
        "orchestration": name,
        "kind": "sync",
        "status": "completed",
        "started_at": at,
        "ended_at": at + timedelta(seconds=40),
        "settings": {},
        "list_name": name.removesuffix(" to Klaviyo"),
        "list_created": False,
        "counts": {"source": 120_000, "added": 240, "removed": 12},
        "requests": {"POST /api/profile-bulk-import-jobs": 2},
        "warnings": [],
        "options": {},
        "started_by": "schedule",
    }


@contextmanager
def looking(place: Sandbox) -> Iterator[tuple[str, Page]]:
    """A window of an administrator at a server of the workspace; the address of the server."""
    with web_app(place) as url, chromium() as browser:
        context = browser.new_context(viewport={"width": 1280, "height": 850})
        context.add_cookies([{"name": n, "value": v, "url": url} for n, v in logged_in(place).items()])
        yield url, context.new_page()


def visits(place: Sandbox) -> dict[str, list[float]]:
    """Seconds from setting out to a page until it can be used, for each of several visits; the first of all fills caches."""
    with looking(place) as (url, page):
        page.goto(url)
        return {path: [_visit(page, url + path, selector) for _ in range(VISITS)] for path, selector in PAGES.items()}


def _visit(page: Page, address: str, selector: str) -> float:
    page.goto(address)
    seconds = float(page.wait_for_function(_USABLE, arg=selector).json_value()) / 1000
    page.wait_for_timeout(_LOOKED_AT)  # nobody leaves a page the moment that it stands
    return seconds


def scrolled(place: Sandbox, path: str) -> list[float]:
    """Milliseconds of each frame while a page's longest grid is scrolled by 400 pixels a frame."""
    with looking(place) as (url, page):
        _visit(page, url + path, _ROW)
        return [float(frame) for frame in page.evaluate(_SCROLL)["frames"]]


def main() -> int:
    """Measure and print."""
    console = Console()
    with tempfile.TemporaryDirectory() as folder, emulator(limit_scale=0) as url:
        large = workspace(Path(folder) / "large", url, orchestrations=MANY, runs=RUNS)
        small = workspace(Path(folder) / "small", url, orchestrations=1, runs=1)
        console.print(_table(visits(large), visits(small)))
        run_id = json.loads(large.captured("runs", "--limit", "1", "--json"))[0]["run_id"]
        for what, path in {f"{BROKEN:,} rejects": f"/workflows/{run_id}", f"{RUNS:,} runs": "/workflows"}.items():
            frames = sorted(scrolled(large, path))
            late = sum(frame > 50 for frame in frames) / len(frames)
            console.print(
                f"{what}: {median(frames):.0f} ms a frame, the longest {frames[-1]:.0f} ms, {late:.0%} over 50 ms"
            )
    return 0


def _table(large: Mapping[str, list[float]], small: Mapping[str, list[float]]) -> Table:
    table = Table(title=f"{MANY:,} orchestrations, {RUNS:,} runs: until a page can be used (median of {VISITS})")
    for heading in ("page", "seconds", "longest", "x a workspace with one"):
        table.add_column(heading, justify="left" if heading == "page" else "right")
    for path, taken in large.items():
        times = f"{median(taken) / median(small[path]):.1f}"
        table.add_row(path, f"{median(taken):.2f}", f"{max(taken):.2f}", times)
    return table


if __name__ == "__main__":
    raise SystemExit(main())
