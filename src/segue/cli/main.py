"""The ``segue`` command: its sub-commands, and the one place where errors become text."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Annotated, Any

import typer
from typer.exceptions import TyperException

from segue import traces
from segue.cli import (
    activity,
    audit,
    config,
    groups,
    inspect,
    queries,
    requests,
    resolve,
    retention,
    runs,
    serve,
    tokens,
    users,
    workspace,
)
from segue.cli.access import ANYWHERE
from segue.cli.context import name_server, require_workspace
from segue.errors import ConfigError, SegueError
from segue.security import RedactingFormatter, whereabouts
from segue.settings import Settings

# A module of commands has register(app); what it needs beyond typer it imports inside its commands, so that
# `segue --help` stays quick.
COMMANDS = (
    workspace,
    retention,
    config,
    queries,
    runs,
    groups,
    resolve,
    serve,
    tokens,
    users,
    inspect,
    requests,
    activity,
    audit,
)

_INTERRUPTED = 130


def build() -> typer.Typer:
    """The application with every command."""
    app = typer.Typer(
        name="segue",
        help="Send the results of SQL queries over a Customer 360 to Klaviyo, and keep them true there.",
        epilog="Settings come from SEGUE_... environment variables: see docs/reference/configuration.md.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)
    for module in COMMANDS:
        module.register(app)
    return app


def _command() -> Any:
    """The same, ready to be called: what works on a workspace only refuses to be sent to a server."""
    command = typer.main.get_command(build())
    _keep_here(command)
    return command


def _keep_here(group: Any, prefix: str = "") -> None:
    for name, command in group.commands.items():
        path = f"{prefix} {name}".strip()
        if hasattr(command, "commands"):
            _keep_here(command, path)
        elif path not in ANYWHERE:
            command.callback = partial(_here, path, command.callback)


def _here(path: str, callback: Callable[..., Any], **given: Any) -> Any:
    require_workspace(path)
    return callback(**given)


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code; whatever goes wrong is told in a few lines on stderr."""
    _log_to_stderr()
    with _events():
        return _run(arguments)


def _run(arguments: Sequence[str]) -> int:
    try:
        code = _command().main(list(arguments), prog_name="segue", standalone_mode=False)
    except SegueError as error:
        _tell(error.message, code=error.code, cause=error.cause, steps=error.steps)
        return error.exit_code
    except TyperException as error:
        return _usage(error)
    except typer.Abort:
        typer.echo("nothing was done", err=True)
        return 1
    except KeyboardInterrupt:
        return _interrupted()
    except Exception as error:  # noqa: BLE001 -- the outermost handler: a bare traceback helps nobody
        # The text of a foreign error may hold a person's data: only its type is shown.
        _tell(
            f"Segue failed unexpectedly ({type(error).__name__})",
            code="unexpected",
            steps=("Run the command again with SEGUE_DEBUG=1 to see where.", "Report it with that output."),
        )
        return 1
    return _interrupted() if code == _INTERRUPTED else int(code or 0)


def _show_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version  # noqa: PLC0415

        typer.echo(f"segue {version('segue')}")
        raise typer.Exit


def _root(
    version: Annotated[  # noqa: ARG001 -- acts in its callback
        bool, typer.Option("--version", help="Show the version and exit.", is_eager=True, callback=_show_version)
    ] = False,
    server: Annotated[
        str | None,
        typer.Option(
            "--server",
            metavar="URL",
            help="Leave the work to this server (also SEGUE_SERVER), with the token SEGUE_TOKEN.",
        ),
    ] = None,
) -> None:
    """Options of ``segue`` itself."""
    name_server(server)


def _log_to_stderr() -> None:
    """Warnings of libraries go to stderr, without secrets and addresses."""
    handler = logging.StreamHandler()
    handler.setFormatter(RedactingFormatter("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(handlers=[handler], level=logging.WARNING)


@contextmanager
def _events() -> Iterator[None]:
    """Where SEGUE_LOG asks for it, events are written as JSON lines; where OTEL_... do, traces are sent."""
    try:
        current = Settings.from_env(os.environ)
    except ConfigError:  # told by the command that needs the settings
        current = Settings()
    if current.traces:
        traces.on()
    try:
        with _log(current.log):
            yield
    finally:
        traces.off()


@contextmanager
def _log(target: str | None) -> Iterator[None]:
    if target is None:
        yield
        return
    from segue import logs  # noqa: PLC0415 -- only a command that runs logs

    try:
        logs.to(target)
    except ConfigError as error:
        _tell(error.message, code=error.code, steps=error.steps)
    try:
        yield
    finally:
        logs.off()


def _tell(message: str, *, code: str, cause: str = "", steps: Sequence[str] = ()) -> None:
    """Write an error to stderr: what happened, why, and what to do. The code stands behind the first line: a query's own
    line, or the other mistakes of a file, may follow."""
    first, *rest = message.split("\n")
    typer.secho("error: ", err=True, fg="red", bold=True, nl=False)
    typer.echo("\n".join((f"{first} [{code}]", *rest)), err=True)
    if cause:
        typer.echo(f"cause: {cause}", err=True)
    for number, step in enumerate(steps, start=1):
        typer.echo(f"  {number}. {step}", err=True)
    error = sys.exc_info()[1]
    if _debug() and error is not None:
        typer.echo(whereabouts(error), err=True)


def _usage(error: TyperException) -> int:
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "segue"
    message = error.format_message()
    if message.strip():
        _tell(message, code="usage", steps=(f"See `{path} --help`.",))
    return error.exit_code


def _interrupted() -> int:
    typer.echo("interrupted", err=True)
    return _INTERRUPTED


def _debug() -> bool:
    try:
        return Settings.from_env(os.environ).debug
    except ConfigError:
        return False
