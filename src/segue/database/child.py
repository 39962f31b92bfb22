"""The process that runs one query, forked by ``forkserver`` for ``segue.database.process``.

One line of JSON on stdin says what to run, the rows leave on stdout as an Arrow IPC stream, and the last line on stderr
is JSON: ``{"rows": N, "digest": [N, SUM]}`` or ``{"error": KIND, "message": TEXT}``. Stdin stays open as long as the parent
lives. The digest, their count and the sum of their hashes, is made where the spec asks for it: ``beside`` them, or ``only`` it.
It is a script on its own and imports nothing of Segue: that keeps the start short and the process poor in secrets.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import duckdb
import pyarrow as pa

BATCH_ROWS = 10_000
MIB = 1024 * 1024
MESSAGE_CHARS = 4_000
"""Less than a pipe holds: error() can make a message of any length, and the parent reads stderr last."""

SOURCES = {"BASE_TABLE", "SUBQUERY", "JOIN", "TABLE_FUNCTION", "EMPTY", "EXPRESSION_LIST", "PIVOT", "COLUMN_DATA"}
"""What a FROM clause may hold. Not SHOW_REF (describe, summarize, show), not table references of extensions."""
TABLE_FUNCTIONS = {"unnest", "range", "generate_series"}
"""Everything else that can stand in FROM reads a file, a setting or SQL text."""
QUERY_NODES = {"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"}
"""Not INSERT_QUERY_NODE and its like: DuckDB lets a WITH change data."""
FORBIDDEN_FUNCTIONS = {
    "current_setting", "getvariable", "getenv", "write_log", "nextval", "currval", "setval", "setseed", "sleep_ms",
    "current_query", "current_database", "current_schema", "current_schemas", "in_search_path", "json_serialize_plan",
}  # fmt: skip
"""Functions that show the machine or the session, or change it."""


_HASH = "hash(hash(*COLUMNS(*)))"
"""Of a row. Hashed again: columns are combined by XOR, and sums of that can be the same when two rows exchange a value."""


class Refused(Exception):  # noqa: N818 -- it is an answer, not a fault
    """The statement may not run. kind is the error code of the parent."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def main() -> None:
    """Run the query of the spec and say how it went."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    sys.setrecursionlimit(20_000)  # the parse tree of a long expression is deep
    spec = json.loads(sys.stdin.buffer.readline())
    os.chdir(spec["spill"])
    _limit(spec)
    threading.Thread(target=_end_with_parent, args=(spec["spill"],), daemon=True).start()
    try:
        sys.stderr.write("\n" + json.dumps(_answer(spec)) + "\n")
        sys.stderr.flush()
    except BrokenPipeError:
        pass  # the parent reads no further, or is gone
    _leave(spec["spill"])


def _answer(spec: dict[str, Any]) -> dict[str, Any]:
    try:
        return _run(spec)
    except BrokenPipeError:
        raise
    except Refused as refused:
        return {"error": refused.kind, "message": str(refused)[:MESSAGE_CHARS]}
    except Exception as error:  # noqa: BLE001 -- the parent turns every one into an error of Segue
        return {"error": type(error).__name__, "message": str(error)[:MESSAGE_CHARS]}


def _leave(spill: str) -> None:
    """End at once: stopping DuckDB's threads in order costs time and frees nothing that the end of the process does not."""
    shutil.rmtree(spill, ignore_errors=True)
    os._exit(0)


def _limit(spec: dict[str, Any]) -> None:
    """Bound memory and time by the operating system, whatever DuckDB does.

    RLIMIT_DATA, not RLIMIT_AS: the libraries reserve some 800 MB of address space that they never touch, so under 1 GiB of
    RLIMIT_AS ordinary sorts fail (measured with DuckDB 2.0.1).
    """
    resource.setrlimit(resource.RLIMIT_DATA, (spec["memory_bytes"], spec["memory_bytes"]))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core dump would hold people's data
    # The parent stops a query at its time limit. Should the parent be stuck, SIGALRM ends this process a little later.
    signal.setitimer(signal.ITIMER_REAL, spec["seconds"] + 5)


def _end_with_parent(spill: str) -> None:
    """Leave nothing behind when the parent dies: stdin ends with it.

    PR_SET_PDEATHSIG will not do: it follows the thread that started us, which may end long before the process.
    """
    while os.read(0, 1):
        pass
    _leave(spill)


def _run(spec: dict[str, Any]) -> dict[str, Any]:
    con, sql = _connect(spec), spec["sql"]
    if not spec["trusted"]:
        _check(con, sql)
    if spec["digest"] == "only":
        counted = con.execute(f"SELECT count(*), coalesce(sum({_HASH}::HUGEINT), 0) FROM ({sql}\n)").fetchone()
        with _stream(pa.schema([])):
            return {"rows": 0, "digest": counted}
    names, hashed = con.sql(sql).columns, f"SELECT *, {_HASH} FROM ({sql}\n)"
    reader = con.sql(hashed if spec["digest"] else sql).to_arrow_reader(BATCH_ROWS)
    schema = pa.schema([field.with_name(name) for field, name in zip(reader.schema, names, strict=False)])
    rows = whole = 0
    with _stream(schema) as stream:
        for batch in _first(reader, spec["rows"]):
            stream.write_batch(pa.RecordBatch.from_arrays(batch.columns[: len(names)], schema=schema))
            rows += batch.num_rows
            whole += sum(batch.columns[-1].to_pylist()) if spec["digest"] else 0
    return {"rows": rows, "digest": (rows, whole)}


@contextmanager
def _stream(schema: pa.Schema) -> Iterator[pa.RecordBatchStreamWriter]:
    with os.fdopen(os.dup(1), "wb", buffering=0) as out, pa.ipc.new_stream(out, schema) as stream:
        yield stream


def _first(batches: Iterator[pa.RecordBatch], rows: int | None) -> Iterator[pa.RecordBatch]:
    """All batches, or those that hold the first rows. LIMIT in SQL would rename columns of one name."""
    if rows is None:
        yield from batches
        return
    while rows > 0 and (batch := next(batches, None)) is not None:
        yield batch.slice(0, rows)
        rows -= batch.num_rows


def _connect(spec: dict[str, Any]) -> duckdb.DuckDBPyConnection:
    """Open the database and lock the door behind it: nothing but its own tables stays in reach."""
    try:
        con = _open(spec)
    except duckdb.Error as error:
        raise Refused("database_unopened", str(error)) from None
    con.execute(f"SET allowed_paths = {_list([file for table in spec['tables'].values() for file in table['files']])}")
    con.execute("SET enable_external_access = false")
    try:
        for statement in spec["setup"]:
            con.execute(statement)
    except duckdb.Error as error:
        raise Refused("setup_failed", str(error)) from None
    con.execute("SET lock_configuration = true")
    return con


def _open(spec: dict[str, Any]) -> duckdb.DuckDBPyConnection:
    config = {
        "memory_limit": f"{_spill_from(spec['memory_bytes'])}B",
        "threads": str(spec["threads"]),
        "temp_directory": spec["spill"],
        "autoload_known_extensions": "false",
        "autoinstall_known_extensions": "false",
        "allow_community_extensions": "false",
        "python_enable_replacements": "false",
    }
    con = duckdb.connect(spec["path"] or ":memory:", read_only=spec["path"] is not None, config=config)
    for name, table in spec["tables"].items():
        con.execute(f"CREATE VIEW {_name(name)} AS SELECT * FROM {_source(con, table)}")
    return con


def _spill_from(memory: int) -> int:
    """Bytes at which DuckDB starts to spill: well below the memory of the process, or sorts would die at its limit.

    The libraries take 140 MB before the first row, and sorts and joins held 200 to 310 MB of data pages above DuckDB's own
    limit, whether that was 100 or 700 MB (measured, 2 threads).
    """
    return memory * 8 // 10 - 256 * MIB


def _source(con: duckdb.DuckDBPyConnection, table: dict[str, Any]) -> str:
    files = _list(table["files"])
    if table["kind"] == "parquet":
        return f"read_parquet({files}, union_by_name = true)"
    if table["types"] is not None:
        return f"read_csv({files}, union_by_name = true, types = {_struct(table['types'])})"
    sniffed = f"read_csv({files}, union_by_name = true, sample_size = -1"
    codes = _codes(con, f"{sniffed})", f"{sniffed}, all_varchar = true)")
    return f"{sniffed}, types = {_struct(dict.fromkeys(codes, 'VARCHAR'))})" if codes else f"{sniffed})"


def _codes(con: duckdb.DuckDBPyConnection, typed: str, text: str) -> list[str]:
    """Columns of a CSV that look like numbers and are not: postal codes as 02139, phones as +1555.

    As numbers they would lose the zero or the plus without a word.
    """
    described = con.sql(f"SELECT * FROM {typed}")
    numbers = [
        column
        for column, kind in zip(described.columns, described.types, strict=True)
        if str(kind) in {"BIGINT", "INTEGER", "DOUBLE", "HUGEINT"} or str(kind).startswith("DECIMAL")
    ]
    if not numbers:
        return []
    tests = ", ".join(f"bool_or(regexp_matches({_name(column)}, '^\\s*([+]|-?0[0-9])'))" for column in numbers)
    found = con.execute(f"SELECT {tests} FROM {text}").fetchone() or ()
    return [column for column, code in zip(numbers, found, strict=True) if code]


def _check(con: duckdb.DuckDBPyConnection, sql: str) -> None:
    """Refuse all but one SELECT over the tables of the database's main schema.

    ``segue.query`` has checked already, with places and advice. This is the second door, and it trusts DuckDB's own
    parser only: what is checked here is what will run.
    """
    row = con.execute("SELECT json_serialize_sql(?::VARCHAR)", [sql]).fetchone()
    tree = json.loads(row[0]) if row else {}
    if tree.get("error_type") == "parser":
        raise Refused("syntax", str(tree["error_message"]))
    if tree.get("error", True):
        raise Refused("query_forbidden", "a statement that is not a SELECT")
    if len(tree["statements"]) != 1:
        raise Refused("query_forbidden", "no statement, or more than one")
    nodes = list(_nodes(tree))
    for node in nodes:
        _check_node(node)
    _check_tables(con, nodes)


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Every JSON object of the tree."""
    todo = [tree]
    while todo:
        item = todo.pop()
        if isinstance(item, dict):
            yield item
            todo.extend(item.values())
        elif isinstance(item, list):
            todo.extend(item)


def _check_node(node: dict[str, Any]) -> None:
    kind = str(node.get("type", ""))
    if kind == "VALUE_PARAMETER":
        raise Refused("query_forbidden", "a parameter without a value")
    if kind.endswith("_NODE") and kind not in QUERY_NODES:
        raise Refused("query_forbidden", "a statement that changes data")
    if "sample" in node and "alias" in node and kind not in SOURCES:
        raise Refused("query_forbidden", "a statement inside FROM")
    if kind == "TABLE_FUNCTION" and str(node["function"].get("function_name", "")).lower() not in TABLE_FUNCTIONS:
        raise Refused("query_forbidden", "a table function that reads files, settings or SQL text")
    if str(node.get("function_name", "")).lower() in FORBIDDEN_FUNCTIONS:
        raise Refused("query_forbidden", f"the function {str(node['function_name']).lower()}")


def _check_tables(con: duckdb.DuckDBPyConnection, nodes: list[dict[str, Any]]) -> None:
    known = "SELECT lower(table_name) FROM {}() WHERE {}"
    own = "database_name = current_database() AND schema_name = 'main' AND NOT internal"
    tables = con.execute(known.format("duckdb_tables", own)).fetchall()
    views = con.execute(known.format("duckdb_views", own).replace("table_name", "view_name")).fetchall()
    system = con.execute("SELECT lower(view_name) FROM duckdb_views() WHERE internal").fetchall()
    ctes = {str(entry["key"]).lower() for node in nodes if isinstance(node.get("map"), list) for entry in node["map"]}
    # A CTE counts wherever it stands, even out of scope; what such a name could still reach are DuckDB's own views.
    names = {name for (name,) in (*tables, *views)} | (ctes - {name for (name,) in system})
    for node in nodes:
        if node.get("type") != "BASE_TABLE":
            continue
        if node["catalog_name"] or node["schema_name"] or len(node["qualified_name"]["path"]) != 1:
            raise Refused("query_forbidden", "a table name with a schema or database before it")
        if str(node["table_name"]).lower() not in names:
            raise Refused("missing_table", str(node["table_name"]))


def _name(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _list(texts: list[str]) -> str:
    return "[" + ", ".join(map(_text, texts)) + "]::VARCHAR[]"


def _struct(types: dict[str, str]) -> str:
    return "{" + ", ".join(f"{_text(column)}: {_text(kind)}" for column, kind in types.items()) + "}"
