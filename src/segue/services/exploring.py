"""What is in a table: how full its columns are, how many values they have, and some of them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from segue.database import Engine, QueryLimits, open_engine
from segue.destinations.registry import DEFAULT_PLUGIN, find_plugin
from segue.errors import QueryError, UsageError
from segue.security import redact
from segue.services.audit import note
from segue.services.names import suggestion
from segue.services.privacy import MASK, mask_names
from segue.services.queries import find_database
from segue.services.workspace import Workspace
from segue.settings import Settings

ROWS = 100_000
"""So many rows of a table are looked at, the first ones: a look is not to take as long as a run."""
_SECONDS = 30.0
_EXAMPLES = 3
_LONGEST = 60
"""Characters of an example."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnStatistics:
    """A column. filled: rows where it is not NULL; distinct: its values, each once, NULL aside; examples: its most frequent
    values as text, masked where whoever asks must not see them."""

    name: str
    type: str
    filled: int
    distinct: int
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TableStatistics:
    """A table. rows: those that were looked at, of which the columns tell; total: of the table, None where counting took too
    long."""

    rows: int
    total: int | None
    columns: tuple[ColumnStatistics, ...]

    @property
    def is_part(self) -> bool:
        """Whether the table may have rows that were not looked at."""
        return self.total is None or self.total > self.rows


def table_statistics(
    workspace: Workspace, settings: Settings, database: str, table: str, *, rows: int = ROWS
) -> TableStatistics:
    """Look at the first rows of a table.

    Raises NotPermittedError, UsageError for an unknown table, QueryError ``query_timeout`` and ``query_memory``, ConfigError,
    BusyError.
    """
    workspace.actor.require("queries.run")
    with workspace.catalog.session(read_only=True) as session:
        config = find_database(session, database)
    engine = open_engine(config)
    tables = engine.tables()
    if table not in tables:
        raise UsageError(
            f'the database "{config.name}" has no table "{table}"{suggestion(table, tables)}',
            code="unknown_table",
            steps=("Take one of the tables of the database.",),
        )
    types = tables[table]
    limits = QueryLimits(memory_bytes=settings.query_memory, seconds=_SECONDS, threads=settings.threads)
    found = _one_row(engine, _looking(table, list(types), rows), limits)
    note(workspace, "table.explore", table, after={"database": config.name})
    hidden = mask_names(workspace.actor, list(types), find_plugin(DEFAULT_PLUGIN).fields, config.personal)
    return TableStatistics(
        rows=found["n"],
        total=found["n"] if found["n"] < rows else _total(engine, table, limits),
        columns=tuple(
            ColumnStatistics(
                name=name,
                type=kind,
                filled=found[f"f{at}"],
                distinct=found[f"d{at}"],
                examples=_examples(
                    found[f"e{at}"], masked=name in hidden, redacted=not workspace.actor.sees_personal_data
                ),
            )
            for at, (name, kind) in enumerate(types.items())
        ),
    )


def _looking(table: str, columns: Collection[str], rows: int) -> str:
    """SQL of DuckDB that answers with one row."""
    parts = ["count(*) AS n"]
    for at, name in enumerate(map(_quoted, columns)):
        text = f"left(CAST({name} AS VARCHAR), {_LONGEST})"
        parts += [
            f"count({name}) AS f{at}",
            f"count(DISTINCT {name}) AS d{at}",
            f"approx_top_k({text}, {_EXAMPLES}) AS e{at}",
        ]
    return f"SELECT {', '.join(parts)} FROM (SELECT * FROM {_quoted(table)} LIMIT {rows})"


def _total(engine: Engine, table: str, limits: QueryLimits) -> int | None:
    try:
        return int(_one_row(engine, f"SELECT count(*) AS n FROM {_quoted(table)}", limits)["n"])
    except QueryError:
        return None


def _one_row(engine: Engine, sql: str, limits: QueryLimits) -> dict[str, Any]:
    with engine.run(sql, limits=limits) as reader:
        [row] = reader.read_all().to_pylist()
    return dict(row)


def _examples(values: list[str | None] | None, *, masked: bool, redacted: bool) -> tuple[str, ...]:
    shown = [value for value in values or () if value is not None]
    if masked:
        return (MASK,) if shown else ()
    # The second net: an address in a column that nobody knew to be personal.
    return tuple(redact(value) if redacted else value for value in shown)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
