from __future__ import annotations

import csv
import io
import os
import stat

import pytest


@pytest.fixture
def people(shop):
    shop.people(
        [
            {"email": "ada@mail.shop", "first_name": "Ada", "points": 7},
            {"email": "bo@mail.shop", "first_name": "", "points": None},
            {"email": "cy@mail.shop", "first_name": 'C "y", jr', "points": -12},
        ]
    )
    return shop


def test_run_prints_a_grid_on_stdout_and_the_count_on_stderr(people):
    people.apply(sql="SELECT email, first_name, points FROM People ORDER BY email")
    result = people.segue("query", "run", "People")
    assert result.code == 0
    assert result.out.splitlines() == [
        "email          first_name  points",
        "─────────────  ──────────  ──────",
        "ada@mail.shop  Ada              7",
        "bo@mail.shop                 NULL",
        'cy@mail.shop   C "y", jr      -12',
    ]
    assert result.err.startswith("3 rows in ")
    assert result.err.endswith(" s\n")


def test_run_takes_at_most_the_limit(people):
    result = people.segue("query", "run", "People", "--limit", "1", "--json")
    assert (len(result.json["rows"]), result.json["row_count"]) == (1, 1)
    assert people.segue("query", "run", "People", "--limit", "1").err.startswith("1 row in ")
    assert people.segue("query", "run", "People", "--limit", "0", "--json").json["rows"] == []


def test_a_draft_query_can_be_run(people):
    draft = {"name": "Draft", "database": "shop", "status": "draft", "sql": "SELECT 1 AS one"}
    active = {"name": "People", "database": "shop", "status": "active", "sql": "SELECT email FROM People"}
    people.apply(queries=[draft, active])
    assert people.segue("query", "run", "Draft", "--json").json["rows"] == [[1]]


def test_a_terminal_of_60_columns_gets_lines_of_60(people, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    sql = "SELECT email AS a, repeat('wide ', 30) AS b, repeat('东', 40) AS c FROM People"
    result = people.segue("query", "preview", "--sql", sql)
    from rich.cells import cell_len

    assert max(cell_len(line) for line in result.out.splitlines()) <= 60
    assert "ada@mail.shop" in result.out
    assert "…" in result.out


def test_columns_without_room_are_named(people, monkeypatch):
    monkeypatch.setenv("COLUMNS", "30")
    names = [f"column_{i}" for i in range(8)]
    sql = "SELECT " + ", ".join(f"'long value {name}' AS {name}" for name in names)
    result = people.segue("query", "preview", "--sql", sql)
    assert "no room for column_4, column_5, column_6, column_7" not in result.out
    assert "column_7: see them with --csv - or --json" in result.err
    assert max(map(len, result.out.splitlines())) <= 30


def test_a_value_cannot_move_the_cursor(people):
    result = people.segue("query", "preview", "--sql", "SELECT 'a' || chr(27) || '[2J' || chr(10) || 'b' AS x")
    assert result.out.splitlines()[2:] == ["a\\x1b[2J\\nb"]


def test_csv_on_stdout_tells_null_from_an_empty_text(people):
    people.apply(sql="SELECT email, first_name, points FROM People ORDER BY email")
    result = people.segue("query", "run", "People", "--csv", "-")
    assert result.code == 0
    assert result.out.splitlines()[2] == '"bo@mail.shop","",'
    assert list(csv.reader(io.StringIO(result.out))) == [
        ["email", "first_name", "points"],
        ["ada@mail.shop", "Ada", "7"],
        ["bo@mail.shop", "", ""],
        ["cy@mail.shop", 'C "y", jr', "-12"],
    ]


def test_csv_file_is_private_and_holds_every_row(people):
    people.database("CREATE OR REPLACE TABLE Many AS SELECT i FROM range(25000) r(i)")
    result = people.segue(
        "query", "preview", "--sql", "SELECT i FROM Many ORDER BY i", "--limit", "25000", "--csv", "m.csv"
    )
    assert (result.code, result.out) == (0, "")
    assert result.err.startswith("25,000 rows in ")
    path = people.folder / "m.csv"
    assert path.read_text().split() == ['"i"', *map(str, range(25000))]
    assert path.stat().st_mode & 0o077 == 0


def test_csv_into_a_pipe_leaves_the_pipe(people):
    pipe = people.folder / "pipe"
    os.mkfifo(pipe)
    # Open for both: neither side waits for the other, and so few rows fit into the pipe.
    ours = os.open(pipe, os.O_RDWR)
    assert people.segue("query", "preview", "--sql", "SELECT email FROM People", "--csv", "pipe").code == 0
    assert os.read(ours, 10_000).startswith(b'"email"')
    os.close(ours)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_csv_through_a_link_leaves_the_link(people):
    link, file = people.folder / "link.csv", people.folder / "file.csv"
    link.symlink_to(file)
    assert people.segue("query", "preview", "--sql", "SELECT email FROM People", "--csv", "link.csv").code == 0
    assert link.is_symlink()
    assert file.read_bytes().startswith(b'"email"')


def test_csv_of_a_failing_query_leaves_no_file(people):
    sql = "SELECT 1 / (points - 7) AS x FROM People"
    result = people.segue("query", "preview", "--sql", sql, "--csv", "bad.csv")
    assert result.code == 1
    assert "divides by zero" in result.err
    assert not list(people.folder.glob("bad.csv*"))


def test_csv_into_a_folder_that_is_not_there(people):
    result = people.segue("query", "run", "People", "--csv", "none/out.csv")
    assert result.code == 2
    assert result.err.startswith("error: none/out.csv cannot be written: No such file or directory [file_unwritable]\n")


TYPES = """SELECT true AS b, CAST('12.50' AS decimal(10, 2)) AS d, CAST(0.1 AS double) AS f, DATE '2024-01-31' AS day,
    TIMESTAMP '2024-01-31 10:00:00' AS t, from_iso8601_timestamp('2024-01-31T10:00:00+02:00') AS z,
    ARRAY[1, NULL, 3] AS a, MAP(ARRAY['k'], ARRAY[1.5]) AS m, nan() AS n, CAST(NULL AS varchar) AS nothing,
    'q"ö' AS s, 'twice' AS s"""


def test_json_is_one_object_whose_rows_keep_columns_of_one_name(people):
    answer = people.segue("query", "preview", "--sql", TYPES, "--json").json
    assert answer["query"] is None
    assert answer["database"] == "shop"
    assert [c["name"] for c in answer["columns"]][-3:] == ["nothing", "s", "s"]
    assert answer["columns"][0]["type"] == "bool"
    assert answer["rows"] == [
        [
            True, 12.50, 0.1, "2024-01-31", "2024-01-31T10:00:00Z", "2024-01-31T08:00:00Z",
            [1, None, 3], {"k": 1.5}, None, None, 'q"ö', "twice",
        ]
    ]  # fmt: skip
    assert answer["seconds"] > 0


def test_types_in_csv(people):
    result = people.segue("query", "preview", "--sql", TYPES, "--csv", "-")
    [_, row] = csv.reader(io.StringIO(result.out))
    assert row == [
        "true", "12.50", "0.1", "2024-01-31", "2024-01-31T10:00:00Z", "2024-01-31T08:00:00Z",
        "[1, null, 3]", '{"k": 1.5}', "nan", "", 'q"ö', "twice",
    ]  # fmt: skip


def test_csv_and_json_exclude_each_other(people):
    assert people.segue("query", "run", "People", "--csv", "-", "--json").code == 2


@pytest.mark.parametrize("command", ["run", "explain"])
def test_an_unknown_query_gets_a_suggestion(people, command):
    result = people.segue("query", command, "Peopel")
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith('error: there is no query "Peopel"; did you mean "People"? [unknown_query]\n')


def test_preview_needs_a_database_only_where_there_are_several(people):
    (people.folder / "o.csv").write_text("n\n5\n")
    people.apply(
        databases=[
            {"name": "shop", "engine": "duckdb", "path": "./shop.duckdb"},
            {"name": "lake", "engine": "duckdb", "tables": {"Orders": "./o.csv"}},
        ]
    )
    result = people.segue("query", "preview", "--sql", "SELECT n FROM Orders")
    assert result.code == 2
    assert "Add --database and one of: lake, shop." in result.err
    assert people.segue("query", "preview", "--sql", "SELECT n FROM Orders", "--database", "lake", "--json").json[
        "rows"
    ] == [[5]]
    assert 'did you mean "shop"?' in people.segue("query", "preview", "--sql", "SELECT 1", "--database", "shpo").err


def test_preview_stops_at_100_rows(people):
    answer = people.segue("query", "preview", "--sql", "SELECT i FROM UNNEST(sequence(1, 500)) AS t(i)", "--json").json
    assert answer["row_count"] == 100


def test_a_mistake_is_shown_with_a_caret_under_it(people):
    result = people.segue("query", "preview", "--sql", "SELECT email,\n  emial\nFROM People")
    assert result.code == 1
    assert result.err.splitlines() == [
        "error: there is no column 'emial' (line 2, column 3) [unresolved_column]",
        "     2 |   emial",
        "       |   ^",
        "  1. Did you mean email?",
    ]


def test_the_caret_stands_below_wide_characters_and_long_lines_are_cut(people):
    result = people.segue("query", "preview", "--sql", f"SELECT '東京' AS c, {'1 + ' * 100}emial FROM People")
    [_, line, caret, _] = result.err.splitlines()
    assert len(line) < 220
    assert line[caret.index("^") :].startswith("emial FROM")
    result = people.segue("query", "preview", "--sql", "SELECT '東京' AS c, emial FROM People")
    [_, line, caret, _] = result.err.splitlines()
    assert caret.index("^") - line.index("emial") == 2  # two characters of two cells


def test_an_address_in_the_shown_line_is_masked(people):
    result = people.segue("query", "preview", "--sql", "SELECT emial FROM People WHERE email = 'ada@mail.shop'")
    assert "ada@mail.shop" not in result.err
    assert "email = '*************'" in result.err


def test_a_file_cannot_be_read(people):
    result = people.segue("query", "preview", "--sql", "SELECT * FROM read_csv('segue.yaml')")
    assert result.code == 1
    assert "line 1, column 15" in result.err


def test_explain_says_where_each_column_goes(people):
    sql = """SELECT email, first_name, city, latitude, points AS "Points", points AS points, tier AS "$tier",
        concat(tier, 'x') AS "first name", tier AS tier, first_name AS tier FROM People p
        CROSS JOIN (SELECT CAST(1.5 AS double) AS latitude) l"""
    answer = people.segue("query", "explain", "--sql", sql, "--json").json
    full = {
        c["name"]: (c["full_profile"]["place"], c["full_profile"]["path"], c["json_type"]) for c in answer["columns"]
    }
    assert full == {
        "email": ("key", '$."email"', "string"),
        "first_name": ("profile", '$."first_name"', "string"),
        "city": ("location", '$.location."city"', "string"),
        "latitude": ("location", '$.location."latitude"', "number"),
        "Points": ("property", '$.properties."Points"', "integer"),
        "points": ("property", '$.properties."points"', "integer"),
        "$tier": ("left out", None, None),
        "first name": ("property", '$.properties."first name"', "string"),
        "tier": ("property", '$.properties."tier"', "string"),
    }
    assert [c["name"] for c in answer["columns"]].count("tier") == 2
    assert {c["email_only"]["place"] for c in answer["columns"] if c["name"] != "email"} == {"left out"}
    assert answer["columns"][0]["email_only"]["place"] == "key"
    assert (answer["tables"], answer["functions"]) == (["People"], ["cast", "concat"])
    assert len(answer["warnings"]) == 4
    for part in ('2 columns are named "tier"', "differ only by case", '"$tier" is left out', '"first name" reads like'):
        assert any(part in warning for warning in answer["warnings"]), part


def test_explain_shows_it_to_people(people):
    result = people.segue("query", "explain", "People")
    assert result.code == 0
    lines = result.out.splitlines()
    assert lines[:3] == ["People on shop", "reads People", "calls no function"]
    [city] = [line for line in lines if line.startswith("city ")]
    assert city.split("  ")[-2:] == ["location", "left out: only the email is sent"] or "location" in city
    assert 'FROM "People"' in result.out


def test_explain_does_not_run_the_query(people):
    sql = "SELECT email, sum(1 / 0) OVER () AS never FROM People ORDER BY 2"
    assert people.segue("query", "preview", "--sql", sql).code == 1
    assert people.segue("query", "explain", "--sql", sql).code == 0


def test_explain_warns_of_a_type_that_cannot_be_sent(people):
    answer = people.segue(
        "query", "explain", "--sql", "SELECT email, CAST('x' AS varbinary) AS raw FROM People", "--json"
    ).json
    assert any('"raw"' in warning and "no JSON form" in warning for warning in answer["warnings"])


def test_explain_takes_a_name_or_sql_and_knows_destinations(people):
    assert people.segue("query", "explain").code == 2
    assert people.segue("query", "explain", "People", "--sql", "SELECT 1").code == 2
    assert people.segue("query", "explain", "People", "--destination", "Klaviyo").code == 0
    result = people.segue("query", "explain", "People", "--destination", "Klavio")
    assert (result.code, 'did you mean "Klaviyo"?' in result.err) == (2, True)


def test_functions_lists_all_and_searches(people):
    every = people.segue("query", "functions", "--json").json
    assert len(every) >= 150
    found = people.segue("query", "functions", "date_d", "--json").json
    assert [(f["name"], f["signature"].endswith("-> bigint")) for f in found] == [("date_diff", True)]
    result = people.segue("query", "functions", "date_d")
    assert (result.code, result.err) == (0, "1 function\n")
    assert result.out.splitlines()[2].startswith("date_diff(")
    result = people.segue("query", "functions", "date_dif_")
    assert (result.code, 'did you mean "date_diff"' in result.err) == (2, True)
