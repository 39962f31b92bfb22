"""What a query answers, and where its columns would go."""

from __future__ import annotations

from segue.audience.fields import Field, Place
from segue.services.previews import Preview
from segue.services.queries import Explanation
from segue.web.components.banner import notice
from segue.web.components.parts import part
from segue.web.components.table import Column, DataTable

_PLACES = {
    Place.KEY: "Key",
    Place.PROFILE: "Profile field",
    Place.LOCATION: "Location",
    Place.PROPERTY: "Custom property",
    Place.LEFT_OUT: "Left out",
}


def rows_table(found: Preview) -> None:
    """The rows of a preview, with their number and how long they took."""
    count = f"First {len(found.rows):,} rows" if found.more else f"{len(found.rows):,} rows"
    with part("div", "card-head"):
        part("h2", text="Rows")
        part("span", "muted", text=f"{count} in {found.seconds:.2f} s").props["role"] = "status"
    # Columns may share a name: they are told apart by their place.
    columns = [Column(key=str(i), label=name, kind="code") for i, (name, _) in enumerate(found.columns)]
    rows = [{"id": i, **{str(j): value for j, value in enumerate(row)}} for i, row in enumerate(found.rows)]
    DataTable("Rows of the query", columns, rows, search=False, page=0, empty=("No rows", "The query finds nobody."))


def columns_table(plan: Explanation) -> None:
    """Each column and its place, for full profiles and for email only."""
    for warning in plan.warnings:
        notice(warning)
    DataTable(
        "Where columns go",
        [
            Column(key="name", label="Column"),
            Column(key="full", label="Full profile"),
            Column(key="email", label="Email only"),
        ],
        [
            {"id": i, "name": c.name, "full": _place(c.full_profile), "email": _place(c.email_only)}
            for i, c in enumerate(plan.columns)
        ],
        search=False,
        page=0,
    )


def _place(field: Field) -> str:
    place = _PLACES[field.place]
    return f"{place}: {field.why}" if field.why and field.why != "only the email is sent" else place
