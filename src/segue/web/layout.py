"""What is around every page: header, navigation, recent activity."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from html import escape

from nicegui import ui

from segue.services.time_zone import time_zone
from segue.web.activity import ActivityDrawer
from segue.web.components.icons import icon, icon_button
from segue.web.components.parts import part
from segue.web.registry import Page, navigation
from segue.web.visit import Visit


@contextmanager
def frame(visit: Visit, pages: tuple[Page, ...], page: Page | None) -> Iterator[None]:
    """The frame of a page; the block fills its content. page: the one that is shown, None where there is none."""
    _without_main_of_quasar()
    zone = time_zone(visit.workspace)
    if zone is not None:
        ui.add_head_html(f'<meta name="segue-zone" content="{escape(zone)}">')
    skip = part("a", "skip", text="Skip to the content")
    with part("div", "shell"):
        drawer = _header(visit)
        _navigation(visit, pages, page)
        with part("main", "content", tabindex="-1") as main:
            skip.props["href"] = f"#{main.html_id}"
            _tabs(visit, pages, page)
            yield
    # Last: a timer waits for the browser, and while one waits NiceGUI would send the page as far as it is.
    drawer.watch()


def _without_main_of_quasar() -> None:
    """Quasar's page is a ``main`` around everything; ours is the content alone."""
    around = ui.context.client.content.parent_slot
    if around is not None:
        around.parent.tag = "div"


def _header(visit: Visit) -> ActivityDrawer:
    theme = ui.dark_mode(_THEMES.get(ui.context.client.request.cookies.get("segue_theme", "")))
    with part("header", "top"):
        opener = icon_button("menu", "Navigation").classes("only-narrow")
        opener.props["data-toggles"] = "nav-open"
        opener.props["aria-expanded"] = "false"
        with part("a", "brand", href="/"):
            part("span", "brand-mark", aria_hidden="true")
            ui.label("Segue")
        part("span", "space")
        drawer = ActivityDrawer(visit)
        with icon_button("contrast", "Light or dark"), ui.menu().props("auto-close"):
            for title, name, value in (
                ("Light", "light", False),
                ("Dark", "dark", True),
                ("As the system", "system", None),
            ):
                item = ui.menu_item(title, on_click=lambda value=value: theme.set_value(value))
                item.on("click", js_handler=f"() => segue.theme('{name}')")
        _user_menu(visit)
    return drawer


_THEMES = {"light": False, "dark": True}


def _user_menu(visit: Visit) -> None:
    actor = visit.actor
    with part("button", "user", type="button", aria_haspopup="menu", aria_label=f"User: {actor.name}"):
        icon("account_circle")
        part("span", "user-name", text=actor.name)
        with ui.menu(), part("div", "user-card"):
            part("strong", text=actor.name)
            part("span", "muted", text=str(actor.policy or "").capitalize())
            with part("form", method="post", action="/logout"):
                part("input", type="hidden", name="csrf", value=visit.csrf)
                part("button", "button", type="submit", text="Log out")


def _navigation(visit: Visit, pages: tuple[Page, ...], page: Page | None) -> None:
    with part("nav", "side", aria_label="Main"):
        for entry in navigation(pages, visit.may):
            here = page is not None and page.section is entry.section
            with part("a", "side-link", href=entry.path, **_current(here)):
                icon(entry.section.icon)
                part("span", text=entry.section.title)


def _tabs(visit: Visit, pages: tuple[Page, ...], page: Page | None) -> None:
    """The pages of the same section, where there are several."""
    entries = navigation(pages, visit.may)
    siblings = next((e.pages for e in entries if page is not None and e.section is page.section), ())
    named = [sibling for sibling in siblings if sibling.tab]
    if page is None or not page.tab or not named:
        return
    with part("nav", "tabs", aria_label=page.section.title):
        for sibling in named:
            part("a", "tab", text=sibling.tab or "", href=sibling.path, **_current(sibling is page))


def _current(here: bool) -> dict[str, str]:
    return {"aria_current": "page"} if here else {}
