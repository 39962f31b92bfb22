"""What goes wrong with SQL and with the rows that it gives."""

from __future__ import annotations

from sqlalchemy import update

from segue.catalog import models
from segue.services.workspace import open_workspace
from segue.template import TemplateSettings
from tests.e2e.shop import SQL, Shop
from tests.resolutions.journey import RESTART, Case, Journey, Prepare, both

LATEST = TemplateSettings(list_name="People").duplicates


def stored(text: str) -> Prepare:
    """The query is in the workspace as another version of Segue may have left it: one that took more, or less, than this."""

    def prepare(shop: Shop) -> None:
        workspace = open_workspace(shop.settings)
        try:
            with workspace.catalog.session() as session:
                session.execute(update(models.Query).values(sql=text))
        finally:
            workspace.close()

    return prepare


def data(*statements: str) -> Prepare:
    """The data change."""

    def prepare(shop: Shop) -> None:
        for statement in statements:
            shop.change(statement.replace("{folder}", str(shop.folder)))

    return prepare


def refused(code: str, sql: str, *, before: Prepare | None = None, after: Prepare | None = None) -> Case:
    """SQL that cannot run; its author corrects it."""
    right = stored(SQL)
    return Case(
        code=code,
        wrong=both(before, stored(sql)) if before else stored(sql),
        right=both(right, after) if after else right,
        take=RESTART,
    )


def configured(**template: object) -> Prepare:
    """The template changes; and what is applied is the good query again."""
    return lambda shop: shop.configure(**template)


_TWICE = "INSERT INTO People SELECT * REPLACE ('other' AS city) FROM People WHERE points = 1"
_ONCE = "DELETE FROM People WHERE city = 'other'"
_UNORDERED = "SELECT email, city, CAST(points AS varchar) AS last_event_date FROM People"
_SEVEN = "UPDATE People SET tier = '{}' WHERE points = 7"

STORED = Journey(
    cases=(
        refused("syntax", "SELECT email FRM People WHERE"),
        refused("not_a_select", "DROP TABLE People"),
        refused("ambiguous_table", "SELECT a.email FROM People a CROSS JOIN People a"),
        refused("ambiguous_column", "SELECT email FROM People a CROSS JOIN People b"),
        refused("unsupported_function", "SELECT email, no_such_function(tier) AS tier FROM People"),
        refused("function_arguments", "SELECT email, date_trunc('fortnight', last_event_date) AS d FROM People"),
        refused("unsupported_syntax", "SELECT email FROM People TABLESAMPLE BERNOULLI (50)"),
        refused("too_complex", "SELECT email FROM People -- " + "x" * 200_000),
        refused("key_column_missing", "SELECT email AS mail FROM People"),
        refused("column_repeated", "SELECT email, tier, city AS tier FROM People"),
        refused("unsupported_type", "SELECT email, to_utf8(tier) AS tier FROM People"),
        refused(
            "query_memory",
            "SELECT email, array_agg(n) OVER () AS l FROM People CROSS JOIN UNNEST(sequence(1, 10000)) AS s(n)",
        ),
    )
)
"""The SQL is at fault: its author corrects it and restarts."""

MOVED = Journey(
    cases=(
        Case(
            code="missing_table",
            wrong=data("ALTER TABLE People RENAME TO Moved"),
            right=data("ALTER TABLE Moved RENAME TO People"),
        ),
        Case(
            code="unresolved_column",
            wrong=data("ALTER TABLE People RENAME tier TO rank"),
            right=data("ALTER TABLE People RENAME rank TO tier"),
        ),
        Case(
            code="type_mismatch",
            wrong=both(
                stored("SELECT email, points + 1 AS next FROM People"),
                data("ALTER TABLE People ALTER points TYPE VARCHAR"),
            ),
            right=both(data("ALTER TABLE People ALTER points TYPE INTEGER"), stored(SQL)),
        ),
        Case(
            code="invalid_cast",
            wrong=stored("SELECT email, CAST(tier AS integer) AS tier FROM People"),
            right=stored("SELECT email, TRY_CAST(tier AS integer) AS tier FROM People"),
        ),
        Case(
            code="division_by_zero",
            wrong=stored("SELECT email, 10 / points AS share FROM People"),
            right=stored("SELECT email, 10 / nullif(points, 0) AS share FROM People"),
        ),
        Case(
            code="number_out_of_range",
            wrong=both(
                stored("SELECT email, CAST(points AS tinyint) AS p FROM People"),
                data("UPDATE People SET points = 1000 WHERE points = 7"),
            ),
            right=data("UPDATE People SET points = 7 WHERE points = 1000"),
        ),
        Case(
            code="subquery_rows",
            wrong=stored("SELECT email, (SELECT tier FROM People WHERE points < 2) AS tier FROM People"),
            right=stored("SELECT email, (SELECT max(tier) FROM People WHERE points < 2) AS tier FROM People"),
        ),
        Case(
            code="query_failed",
            wrong=both(stored("SELECT email, regexp_like('a', tier) AS found FROM People"), data(_SEVEN.format("("))),
            right=both(stored(SQL), data(_SEVEN.format("gold"))),
            take=RESTART,
        ),
        Case(
            code="duplicate_keys",
            task="validate",
            wrong=both(configured(duplicates="fail"), data(_TWICE)),
            right=data(_ONCE),
            take=RESTART,
        ),
        Case(
            code="latest_not_ordered",
            task="validate",
            wrong=both(configured(duplicates=LATEST), stored(_UNORDERED), data(_TWICE)),
            right=stored(_UNORDERED.replace("points AS varchar", "points AS integer")),
            take=RESTART,
        ),
        Case(
            code="query_forbidden",
            wrong=both(
                data("ALTER TABLE People RENAME TO Kept", "COPY Kept TO '{folder}/kept.parquet'"),
                data("CREATE VIEW People AS FROM read_parquet('{folder}/kept.parquet')"),
            ),
            right=data("DROP VIEW People", "ALTER TABLE Kept RENAME TO People"),
            take=RESTART,
        ),
    )
)
"""The data moved beside the query: whoever loads them puts them right and the same run goes on."""
