"""``segue query``: run, preview and explain queries, and search the functions they may call."""

# ruff: noqa: PLC0415 -- DuckDB, Arrow and SQLAlchemy load inside the commands, so that `segue --help` stays quick
from __future__ import annotations

import re
import sys
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from segue.cli.context import settings, workspace
from segue.cli.place import Answer, Asked, place
from segue.cli.pointing import pointing_at
from segue.errors import UsageError

if TYPE_CHECKING:
    from segue.audience.fields import Field
    from segue.query import Function
    from segue.services.queries import Explanation, SavedQuery
    from segue.services.workspace import Workspace

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Csv = Annotated[str | None, typer.Option("--csv", metavar="FILE", help="Write CSV to this file; - is stdout.")]
Sql = Annotated[str | None, typer.Option("--sql", help="SQL that is not saved.")]
Database = Annotated[str | None, typer.Option("--database", help="Where the SQL runs; needed when there are several.")]
_NUMBER = re.compile(r"u?int\d+|float|halffloat|double|decimal\d*\(.*\)")
"""Arrow's names of types whose cells are aligned right."""


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    query = typer.Typer(help="Run, preview and explain queries.", no_args_is_help=True, rich_markup_mode="rich")
    query.command()(run)
    query.command()(preview)
    query.command()(explain)
    query.command()(functions)
    app.add_typer(query, name="query", rich_help_panel="Queries")


def run(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the query, a draft or an active one.")],
    limit: Annotated[int | None, typer.Option("--limit", min=0, help="At most this many rows.")] = None,
    csv: Csv = None,
    as_json: AsJson = False,
) -> None:
    """Run a saved query and show its rows. Nothing is sent. Ctrl-C cancels the query. A server gives 10,000 rows at most."""
    _show_rows(Asked(name=name, limit=limit), csv=csv, as_json=as_json)


def preview(
    sql: Annotated[str, typer.Option("--sql", help="One SELECT in Presto/Trino SQL.")],
    database: Database = None,
    limit: Annotated[int, typer.Option("--limit", min=0, help="At most this many rows.")] = 100,
    csv: Csv = None,
    as_json: AsJson = False,
) -> None:
    """Run SQL that is not saved and show its first rows. Ctrl-C cancels the query."""
    _show_rows(Asked(sql=sql, database=database, limit=limit), csv=csv, as_json=as_json)


def explain(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Name of the query.")] = None,
    sql: Sql = None,
    database: Database = None,
    destination: Annotated[str | None, typer.Option("--destination", help="For which destination.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show what a query reads, its translated SQL, and where each column goes at Klaviyo. The query is not run."""
    from segue.services.queries import explain as explain_query
    from segue.services.queries import plugin_for

    with workspace() as opened:
        query = _find(opened, name, sql, database)
        with opened.catalog.session(read_only=True) as session:
            plugin = plugin_for(session, destination)
        with pointing_at(query.sql):
            made = explain_query(query, settings(), plugin)
    if as_json:
        from segue.cli.output import print_json

        print_json(_explanation(made))
    else:
        _show_explanation(made)


def functions(
    pattern: Annotated[
        str | None, typer.Argument(metavar="[PATTERN]", help="A part of a name, category or note.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON array.")] = False,
) -> None:
    """List the SQL functions that queries may call, or those that match a pattern."""
    from segue.cli.output import print_grid, print_json
    from segue.services.queries import functions as find_functions

    found = find_functions(pattern)
    if as_json:
        print_json([_function(entry) for entry in found])
        return
    rows = [(entry.signature, entry.category, entry.cases[0].sql if entry.cases else "", entry.note) for entry in found]
    print_grid(("function", "category", "example", "note"), rows)
    typer.echo(f"{len(found)} functions" if len(found) != 1 else "1 function", err=True)


def _find(opened: Workspace, name: str | None, sql: str | None, database: str | None) -> SavedQuery:
    from segue.services.queries import SavedQuery, find_database, find_query

    if (name is None) == (sql is None):
        raise UsageError("a query needs either its name or --sql", steps=("See `segue query explain --help`.",))
    with opened.catalog.session(read_only=True) as session:
        if name is not None:
            return find_query(session, name)
        return SavedQuery(name=None, sql=sql or "", database=find_database(session, database))


def _show_rows(asked: Asked, *, csv: str | None, as_json: bool) -> None:
    from segue.cli.output import print_grid, write_csv

    if csv is not None and as_json:
        raise UsageError("--csv and --json exclude each other")
    started = time.monotonic()
    with place() as at:
        if csv is not None:
            with at.rows_csv(asked) as parts:
                count = write_csv(parts, csv)
        else:
            with at.rows(asked) as answer:
                if as_json:
                    count = _print_rows(answer, started)
                else:
                    names = [column["name"] for column in answer.columns]
                    right = [_NUMBER.fullmatch(column["type"]) is not None for column in answer.columns]
                    count = print_grid(names, answer.rows, right=right)
    if not as_json:
        rows = "1 row" if count == 1 else f"{count:,} rows"
        typer.echo(f"{rows} in {time.monotonic() - started:.1f} s", err=True)


def _print_rows(answer: Answer, started: float) -> int:
    """One object, written as the rows come. Rows are arrays in the order of ``columns``, whose names may repeat."""
    import json

    from segue.services.rows import json_cell

    head = {"query": answer.query, "database": answer.database, "columns": list(answer.columns)}
    typer.echo(json.dumps(head, ensure_ascii=False)[:-1] + ', "rows": [', nl=False)
    count = 0
    for count, row in enumerate(answer.rows, start=1):
        sys.stdout.write(("\n" if count == 1 else ",\n") + json_cell(row))
    typer.echo(f'\n], "row_count": {count}, "seconds": {time.monotonic() - started:.3f}}}')
    return count


def _explanation(made: Explanation) -> dict[str, Any]:
    return {
        "query": made.query.name,
        "database": made.query.database.name,
        "sql": made.query.sql,
        "engine_sql": made.compiled.engine_sql,
        "tables": list(made.compiled.tables),
        "functions": list(made.compiled.functions),
        "plugin": made.plugin,
        "columns": [
            {
                "name": column.name,
                "arrow_type": column.arrow,
                "json_type": column.json,
                "full_profile": _placed(column.full_profile),
                "email_only": _placed(column.email_only),
            }
            for column in made.columns
        ],
        "warnings": list(made.warnings),
    }


def _placed(field: Field) -> dict[str, str | None]:
    return {"place": field.place, "path": None if field.why else field.path, "why": field.why or None}


def _function(entry: Function) -> dict[str, Any]:
    return {
        "name": entry.name,
        "category": entry.category,
        "signature": entry.signature,
        "note": entry.note,
        "example": entry.cases[0].sql if entry.cases else None,
    }


def _show_explanation(made: Explanation) -> None:
    from segue.cli.output import print_grid

    typer.secho(f"{made.query.name or 'SQL'} on {made.query.database.name}", bold=True)
    typer.echo(f"reads {', '.join(made.compiled.tables) or 'no table'}")
    typer.echo(f"calls {', '.join(made.compiled.functions) or 'no function'}\n")
    rows = [
        (column.name, column.arrow, column.json or "", _place(column.full_profile), _place(column.email_only))
        for column in made.columns
    ]
    print_grid(("column", "type", "JSON", "use_full_profile: true", "use_full_profile: false"), rows)
    typer.secho("\nTranslated SQL", bold=True)
    typer.echo(made.compiled.engine_sql)
    for warning in made.warnings:
        typer.secho("warning: ", fg="yellow", nl=False)
        typer.echo(warning)


_PLACES = {
    "key": "the person",
    "profile": "profile field",
    "location": "location",
    "property": "custom property",
}


def _place(field: Field) -> str:
    return f"left out: {field.why}" if field.why else _PLACES[field.place]
