"""The page at ``/``: what is in the emulator right now, as one HTML document without scripts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse

from klaviyo_emulator.admin import search
from klaviyo_emulator.world import Account, World

MAX_PROFILES = 100
MAX_ROWS = 50

_STYLE = """
:root{color-scheme:light dark;--ink:#1c2024;--soft:#60646c;--line:#e0e1e6;--paper:#fcfcfd;--bar:#f0f0f3;--mark:#0d74ce}
@media(prefers-color-scheme:dark){
:root{--ink:#edeef0;--soft:#b0b4ba;--line:#363a3f;--paper:#111113;--bar:#212225;--mark:#70b8ff}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
main{max-width:72rem;margin:0 auto;padding:1rem}
h1{font-size:1.3rem;margin:.3rem 0}h2{font-size:1rem;margin:1.8rem 0 .4rem}
p{color:var(--soft);margin:.2rem 0}
.scroll{overflow-x:auto;border:1px solid var(--line);border-radius:.4rem}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:.35rem .6rem;border-top:1px solid var(--line);white-space:nowrap}
thead th{background:var(--bar);border-top:0;font-weight:600}
td.n,th.n{text-align:right}
form{display:flex;gap:.5rem;margin:.4rem 0}
input,button{font:inherit;color:inherit;background:var(--bar);border:1px solid var(--line);border-radius:.4rem;
padding:.35rem .6rem}
input{flex:1;min-width:0}a{color:var(--mark)}
"""


class Page:
    """Renders the state of a world."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def show(self, request: Request) -> HTMLResponse:
        """The whole page; ``?account=`` and ``?search=`` choose what it shows."""
        account = self._world.account(request.query_params.get("account")) or self._world.account()
        if account is None:
            return HTMLResponse("no account", status_code=404)
        needle = request.query_params.get("search", "")
        body = "".join(
            (
                self._head(account),
                self._lists(account),
                self._jobs(account),
                _people(account, needle),
                self._requests(),
                self._faults(),
            )
        )
        return HTMLResponse(
            "<!doctype html><html lang=en><meta charset=utf-8><title>Klaviyo emulator</title>"
            '<meta name=viewport content="width=device-width,initial-scale=1">'
            f"<style>{_STYLE}</style><main>{body}</main></html>",
            headers={"content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'"},
        )

    def _head(self, account: Account) -> str:
        others = "".join(
            f' <a href="/?account={escape(one.id)}">{escape(one.name)}</a>' for one in self._world.accounts.values()
        )
        counts = f"{len(account.profiles):,} profiles, {sum(self._world.traffic.counts.values()):,} requests"
        return (
            f"<h1>Klaviyo emulator: {escape(account.name)}</h1><p>{counts}. It is {_moment(self._world.clock.now())}. "
            f'<a href="/?account={escape(account.id)}">Look again</a></p>'
            + (f"<p>Accounts:{others}</p>" if len(self._world.accounts) > 1 else "")
        )

    def _lists(self, account: Account) -> str:
        rows = [(one.name, one.id, f"{len(one.members):,}") for one in account.lists.values()]
        return _table("Lists", ("Name", "Id", "#Members"), rows, empty="No list yet.")

    def _jobs(self, account: Account) -> str:
        now = self._world.clock.now()
        jobs = list(account.jobs.values())[: -MAX_ROWS - 1 : -1]
        rows = [
            (
                one.id,
                one.status_at(now),
                f"{one.total:,}",
                f"{one.completed:,}",
                f"{one.failed:,}",
                _moment(one.created),
            )
            for one in jobs
        ]
        head = ("Job", "Status", "#Rows", "#Done", "#Failed", "Created")
        return _table("Latest bulk import jobs", head, rows, empty="No job yet.")

    def _requests(self) -> str:
        latest = list(self._world.traffic.recent)[: -MAX_ROWS - 1 : -1]
        rows = [
            (
                _moment(one.at),
                one.endpoint,
                str(one.status or "dropped"),
                f"{one.milliseconds:.1f}",
                f"{one.bytes_in:,}",
            )
            for one in latest
        ]
        head = ("Time", "Endpoint", "#Status", "#ms", "#Bytes in")
        return _table("Latest requests", head, rows, empty="No request yet.")

    def _faults(self) -> str:
        rows = [
            (one.kind, one.method, one.template, "no end" if one.count is None else str(one.count), str(one.struck))
            for one in self._world.faults.all
        ]
        return _table("Faults", ("Kind", "Method", "Template", "#Times", "#Struck"), rows, empty="No fault is set.")


def _people(account: Account, needle: str) -> str:
    rows = [
        (one.email or "", one.phone_number or "", one.external_id or "", one.id, _moment(one.updated))
        for one in search(account, needle, MAX_PROFILES)
    ]
    form = (
        f'<form><input type=hidden name=account value="{escape(account.id)}">'
        f'<input type=search name=search aria-label="Search profiles" placeholder="e-mail, phone or id" '
        f'value="{escape(needle)}"><button>Search</button></form>'
    )
    head = ("E-mail", "Phone", "External id", "Id", "Updated")
    return _table(f"Profiles (the first {MAX_PROFILES})", head, rows, empty="No profile.", above=form)


def _table(title: str, head: Sequence[str], rows: Iterable[Sequence[str]], *, empty: str, above: str = "") -> str:
    """A section with a table; a heading that begins with ``#`` marks a column of numbers."""
    kinds = [' class="n"' if name.startswith("#") else "" for name in head]
    cells = "".join(
        "<tr>" + "".join(f"<td{kind}>{escape(text)}</td>" for kind, text in zip(kinds, row, strict=True)) + "</tr>"
        for row in rows
    )
    section = f"<h2>{escape(title)}</h2>{above}"
    if not cells:
        return f"{section}<p>{escape(empty)}</p>"
    names = "".join(f"<th{kind}>{escape(name.lstrip('#'))}</th>" for kind, name in zip(kinds, head, strict=True))
    return f"{section}<div class=scroll><table><thead><tr>{names}</tr></thead><tbody>{cells}</tbody></table></div>"


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
