from __future__ import annotations

import json

from segue.api.queries import begun
from segue.services.permissions import Scope


def lines(answer):
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    return [json.loads(line) for line in answer.text.splitlines()]


def test_rows_come_line_by_line(office):
    office.people("ana@mail.shop", "bo@mail.shop")
    office.configure()
    body = {"sql": "SELECT email, length(email) AS n, CAST(NULL AS varchar) AS x FROM People ORDER BY 1"}
    head, *rows, tail = lines(office.call("POST", "/api/v1/previews", json=body, scope=Scope.CONFIGURE))
    assert [column["name"] for column in head["columns"]] == ["email", "n", "x"]
    assert rows == [["ana@mail.shop", 13, None], ["bo@mail.shop", 12, None]]
    assert tail["row_count"] == 2


def test_a_saved_query_is_previewed_up_to_a_limit(office):
    office.people("ana@mail.shop", "bo@mail.shop")
    office.configure()
    *_, tail = lines(office.call("POST", "/api/v1/queries/People/preview?limit=1"))
    assert tail["row_count"] == 1
    assert office.call("POST", "/api/v1/queries/Nobody/preview").status_code == 404


def test_a_mistake_in_sql_has_a_line_and_a_column(office):
    office.configure()
    answer = office.call("POST", "/api/v1/previews", json={"sql": "SELECT email,\n  emial FROM People"})
    assert answer.status_code == 422
    assert (answer.json()["line"], answer.json()["column"]) == (2, 3)


def test_sql_reaches_no_file(office):
    office.configure()
    answer = office.call("POST", "/api/v1/previews", json={"sql": "SELECT * FROM read_csv('/etc/passwd')"})
    assert answer.status_code == 422


def test_a_query_that_breaks_off_says_so_in_its_last_line(office):
    office.people(*(f"p{i}@mail.shop" for i in range(3)))
    office.configure()
    body = {"sql": "SELECT CAST(email AS integer) AS x FROM People"}
    answer = office.call("POST", "/api/v1/previews", json=body)
    told = answer.json() if answer.status_code == 422 else json.loads(answer.text.splitlines()[-1])["problem"]
    assert told["code"]
    assert "mail.shop" not in answer.text


def test_rows_are_downloaded_as_csv(office):
    office.people("ana@mail.shop")
    office.configure()
    answer = office.call("GET", "/api/v1/queries/People/rows.csv")
    assert answer.text == '"email","first_name"\n"ana@mail.shop","Ana"\n'
    assert answer.headers["content-disposition"] == 'attachment; filename="rows.csv"'


def test_only_a_few_queries_at_once(office):
    office.configure()
    tools = office.app.state.tools
    with tools.place(), tools.place(), tools.place(), tools.place():
        answer = office.call("POST", "/api/v1/queries/People/preview")
        assert (answer.status_code, answer.json()["code"]) == (429, "too_many_at_once")
        assert answer.headers["retry-after"] == "5"
    for _ in range(5):  # a place is given back, also after a mistake
        assert office.call("POST", "/api/v1/queries/People/preview").status_code == 200
        assert office.call("POST", "/api/v1/previews", json={"sql": "SELECT"}).status_code == 422


def test_a_stream_that_nobody_reads_gives_its_place_back(office):
    places = []

    def parts():
        with office.app.state.tools.place():
            places.append("taken")
            yield b"first"
            yield b"second"
        places.append("unreachable")

    for _ in range(5):  # one more than there are places
        stream = begun(parts())
        del stream
    assert places == ["taken"] * 5
