"""Rows on their way out: as a grid that fits the terminal, to a CSV file, as JSON."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any

import typer

from segue.errors import UsageError
from segue.services.rows import cell

_SAMPLE = 1000
"""Rows that decide how wide the columns of a grid are."""
_WIDEST, _NARROWEST = 40, 6
_GAP = "  "


def print_json(value: object) -> None:
    """Print one JSON value, indented."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def print_grid(names: Sequence[str], rows: Iterable[Sequence[Any]], *, right: Sequence[bool] = ()) -> int:
    """Print rows under their names as they come; returns how many. right: columns to be aligned right.

    On a terminal cells are cut to its width, and columns that have no room are named below; elsewhere nothing is cut.
    """
    from rich.cells import cell_len  # noqa: PLC0415 -- loads half of rich

    texts = ([_visible(cell(value)) for value in row] for row in rows)
    sample = list(islice(texts, _SAMPLE))
    widths = [
        max([cell_len(_visible(name)), *(cell_len(row[i]) for row in sample)], default=0)
        for i, name in enumerate(names)
    ]
    room = _terminal_width()
    if room is not None:
        widths = _squeezed(widths, room)
    aligned = [right[i] if right else False for i in range(len(widths))]
    typer.echo(_line([_visible(name) for name in names], widths, aligned, cut=room is not None))
    typer.echo(_GAP.join("─" * width for width in widths))
    count = 0
    for row in chain(sample, texts):
        # Not typer.echo: it flushes every line, which took most of the time of a large result (measured).
        sys.stdout.write(_line(row, widths, aligned, cut=room is not None) + "\n")
        count += 1
    if hidden := names[len(widths) :]:
        typer.echo(f"no room for {', '.join(map(_visible, hidden))}: see them with --csv - or --json", err=True)
    return count


def _visible(text: str) -> str:
    """Control characters escaped: a value must not move the cursor."""
    return text if text.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def _terminal_width() -> int | None:
    if not (sys.stdout.isatty() or os.environ.get("COLUMNS", "").isdigit()):
        return None
    return shutil.get_terminal_size().columns


def _squeezed(widths: Sequence[int], room: int) -> list[int]:
    """Widths that fit: the widest columns give way first, then the last ones are left out."""
    fitted = [min(width, _WIDEST) for width in widths]
    least = [min(width, _NARROWEST) for width in fitted]
    while len(least) > 1 and sum(least) + len(_GAP) * (len(least) - 1) > room:
        least.pop()
    fitted = fitted[: len(least)]
    excess = sum(fitted) + len(_GAP) * (len(fitted) - 1) - room
    while excess > 0 and (widest := max(fitted)) > _NARROWEST:
        fitted[fitted.index(widest)] -= 1
        excess -= 1
    return fitted


def _line(texts: Sequence[str], widths: Sequence[int], right: Sequence[bool], *, cut: bool) -> str:
    from rich.cells import cell_len, set_cell_size  # noqa: PLC0415

    cells = []
    for text, width, to_right in zip(texts, widths, right, strict=False):
        space = width - cell_len(text)
        if space < 0 and cut:
            cells.append(set_cell_size(text, width - 1) + "…")
        else:
            cells.append(" " * space + text if to_right else text + " " * space)
    return _GAP.join(cells).rstrip()


def write_csv(parts: Iterable[tuple[bytes, int]], target: str) -> int:
    """Write CSV, as parts with the rows that they hold, to a file, or to stdout for ``-``; returns how many rows.

    A file appears when it is whole, readable by its owner only. Raises UsageError when it cannot be written.
    """
    count = 0
    with _sink(target) as sink:
        for part, rows in parts:
            sink.write(part)
            count += rows
    return count


@contextmanager
def _sink(target: str) -> Iterator[IO[bytes]]:
    if target == "-":
        sys.stdout.flush()
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    path = Path(target).resolve()  # a link stays one
    # What is there and is no file, such as a pipe or /dev/null, is written to and must not be replaced.
    special = path.exists() and not path.is_file()
    unfinished = path if special else path.with_name(f"{path.name}.part")
    try:
        file = os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")
    except OSError as error:
        raise UsageError(f"{target} cannot be written: {error.strerror}", code="file_unwritable") from None
    try:
        with file:
            yield file
        if not special:
            unfinished.replace(path)
    finally:
        if not special:
            unfinished.unlink(missing_ok=True)
