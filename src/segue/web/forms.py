"""Plain forms, for those who are not logged in: they need no connection that stays open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from html import escape

from starlette.responses import HTMLResponse

from segue.errors import SegueError


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a form. kind, autocomplete: as HTML has them."""

    name: str
    label: str
    kind: str = "text"
    autocomplete: str = "off"
    required: bool = True
    value: str = ""

    def filled(self, value: str) -> Field:
        """The same with what was typed before; never for a secret."""
        return replace(self, value=value)


def form_page(
    title: str,
    assets: str,
    *,
    action: str | None = None,
    fields: tuple[Field, ...] = (),
    hidden: Mapping[str, str] | None = None,
    error: SegueError | None = None,
    status: int = 200,
    link: tuple[str, str] | None = None,
) -> HTMLResponse:
    """A page with one form, or with an error alone. link: its text and where it leads. Every text is escaped."""
    told = _error(error) if error is not None else ""
    other = f'<a class="button" href="{escape(link[1])}">{escape(link[0])}</a>' if link is not None else ""
    form = _form(title, action, fields, hidden or {}) if action is not None else ""
    return HTMLResponse(
        f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)} · Segue</title><link rel="stylesheet" href="{escape(assets)}/segue.css">
<script src="{escape(assets)}/segue.js"></script></head>
<body><main class="door"><div class="brand"><span class="brand-mark" aria-hidden="true"></span>Segue</div>
<section class="card"><h1>{escape(title)}</h1>{told}{form}{other}</section></main></body></html>""",
        status_code=status,
    )


def _form(title: str, action: str, fields: tuple[Field, ...], hidden: Mapping[str, str]) -> str:
    kept = "".join(f'<input type="hidden" name="{escape(n)}" value="{escape(v)}">' for n, v in hidden.items())
    shown = "".join(map(_field, fields))
    return (
        f'<form method="post" action="{escape(action)}">{kept}{shown}'
        f'<button class="button primary" type="submit">{escape(title)}</button></form>'
    )


def _field(field: Field) -> str:
    required = " required" if field.required else ""
    return (
        f'<label for="{escape(field.name)}">{escape(field.label)}</label>'
        f'<input id="{escape(field.name)}" name="{escape(field.name)}" type="{escape(field.kind)}" '
        f'value="{escape(field.value)}" autocomplete="{escape(field.autocomplete)}"{required}>'
    )


def _error(error: SegueError) -> str:
    steps = "".join(f"<li>{escape(step)}</li>" for step in error.steps)
    return (
        f'<div class="banner bad" role="alert"><div class="banner-text"><strong>{escape(error.message)}</strong>'
        f"<ul>{steps}</ul></div></div>"
    )
