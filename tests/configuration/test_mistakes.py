"""Every mistake is told at its place, in one sentence, together with all others."""

from __future__ import annotations

import pytest

from segue.services.configuration import ConfigurationError


def mistakes(site, *texts, **options):
    with pytest.raises(ConfigurationError) as caught:
        site.apply(*texts, **options)
    return [line.removeprefix(f"{site.folder}/") for line in caught.value.message.splitlines()]


def test_all_mistakes_of_all_files_are_told_at_once_in_order(site):
    first = """\
version: 1
databases:
  - {name: c360, engine: duckdb, pth: ./x.duckdb}
queries:
  - name: Q
    database: c360
    status: actve
    sql: SELECT 1
destinations:
  - {name: K, plugin: klavio, credential: missing}
data_templates:
  - {name: T, destination: K, list_name: L, max_remove_share: 30, use_full_profile: maybe, max_rows: ten}
"""
    second = """\
version: 2
orchestrations:
  - {name: O, query: q, destination: K, data_template: T, settings: {nulls: clean, max_row: 1}}
"""
    assert mistakes(site, first, second) == [
        'segue.yaml:3:34: there is no key "pth" here; did you mean "path"?',
        "segue.yaml:7:13: \"status\" takes 'draft' or 'active'",
        'segue.yaml:10:23: there is no plug-in "klavio"; did you mean "klaviyo"?',
        'segue.yaml:10:43: there is no credential "missing"',
        'segue.yaml:12:63: "max_remove_share" takes 1 or less; a share is a part of 1, so 30 % is 0.3',
        'segue.yaml:12:85: "use_full_profile" takes true or false',
        'segue.yaml:12:102: "max_rows" takes a whole number',
        'segue1.yaml:1:10: "version" takes 1',
        'segue1.yaml:3:22: there is no query "q"; did you mean "Q"?',
        "segue1.yaml:3:77: \"nulls\" takes 'clear' or 'keep'",
        'segue1.yaml:3:84: there is no key "max_row" here; did you mean "max_rows"?',
    ]


TEMPLATE = "version: 1\ndata_templates:\n  - {name: T, destination: K, list_name: L, "


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("max_rows: 0", '"max_rows" takes 1 or more'),
        ("max_rows: 1.5", '"max_rows" takes a whole number'),
        ("max_rows: true", '"max_rows" takes a whole number'),
        ("max_remove_share: true", '"max_remove_share" takes a number; a share is a part of 1, so 30 % is 0.3'),
        ("max_remove_share: 30%", '"max_remove_share" takes a number; a share is a part of 1, so 30 % is 0.3'),
        ("max_count_change: .nan", '"max_count_change" takes a number'),
        ("max_count_change: .inf", '"max_count_change" takes a number'),
        ("list_name: ''", 'the key "list_name" is here twice; the first is on line 3'),
        ("phone_region: us", '"phone_region" takes a two-letter country code such as US'),
        ("duplicates: last", "duplicates takes 'fail' or 'latest_by: COLUMN'"),
        ("nulls: 5", "\"nulls\" takes 'clear' or 'keep'"),
        ("read_back: 2000", '"read_back" takes 1000 or less'),
        ("allow_empty: 3", '"allow_empty" takes true or false'),
    ],
)
def test_values_of_a_template(site, setting, message):
    lines = mistakes(site, f"{TEMPLATE}{setting}}}\n")
    assert [line.partition(": ")[2] for line in lines if "destination" not in line] == [message]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "segue.yaml:1:1: is empty; it starts with `version: 1`"),
        ("- a\n", "segue.yaml:1:1: takes keys and values; it starts with `version: 1`"),
        ("databases: []\n", 'segue.yaml:1:1: "version" is missing; add `version: 1`'),
        ("version: true\n", 'segue.yaml:1:10: "version" takes 1'),
        ("version: 1\nqueris: []\n", 'segue.yaml:2:1: there is no key "queris" here; did you mean "queries"?'),
        ("version: 1\nqueries: {a: 1}\n", 'segue.yaml:2:10: "queries" takes a list of items, each after `- `'),
        ("version: 1\nqueries: [a]\n", "segue.yaml:2:11: takes the keys and values of a query"),
        ("version: 1\nversion: 1\n", 'segue.yaml:2:1: the key "version" is here twice; the first is on line 1'),
        ("version: 1\n? [a, b]\n: 1\n", "segue.yaml:2:3: a key must be a plain word"),
        (
            "version: 1\nqueries: [\n",
            "segue.yaml:3:1: is not YAML: expected the node content, but found '<stream end>'",
        ),
        ("version: 1\n---\nversion: 1\n", "segue.yaml:2:1: is not YAML: but found another document"),
        ("version: !!python/name:os.system 1\n", None),
        ("version: 1\nqueries: &a [*a]\n", "segue.yaml:2:10: is part of itself"),
        ("version: 1\nx\x07: 1\n", "segue.yaml:2:1: holds a character that YAML does not allow"),
    ],
)
def test_files_that_are_not_a_configuration(site, text, expected):
    lines = mistakes(site, text)
    if expected is None:
        assert lines[0].startswith("segue.yaml:1:10: cannot be read")
    else:
        assert lines[0] == expected


def test_a_file_that_is_not_there_or_not_utf_8(site):
    from segue.services.configuration import apply_files

    bad = site.folder / "latin.yaml"
    bad.write_bytes("version: 1\n# Zoë\n".encode("latin-1"))
    with pytest.raises(ConfigurationError) as caught:
        apply_files(site.workspace, [site.folder / "none.yaml", bad, site.folder], environ={})
    assert sorted(str(caught.value).splitlines()) == sorted(
        [
            f"{site.folder}/none.yaml: cannot be read: No such file or directory",
            f"{site.folder}/latin.yaml:2:1: is not UTF-8 text",
            f"{site.folder}: cannot be read: Is a directory",
        ]
    )


def test_deep_nesting_and_alias_bombs_end_with_a_sentence(site):
    assert mistakes(site, "version: 1\nx: " + "[" * 5000) == ["segue.yaml:1:1: is nested too deeply"]
    levels = "".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]\n" for n in range(1, 9))
    lines = mistakes(site, f"version: 1\nl0: &l0 [a, b]\n{levels}")
    assert any("repeats aliases too often" in line for line in lines)


def test_one_name_twice_names_both_places(site):
    text = "version: 1\ndatabases:\n  - {name: a, engine: duckdb, path: x}\n"
    assert mistakes(site, text, text) == [
        f'segue1.yaml:3:12: the database "a" is here twice; the other one is at {site.folder}/segue.yaml:3:12'
    ]


def test_a_template_of_another_destination(site, draft):
    text = draft.replace(
        "data_templates:", "  - {name: Second, plugin: klaviyo, credential: klaviyo}\ndata_templates:"
    ).replace("query: Loyalty, destination: Klaviyo", "query: Loyalty, destination: Second")
    assert mistakes(site, text) == [
        'segue.yaml:19:84: the data template "Full profile" belongs to the destination "Klaviyo", not to "Second"'
    ]


def test_a_broken_item_is_not_reported_again_by_those_that_refer_to_it(site):
    text = """\
version: 1
databases:
  - {name: c360, engine: duckdbb, path: x}
queries:
  - {name: Q, database: c360, sql: SELECT 1}
"""
    assert mistakes(site, text) == ["segue.yaml:3:26: \"engine\" takes 'duckdb'"]


@pytest.mark.parametrize("name", ["''", "' a'", "'a '", '"a\\tb"', "5", "2024-01-01", "yes", "null", "[a]"])
def test_names_that_are_not_names(site, name):
    text = f"version: 1\ndatabases:\n  - {{name: {name}, engine: duckdb, path: x}}\n"
    (line,) = mistakes(site, text)
    assert line.startswith("segue.yaml:3:12: ")


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a.klaviyo.com",
        "a.klaviyo.com",
        "https://",
        "https://me:pw@host",
        "https://host/path",
        "https://host?a=1",
        "http://host:99999",
        "http://[::1",
    ],
)
def test_base_urls_that_are_refused(site, draft, url):
    (line,) = mistakes(site, draft.replace("http://127.0.0.1:9800", url))
    assert line == 'segue.yaml:6:77: "base_url" takes http:// or https:// and a host, such as https://a.klaviyo.com'
    assert "pw@" not in line


@pytest.mark.parametrize("key", ["", "  ", "pk with blank", "pk_ü", "pk_1\n"])
def test_keys_that_no_header_can_carry_are_told_without_the_key(site, draft, key):
    if key == "pk_1\n":
        site.apply(draft, environ={"KLAVIYO_API_KEY": key})
        return
    (line,) = mistakes(site, draft, environ={"KLAVIYO_API_KEY": key})
    assert line == 'segue.yaml:6:45: "api_key" is empty, or holds blanks or characters that no key has'


def test_a_key_that_yaml_reads_as_a_number_is_told_without_it(site, draft):
    (line,) = mistakes(site, draft.replace('"${KLAVIYO_API_KEY}"', "123456789"))
    assert line == 'segue.yaml:6:45: "api_key" takes text; put it in quotes'


def test_settings_of_a_plug_in_that_cannot_be_stored(site, draft):
    text = draft.replace('description: "Main account"', "settings: {from: 2026-01-01}")
    (line,) = mistakes(site, text)
    assert line.startswith('segue.yaml:13:76: "from" takes text, numbers')


def test_overrides_have_the_same_bounds(site, draft):
    text = draft.replace("workflow: manual", "settings: {max_count_change: .inf, max_rows: true}")
    assert [line.partition(": ")[2] for line in mistakes(site, text)] == [
        '"max_count_change" takes a number',
        '"max_rows" takes a whole number',
    ]


def test_a_mistake_never_repeats_a_value(site, draft):
    text = draft.replace("plugin: klaviyo, credential: klaviyo", "plugin: klaviyo, credential: klaviyo, pin: '${PIN}'")
    assert "hunter2" not in "\n".join(mistakes(site, text, environ={"KLAVIYO_API_KEY": "pk x", "PIN": "hunter2"}))


def query(sql, database="customer360"):
    return f"""\
version: 1
databases:
  - {{name: customer360, engine: duckdb, path: ./customer360.duckdb}}
  - {{name: gone, engine: duckdb, path: ./gone.duckdb}}
queries:
  - name: Loyalty
    database: {database}
    status: active
    sql: {sql}
"""


def test_sql_in_one_line_is_refused_at_its_column(site):
    (line,) = mistakes(site, query("SELECT emial FROM Customer360"))
    assert line.startswith('segue.yaml:9:17: the query "Loyalty": ')
    assert line.endswith("there is no column 'emial' (line 1, column 8). Did you mean email?")


def test_sql_in_quotes_is_refused_at_its_column(site):
    (line,) = mistakes(site, query('"SELECT emial FROM Customer360"'))
    assert line.startswith("segue.yaml:9:18: ")


def test_sql_in_a_block_is_refused_at_its_line_and_column(site):
    (line,) = mistakes(site, query("|\n\n      SELECT email,\n        emial\n      FROM Customer360"))
    assert line.startswith("segue.yaml:12:9: ")
    assert line.endswith("(line 3, column 3). Did you mean email?")


@pytest.mark.parametrize(
    ("sql", "meant"),
    [
        ("SELECT email FROM Customer36", "Did you mean Customer360?"),
        ("SELECT lowr(email) AS email FROM Customer360", "Did you mean lower"),
    ],
)
def test_what_was_meant_is_said(site, sql, meant):
    (line,) = mistakes(site, query(sql))
    assert meant in line


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ('SELECT email, email AS "First_Name" FROM Customer360', ['"First_Name" becomes a custom property']),
        ("SELECT email AS mail FROM Customer360", ['There is no column "email"']),
        ("SELECT email, 1 AS x, 2 AS x FROM Customer360", ['2 columns are named "x"']),
        ("SELECT email, 1 AS tier FROM Customer360", []),
        ("SELECT * FROM Customer360", []),
    ],
)
def test_what_the_columns_of_a_query_do_is_told(site, sql, told):
    report = site.apply(query(sql))
    found = [str(warning) for warning in report.warnings if 'the query "Loyalty"' in warning.message]
    assert len(found) == len(told)
    for line, text in zip(found, told, strict=True):
        assert text in line
        assert ":9:10: " in line
    # What did not change is not told again.
    assert [w for w in site.apply(query(sql)).warnings if 'the query "Loyalty"' in w.message] == []


def test_a_draft_may_hold_any_sql(site):
    site.apply(query("SELECT emial FROM Nowhere").replace("active", "draft"))


def test_a_database_that_cannot_be_read_is_told_once(site):
    text = query("SELECT email FROM Customer360", "gone")
    twice = text + text.partition("queries:\n")[2].replace("Loyalty", "Second")
    (line,) = mistakes(site, twice)
    assert line.startswith('segue.yaml:4:40: the database "gone" cannot be read: ')


def test_a_database_of_the_workspace_that_cannot_be_read_is_told_at_the_query(site):
    site.apply(query("SELECT 1", "gone").replace("active", "draft"))
    (line,) = mistakes(site, "version: 1\n" + query("SELECT 1", "gone")[query("").index("queries:") :])
    assert line.startswith('segue.yaml:4:15: the database "gone" cannot be read: ')


def test_a_database_that_changes_under_a_query_of_the_workspace(site):
    import duckdb

    site.apply(query("SELECT email FROM Customer360"))
    with duckdb.connect(str(site.folder / "other.duckdb")) as connection:
        connection.execute("CREATE TABLE Somebody (email VARCHAR)")
    (line,) = mistakes(site, "version: 1\ndatabases: [{name: customer360, engine: duckdb, path: other.duckdb}]\n")
    assert line.startswith('segue.yaml:2:20: the query "Loyalty": ')


def test_a_template_cannot_leave_the_destination_of_an_orchestration_of_the_workspace(site, draft):
    site.apply(draft)
    text = """\
version: 1
destinations:
  - {name: Second, plugin: klaviyo, credential: klaviyo}
data_templates:
  - {name: Full profile, destination: Second, list_name: Loyalty}
"""
    assert mistakes(site, text) == [
        'segue.yaml:5:39: the orchestration "Loyalty to Klaviyo" needs this data template at "Klaviyo"'
    ]


def test_an_unchanged_query_is_not_checked_again(site):
    text = query("SELECT email FROM Customer360")
    site.apply(text)
    (site.folder / "customer360.duckdb").unlink()
    assert not site.apply(text).changed
    moved = text.replace("./customer360.duckdb", "./moved.duckdb")
    assert "cannot be read" in mistakes(site, moved)[0]


def test_settings_that_the_plug_in_does_not_declare_are_refused_at_their_key(site, draft):
    text = draft.replace('description: "Main account"', "settings:\n      revision: newest\n      timeout: 3")
    text = text.replace(
        "  - {name: Klaviyo, plugin: klaviyo, credential: klaviyo, settings:",
        "  - name: Klaviyo\n    plugin: klaviyo\n    credential: klaviyo\n    settings:",
    )
    text = text.replace("timeout: 3}", "timeout: 3")
    at = [
        number for number, line in enumerate(text.splitlines(), 1) if line.strip().startswith(("revision", "timeout"))
    ]
    assert mistakes(site, text) == [
        f'segue.yaml:{at[0]}:7: the plug-in "klaviyo" has no setting "revision"; it takes none',
        f'segue.yaml:{at[1]}:7: the plug-in "klaviyo" has no setting "timeout"; it takes none',
    ]
