"""Whatever an author writes between quotes comes out as it went in, and stays one statement."""

from __future__ import annotations

import duckdb
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segue.query import compile_query

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40) | st.sampled_from(
    [
        "'",
        "''",
        '"',
        '""',
        "\\",
        "\\'",
        "--",
        "/*",
        "*/",
        ";",
        "$$",
        "'; DROP TABLE x; --",
        '"; DROP TABLE x; --',
        "{{x}}",
    ]
)
settings.register_profile(
    "query", max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
few = settings.get_profile("query")


@few
@given(text=TEXT)
def test_a_literal(engine: duckdb.DuckDBPyConnection, text: str) -> None:
    quoted = text.replace("'", "''")
    compiled = compile_query(f"SELECT '{quoted}' AS v", tables={})
    (statement,) = duckdb.extract_statements(compiled.engine_sql)
    assert statement.type == duckdb.StatementType.SELECT
    assert engine.sql(compiled.engine_sql).fetchall() == [(text,)]


@few
@given(name=TEXT.filter(bool))
def test_a_name(engine: duckdb.DuckDBPyConnection, name: str) -> None:
    quoted = name.replace('"', '""')
    compiled = compile_query(f'SELECT t."{quoted}" FROM (SELECT 1 AS "{quoted}") AS t', tables={})
    (statement,) = duckdb.extract_statements(compiled.engine_sql)
    assert statement.type == duckdb.StatementType.SELECT
    relation = engine.sql(compiled.engine_sql)
    assert relation.columns == [name]
    assert relation.fetchall() == [(1,)]
