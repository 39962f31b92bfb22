"""About: what is installed, where it keeps things, and where to read on."""

from __future__ import annotations

from segue.services.about import about
from segue.web.components.parts import heading, part
from segue.web.registry import Page, Section
from segue.web.visit import Visit

_LINKS = (
    ("/api/openapi.json", "The REST API, as OpenAPI"),
    ("/metrics", "Numbers for Prometheus; takes a token"),
    ("/healthz", "Whether the server is up"),
)


async def build(visit: Visit) -> None:
    """Fill the page."""
    found = await visit.call(about, visit.workspace, visit.settings)
    heading("About", "What is installed, and where it keeps things.")
    with part("div", "columns"):
        with part("section", "card"):
            part("h2", text="Segue")
            with part("dl", "facts"):
                for name, text in (
                    ("Version", found.version),
                    ("Licence", found.license),
                    ("Python", found.python),
                    ("Workspace", found.workspace),
                    ("Metadata", found.database),
                    ("Schema", found.schema),
                ):
                    part("dt", text=name)
                    part("dd", text=text)
        with part("section", "card"):
            part("h2", text="Read on")
            part(
                "p",
                text="The documents lie beside the source, in its folder docs: a tutorial, how-to guides, the reference.",
            )
            with part("ul", "plain-list"):
                for address, text in _LINKS:
                    with part("li"):
                        part("a", text=address, href=address)
                        part("span", "muted", text=text)


PAGE = Page(
    path="/settings/about",
    title="About",
    section=Section.SETTINGS,
    permission="configuration.read",
    build=build,
    tab="About",
)
