"""Nothing but one SELECT over the database's own tables and the published functions passes."""

from __future__ import annotations

import pytest

from segue.errors import QueryError
from segue.query import compile_query

TABLES = {"Customer360": {"email": "VARCHAR", "score": "DOUBLE"}, "Orders": {"email": "VARCHAR"}}

HOSTILE: tuple[tuple[str, str], ...] = (
    # statements other than SELECT
    ("DROP TABLE Customer360", "not_a_select"),
    ("DELETE FROM Customer360", "not_a_select"),
    ("UPDATE Customer360 SET email = 'x'", "not_a_select"),
    ("INSERT INTO Customer360 VALUES ('x')", "not_a_select"),
    ("MERGE INTO Customer360 USING t ON true WHEN MATCHED THEN DELETE", "not_a_select"),
    ("CREATE TABLE t AS SELECT 1", "not_a_select"),
    ("CREATE TEMP MACRO f(x) AS x", "not_a_select"),
    ("CREATE SECRET s (TYPE s3)", "not_a_select"),
    ("ALTER TABLE Customer360 ADD COLUMN x INT", "not_a_select"),
    ("TRUNCATE TABLE Customer360", "not_a_select"),
    ("SET enable_external_access = true", "not_a_select"),
    ("RESET memory_limit", "not_a_select"),
    ("PRAGMA database_list", "not_a_select"),
    ("ATTACH 'other.duckdb'", "not_a_select"),
    ("DETACH memory", "not_a_select"),
    ("USE memory", "not_a_select"),
    ("COPY Customer360 TO 'out.csv'", "not_a_select"),
    ("COPY (SELECT 1) TO 'out.csv'", "not_a_select"),
    ("EXPORT DATABASE 'out'", "not_a_select"),
    ("IMPORT DATABASE 'out'", "not_a_select"),
    ("INSTALL httpfs", "not_a_select"),
    ("LOAD httpfs", "not_a_select"),
    ("CALL pragma_version()", "not_a_select"),
    ("CHECKPOINT", "not_a_select"),
    ("PREPARE p AS SELECT 1", "not_a_select"),
    ("EXECUTE p", "not_a_select"),
    ("EXPLAIN SELECT 1", "not_a_select"),
    ("EXPLAIN ANALYZE SELECT email FROM Customer360", "not_a_select"),
    ("DESCRIBE Customer360", "not_a_select"),
    ("SHOW TABLES", "not_a_select"),
    ("SUMMARIZE Customer360", "not_a_select"),
    ("BEGIN", "not_a_select"),
    ("VACUUM", "not_a_select"),
    ("KILL QUERY 1", "not_a_select"),
    ("FROM Customer360", "not_a_select"),
    ("FROM 'file.csv'", "not_a_select"),
    ("PIVOT Customer360 ON email USING count(*)", "not_a_select"),
    ("TABLE Customer360", "not_a_select"),
    ("VALUES (1, 'a')", "not_a_select"),
    # several statements
    ("SELECT 1; DROP TABLE Customer360", "not_a_select"),
    ("SELECT 1;;SELECT 2", "not_a_select"),
    ("/* a */ ; SELECT 1", "not_a_select"),
    ("SELECT 1 -- ;\n; ATTACH 'x'", "not_a_select"),
    # statements inside a WITH
    ("WITH a AS (DELETE FROM Customer360 RETURNING *) SELECT * FROM a", "unsupported_syntax"),
    ("WITH a AS (SELECT 1) DELETE FROM Customer360", "not_a_select"),
    ("WITH a AS (SELECT 1) INSERT INTO Customer360 SELECT 'x'", "not_a_select"),
    ("WITH FUNCTION f(x bigint) RETURNS bigint RETURN x SELECT f(1)", "unsupported_syntax"),
    # files and other databases as tables
    ("SELECT * FROM 'file.csv'", "missing_table"),
    ('SELECT * FROM "a.parquet"', "missing_table"),
    ('SELECT * FROM "/etc/passwd"', "missing_table"),
    ('SELECT * FROM "https://example.com/a.csv"', "missing_table"),
    ('SELECT * FROM "s3://bucket/a.parquet"', "missing_table"),
    ("SELECT * FROM 'dir/*.parquet' AS t", "missing_table"),
    ("SELECT * FROM main.Customer360", "unsupported_syntax"),
    ("SELECT * FROM memory.main.Customer360", "unsupported_syntax"),
    ("SELECT * FROM information_schema.tables", "unsupported_syntax"),
    ("SELECT * FROM pg_catalog.pg_settings", "unsupported_syntax"),
    ("SELECT * FROM sqlite_master", "missing_table"),
    ("SELECT * FROM duckdb_secrets", "missing_table"),
    ("SELECT (SELECT count(*) FROM 'a.csv')", "missing_table"),
    ('SELECT 1 WHERE EXISTS (SELECT 1 FROM "a.csv")', "missing_table"),
    ('SELECT email FROM Customer360 WHERE email IN (SELECT x FROM "a.csv")', "missing_table"),
    ("SELECT email FROM Customer360 JOIN 'a.csv' ON true", "missing_table"),
    ("SELECT email FROM Customer360 UNION ALL SELECT * FROM 'a.csv'", "missing_table"),
    ("SELECT email FROM Customer360 ORDER BY (SELECT 1 FROM 'a.csv')", "missing_table"),
    ("SELECT email FROM Customer360 LIMIT (SELECT 1 FROM 'a.csv')", "missing_table"),
    ("SELECT sum(score) OVER (PARTITION BY (SELECT 1 FROM 'a.csv')) FROM Customer360", "missing_table"),
    ("SELECT transform(ARRAY[1], x -> (SELECT 1 FROM 'a.csv'))", "missing_table"),
    ("SELECT count(*) FILTER (WHERE EXISTS (SELECT 1 FROM 'a.csv')) FROM Customer360", "missing_table"),
    ("SELECT email FROM Customer360 GROUP BY GROUPING SETS ((email), ((SELECT 1 FROM 'a.csv')))", "missing_table"),
    ("SELECT 1 FROM Customer360 WINDOW w AS (ORDER BY (SELECT 1 FROM 'a.csv'))", "missing_table"),
    # a WITH name seen from outside of its scope
    ('WITH a AS (WITH "x.csv" AS (SELECT 1) SELECT 1) SELECT * FROM "x.csv"', "missing_table"),
    ('SELECT * FROM (WITH "x.csv" AS (SELECT 1) SELECT 1) t, "x.csv"', "missing_table"),
    ('WITH a AS (SELECT * FROM "x.csv"), "x.csv" AS (SELECT 1) SELECT * FROM a', "missing_table"),
    ('WITH "x.csv" AS (SELECT * FROM "x.csv") SELECT * FROM "x.csv"', "missing_table"),
    ('WITH RECURSIVE "x.csv" AS (SELECT * FROM "x.csv") SELECT * FROM "x.csv"', "missing_table"),
    # table functions
    ("SELECT * FROM read_csv('a.csv')", "unsupported_syntax"),
    ("SELECT * FROM read_parquet('a.parquet')", "unsupported_syntax"),
    ("SELECT * FROM read_text('/etc/passwd')", "unsupported_syntax"),
    ("SELECT * FROM read_blob('/etc/passwd') AS t(a)", "unsupported_syntax"),
    ("SELECT * FROM glob('*')", "unsupported_syntax"),
    ("SELECT * FROM query('DROP TABLE Customer360')", "unsupported_syntax"),
    ("SELECT * FROM query_table('Customer360')", "unsupported_syntax"),
    ("SELECT * FROM duckdb_settings()", "unsupported_syntax"),
    ("SELECT * FROM pragma_database_list()", "unsupported_syntax"),
    ("SELECT * FROM TABLE(read_csv('a.csv'))", "unsupported_syntax"),
    ("SELECT * FROM Customer360, LATERAL read_csv(email)", "unsupported_function"),
    ("SELECT * FROM Customer360, LATERAL lower(email)", "unsupported_syntax"),
    ("SELECT * FROM Customer360 CROSS JOIN LATERAL (SELECT * FROM read_csv('a.csv'))", "unsupported_syntax"),
    ("SELECT * FROM UNNEST(glob('*')) AS t(x)", "unsupported_function"),
    ("SELECT * FROM json_table('[]', 'lax $' COLUMNS (a varchar PATH 'lax $'))", "syntax"),
    ("SELECT * FROM \"query\"('select 1')", "unsupported_syntax"),
    ("SELECT * FROM generate_series(1, 10)", "unsupported_syntax"),
    # scalar functions of the engine
    ("SELECT getenv('HOME')", "unsupported_function"),
    ("SELECT current_setting('secret_directory')", "unsupported_function"),
    ("SELECT set_config('x', 'y')", "unsupported_function"),
    ("SELECT read_text('/etc/passwd')", "unsupported_function"),
    ("SELECT json_execute_serialized_sql('{}')", "unsupported_function"),
    ("SELECT json_serialize_sql('SELECT 1')", "unsupported_function"),
    ("SELECT nextval('s')", "unsupported_function"),
    ("SELECT write_log('x')", "unsupported_function"),
    ("SELECT error('x')", "unsupported_function"),
    ("SELECT list_transform(ARRAY[1], x -> x)", "unsupported_function"),
    ("SELECT struct_pack(1)", "unsupported_function"),
    ("SELECT unnest(ARRAY[1])", "unsupported_function"),
    ("SELECT trino_fail('x')", "unsupported_function"),
    ("SELECT trino_to_bigint('x')", "unsupported_function"),
    ("SELECT version()", "unsupported_function"),
    ("SELECT \"getenv\"('HOME')", "unsupported_function"),
    ("SELECT \"GetEnv\"('HOME')", "unsupported_function"),
    ("SELECT getenv /* a */ ('HOME')", "unsupported_function"),
    ("SELECT lower(getenv('HOME'))", "unsupported_function"),
    ("SELECT transform(ARRAY['HOME'], x -> getenv(x))", "unsupported_function"),
    ("SELECT sum(getenv('HOME')) OVER ()", "unsupported_function"),
    ("SELECT email FROM Customer360 GROUP BY getenv(email)", "unsupported_function"),
    ("SELECT email FROM Customer360 ORDER BY getenv('HOME')", "unsupported_function"),
    ("SELECT system.getenv('HOME')", "unsupported_syntax"),
    ("SELECT email.getenv() FROM Customer360", "unsupported_syntax"),
    ("SELECT get\u0435nv('HOME')", "unsupported_function"),
    ("SELECT \uff47\uff45\uff54\uff45\uff4e\uff56('HOME')", "unsupported_function"),
    ("SELECT current_user", "unsupported_syntax"),
    ("SELECT current_catalog", "unsupported_syntax"),
    ("SELECT current_role", "unresolved_column"),
    # clauses of SELECT that write, lock or belong to other engines
    ("SELECT email INTO x FROM Customer360", "unsupported_syntax"),
    ("SELECT email INTO OUTFILE '/tmp/x' FROM Customer360", "syntax"),
    ("SELECT email FROM Customer360 FOR UPDATE", "unsupported_syntax"),
    ("SELECT email FROM Customer360 FOR SHARE", "unsupported_syntax"),
    ("SELECT email FROM Customer360 TABLESAMPLE BERNOULLI (10)", "unsupported_syntax"),
    ("SELECT email FROM Customer360 USING SAMPLE 10", "unsupported_syntax"),
    ("SELECT email FROM Customer360 QUALIFY row_number() OVER () = 1", "syntax"),
    ("SELECT DISTINCT ON (email) email FROM Customer360", "unsupported_syntax"),
    ("SELECT * EXCLUDE (email) FROM Customer360", "unsupported_syntax"),
    ("SELECT * REPLACE (1 AS email) FROM Customer360", "unsupported_syntax"),
    ("SELECT COLUMNS('.*') FROM Customer360", "unsupported_function"),
    ("SELECT c.email FROM Customer360 c POSITIONAL JOIN Orders o", "syntax"),
    ("SELECT c.email FROM Customer360 POSITIONAL JOIN Orders o", "unresolved_column"),
    ("SELECT email FROM Customer360 NATURAL JOIN Orders", "unsupported_syntax"),
    ("SELECT email FROM Customer360 SEMI JOIN Orders USING (email)", "unsupported_syntax"),
    ("SELECT email FROM Customer360 ANTI JOIN Orders USING (email)", "unsupported_syntax"),
    ("SELECT email FROM Customer360 ASOF JOIN Orders USING (email)", "unsupported_syntax"),
    ("SELECT email FROM Customer360 LATERAL VIEW explode(email) t AS x", "unsupported_syntax"),
    ("SELECT email FROM Customer360 FOR VERSION AS OF 1", "unsupported_syntax"),
    ("SELECT email FROM Customer360 PIVOT (count(*) FOR email IN ('a'))", "unsupported_syntax"),
    ("SELECT email FROM Customer360 MATCH_RECOGNIZE (PATTERN (a) DEFINE a AS true)", "unsupported_syntax"),
    ("SELECT email FROM Customer360 FETCH FIRST 1 ROW WITH TIES", "unsupported_syntax"),
    ("SELECT 1 UNION ALL BY NAME SELECT 2", "unsupported_syntax"),
    # quoted names where the grammar has a word or a number, which would be written without quotes
    ('SELECT CAST(1 AS DECIMAL("10) AS INT), (SELECT 1", 2))', "unsupported_syntax"),
    ("SELECT CAST('a' AS varchar(\"1), getenv('HOME'\"))", "unsupported_syntax"),
    ("SELECT CAST(now() AS timestamp(\"3), getenv('HOME'\"))", "unsupported_syntax"),
    ("SELECT INTERVAL '1' \"day, getenv('HOME')\"", "unsupported_syntax"),
    ("SELECT INTERVAL '1' FORTNIGHT", "unsupported_syntax"),
    ("SELECT extract(\"year, getenv('HOME')\" FROM now())", "syntax"),
    ("SELECT extract(epoch FROM now())", "unsupported_syntax"),
    ("SELECT normalize('a', \"NFC), getenv('HOME'\")", "syntax"),
    ("SELECT X'4''1'", "syntax"),
    ("SELECT X'4'", "syntax"),
    # expressions of other engines, parameters, odd quoting
    ("SELECT email -> '$.a' FROM Customer360", "unsupported_syntax"),
    ("SELECT email ->> '$.a' FROM Customer360", "unsupported_syntax"),
    ("SELECT email ~ 'x' FROM Customer360", "syntax"),
    ("SELECT email ILIKE 'x' FROM Customer360", "unsupported_syntax"),
    ("SELECT email GLOB 'x' FROM Customer360", "unsupported_syntax"),
    ("SELECT email SIMILAR TO 'x' FROM Customer360", "unsupported_syntax"),
    ("SELECT {'a': 1}", "unsupported_syntax"),
    ("SELECT [x for x in [1]]", "unsupported_syntax"),
    ("SELECT ?", "unsupported_syntax"),
    ("SELECT $1", "unresolved_column"),
    ("SELECT @x", "unsupported_syntax"),
    ("SELECT :x", "unsupported_syntax"),
    ("SELECT $$HOME$$", "unresolved_column"),
    ("SELECT E'\\x41'", "syntax"),
    ("SELECT `email` FROM Customer360", "syntax"),
    ("SELECT 'a' 'b'", "unsupported_syntax"),
    ("SELECT 1 \0", "syntax"),
    ("SELECT 'open", "syntax"),
    ("SELECT 1 /* open", "syntax"),
    ("SELECT\u200bemail FROM Customer360", "not_a_select"),
    ("\ufeffDROP TABLE Customer360", "not_a_select"),
    ("", "syntax"),
    ("   -- nothing\n", "syntax"),
    (";", "syntax"),
    ("SELECT " + "(" * 3000 + "1" + ")" * 3000, "too_complex"),
    ("SELECT " + " + ".join(["1"] * 5000), "too_complex"),
    ("SELECT '" + "x" * 300_000 + "'", "too_complex"),
)


@pytest.mark.parametrize(("sql", "code"), HOSTILE, ids=range(len(HOSTILE)))
def test_refused_with_code_line_and_column(sql: str, code: str) -> None:
    with pytest.raises(QueryError) as refused:
        compile_query(sql, tables=TABLES)
    assert refused.value.code == code
    assert refused.value.line is not None
    assert refused.value.column is not None
    assert 1 <= refused.value.line <= sql.count("\n") + 1
    assert 1 <= refused.value.column <= len(sql) + 1


@pytest.mark.parametrize(
    ("sql", "line", "column"),
    [
        ("SELECT email\nFROM Customr360", 2, 6),
        ("SELECT email,\n       emial\nFROM Customer360", 2, 8),
        ("SELECT email FROM Customer360\nWHERE upper(c.email) = 'X'", 2, 13),
        ("SELECT\n  loower(email) FROM Customer360", 2, 3),
        ("SELECT email FROM Customer360;\n DROP TABLE Customer360", 2, 2),
        ("SELECT email FROM (SELECT 1", 1, 27),
        ("SELECT email FRM Customer360 x", 1, 18),
        ('WITH a AS (WITH "x.csv" AS (SELECT 1) SELECT 1)\nSELECT * FROM "x.csv"', 2, 15),
        ("SELECT /* \u00e9\u00e9 */ '\U0001f600', x FROM Customer360", 1, 22),
    ],
)
def test_points_at_the_place(sql: str, line: int, column: int) -> None:
    with pytest.raises(QueryError) as refused:
        compile_query(sql, tables=TABLES)
    assert (refused.value.line, refused.value.column) == (line, column)


def test_an_error_holds_no_value_of_the_query() -> None:
    for sql in ("SELECT 'bob@example.com", "SELECT email FROM Customer360 WHERE email = 'bob@example.com' 'x y'"):
        with pytest.raises(QueryError) as refused:
            compile_query(sql, tables=TABLES)
        assert "bob" not in f"{refused.value} {refused.value.cause} {refused.value.steps}"


def test_a_comment_never_reaches_the_engine() -> None:
    compiled = compile_query("SELECT email /* '; DROP */ AS e FROM Customer360 -- ;", tables=TABLES)
    assert "DROP" not in compiled.engine_sql


def test_text_stays_text() -> None:
    compiled = compile_query("SELECT '''; DROP TABLE x; --' AS a", tables=TABLES)
    assert "'''; DROP TABLE x; --'" in compiled.engine_sql


def test_a_name_stays_a_name() -> None:
    odd = "a\" INT), getenv('HOME"
    quoted = odd.replace('"', '""')
    sql = f'SELECT CAST(ROW(1) AS ROW("{quoted}" bigint)) AS "{quoted}" FROM Customer360 AS "{quoted}"'
    compiled = compile_query(sql, tables=TABLES)
    assert compiled.engine_sql.count(f'"{quoted}"') == 3


def test_a_quoted_type_is_no_way_around() -> None:
    compiled = compile_query("SELECT CAST(1 AS \"int), getenv('HOME'\")", tables=TABLES)
    assert "getenv" not in compiled.engine_sql


def test_a_long_chain_of_conditions_passes() -> None:
    chain = " OR ".join(f"score = {number}" for number in range(1500))
    assert compile_query(f"SELECT email FROM Customer360 WHERE {chain}", tables=TABLES).tables == ("Customer360",)
