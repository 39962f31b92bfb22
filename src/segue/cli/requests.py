"""``segue requests``: what a run asked its destination."""

# ruff: noqa: PLC0415 -- SQLAlchemy loads inside the command, so that `segue --help` stays quick
from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from segue.cli.place import place
from segue.errors import UsageError

if TYPE_CHECKING:
    from segue.client import request_values

_PANEL = "Looking around"


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command(rich_help_panel=_PANEL)(requests)


def requests(
    run: Annotated[str, typer.Argument(metavar="RUN", help="Id of the run, or its beginning.")],
    number: Annotated[
        int | None, typer.Option("--show", metavar="NUMBER", help="Show this one whole, with headers and bodies.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object: `requests`, `exchanges`.")] = False,
) -> None:
    """Show what a run asked its destination: calls by endpoint and answer, and the first requests of each of them."""
    from segue.cli.output import print_json

    with place() as at:
        found = at.exchanges(run)
        if number is not None:
            _show(_numbered(found, number))
            return
        told = at.requests(run)
    if as_json:
        print_json({"requests": told.model_dump(mode="json"), "exchanges": [e.model_dump(mode="json") for e in found]})
        return
    _list(told, found)


def _list(told: request_values.RunRequests, found: tuple[request_values.Exchange, ...]) -> None:
    from segue.cli.output import print_grid

    calls: Counter[tuple[str, str, str]] = Counter()
    waited: Counter[tuple[str, str, str]] = Counter()
    for line in told.items:
        kind = (line.endpoint, _status(line.status), line.outcome)
        calls[kind] += line.calls
        waited[kind] += round(1000 * line.waited)
    sums = [(*kind, count, f"{waited[kind] / 1000:.1f}") for kind, count in sorted(calls.items())]
    names = ("endpoint", "answer", "outcome", "calls", "waited (s)")
    print_grid(names, sums, right=(False, False, False, True, True))
    if not found:
        return
    typer.echo()
    rows = [
        (e.number, f"{e.at:%H:%M:%S}", e.method, e.path, _status(e.status), f"{1000 * e.seconds:.0f}", e.attempt)
        for e in found
    ]
    columns = ("number", "at (UTC)", "method", "path", "answer", "ms", "attempt")
    print_grid(columns, rows, right=(True, False, False, False, False, True, True))


def _numbered(found: tuple[request_values.Exchange, ...], number: int) -> request_values.Exchange:
    for exchange in found:
        if exchange.number == number:
            return exchange
    raise UsageError(
        f"No request {number} of this run was sampled, or it is no longer stored.",
        code="unknown_exchange",
        steps=("See which there are: segue requests RUN",),
    )


def _show(exchange: request_values.Exchange) -> None:
    typer.secho(f"{exchange.method} {exchange.path}", bold=True)
    for name, value in {**exchange.parameters, **exchange.request_headers}.items():
        typer.echo(f"{name}: {value}")
    _show_body(exchange.request_body)
    typer.echo()
    typer.secho(f"{_status(exchange.status)} after {1000 * exchange.seconds:.0f} ms", bold=True)
    if exchange.problem:
        typer.echo(exchange.problem)
    for name, value in exchange.answer_headers.items():
        typer.echo(f"{name}: {value}")
    _show_body(exchange.answer_body)
    if exchange.forgotten:
        typer.echo("\nParameters and bodies were removed: somebody in them was forgotten.")


def _show_body(body: request_values.Body | None) -> None:
    if body is None:
        return
    typer.echo(f"\n{body.text}")
    if not body.whole:
        typer.echo(f"... the beginning of {body.size:,} bytes")


def _status(status: int | None) -> str:
    return "none" if status is None else str(status)
