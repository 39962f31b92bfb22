"""The command reference, from the commands themselves: ``python -m docs.make_cli > docs/reference/cli.md``."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from typing import Any

import typer

from segue.cli.main import build

_HEAD = """\
# Commands

<!-- Made by `python -m docs.make_cli`; a test compares the two. -->

`segue --help` and `segue COMMAND --help` say the same. Results go to stdout, progress and errors to stderr. What an exit code
means, and what the JSON holds: [Counts, exit codes, JSON](runs.md). Settings of the process are
[environment variables](configuration.md#environment-variables). `segue --server URL COMMAND` leaves a command to a server:
[Use a server from the command line](../how-to/use-a-server.md).
"""


def reference() -> str:
    """The page in Markdown."""
    return "".join([_HEAD, *_group(typer.main.get_command(build()), "segue")])


def _group(group: Any, prefix: str) -> Iterator[str]:
    panel = None
    for name, command in group.commands.items():
        if command.rich_help_panel != panel and prefix == "segue":
            panel = command.rich_help_panel
            yield f"\n## {panel}\n"
        if hasattr(command, "commands"):
            yield from _group(command, f"{prefix} {name}")
        else:
            yield _command(command, f"{prefix} {name}")


def _command(command: Any, name: str) -> str:
    parameters = [p for p in command.params if not p.hidden]
    arguments = [p for p in parameters if p.opts[0].isidentifier()]
    options = [p for p in parameters if p not in arguments]
    usage = " ".join([name, *(_usage(a) for a in arguments), *(["[OPTIONS]"] if options else [])])
    rows = [(f"`{_bare(a)}`", a.help) for a in arguments] + [(f"`{_spelled(o)}`", _explained(o)) for o in options]
    table = "".join(f"| {what} | {why} |\n" for what, why in rows)
    head = "\n| | |\n| --- | --- |\n" if table else ""
    return f"\n### {name}\n\n```text\n{usage}\n```\n\n{inspect.cleandoc(command.help)}\n{head}{table}"


def _bare(argument: Any) -> str:
    return str(argument.metavar or argument.name.upper()).strip("[]")


def _usage(argument: Any) -> str:
    return _bare(argument) if argument.required else f"[{_bare(argument)}]"


def _spelled(option: Any) -> str:
    value = "" if option.is_flag else f" {option.metavar or option.name.upper()}"
    return ", ".join(sorted(option.opts, key=len)) + value


def _explained(option: Any) -> str:
    parts = [option.help]
    if option.multiple:
        parts.append("May be repeated.")
    if option.required:
        parts.append("Required.")
    elif option.default not in (None, False):
        parts.append(f"Default: `{option.default}`.")
    return " ".join(parts)


if __name__ == "__main__":
    sys.stdout.write(reference())
