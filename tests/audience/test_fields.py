"""Where columns go, and what an author is told about their names: design, section 2; klaviyo-api.md, section 9."""

from __future__ import annotations

import pytest

from segue.audience.fields import Field, Place, column_warnings, place_columns
from segue.destinations.klaviyo.fields import FIELDS, WELL_KNOWN

PROFILE = ["first_name", "last_name", "external_id", "phone_number", "organization", "title", "image", "locale"]
LOCATION = "address1 address2 city country region zip latitude longitude timezone ip"


def places(*columns: str, full: bool = True) -> dict[str, Place]:
    return {f.column: f.place for f in place_columns(columns, FIELDS, full_profile=full)}


def test_each_documented_field_has_its_place() -> None:
    found = places("email", *PROFILE, *LOCATION.split(), "tier", "Email", "FIRST_NAME")
    assert found["email"] is Place.KEY
    assert {found[name] for name in PROFILE} == {Place.PROFILE}
    assert {found[name] for name in LOCATION.split()} == {Place.LOCATION}
    assert {found[name] for name in ("tier", "Email", "FIRST_NAME")} == {Place.PROPERTY}


@pytest.mark.parametrize("name", ["$consent", "$", "", "  "])
def test_reserved_and_nameless_columns_are_left_out_with_a_reason(name: str) -> None:
    [left_out] = [f for f in place_columns(["email", name], FIELDS, full_profile=True) if f.column == name]
    assert left_out.place is Place.LEFT_OUT
    assert left_out.why


def test_email_only_leaves_everything_else_out() -> None:
    assert places("email", "first_name", "tier", full=False) == {
        "email": Place.KEY,
        "first_name": Place.LEFT_OUT,
        "tier": Place.LEFT_OUT,
    }


def test_the_order_of_a_payload_does_not_depend_on_the_query() -> None:
    columns = ["b", "a", "city", "first_name", "email", "address1", "external_id"]
    assert place_columns(columns, FIELDS, full_profile=True) == place_columns(columns[::-1], FIELDS, full_profile=True)


def test_the_path_of_a_field_quotes_its_name() -> None:
    assert Field(column="first_name", place=Place.PROFILE).path == '$."first_name"'
    assert Field(column="city", place=Place.LOCATION).path == '$.location."city"'
    assert Field(column='a"\\', place=Place.PROPERTY).path == '$.properties."a\\"\\\\"'


def test_an_author_is_warned_of_names_that_do_not_do_what_they_seem_to() -> None:
    columns = ["email", "First_Name", "tier", "Tier", "$source", "City", "city", "zip code", "tier"]
    warnings = "\n".join(column_warnings(columns, FIELDS, well_known=WELL_KNOWN))
    for said in (
        '2 columns are named "tier"',
        '"First_Name" becomes a custom property; the profile field is "first_name"',
        '"Tier" and "tier" differ only by case',
        '"$source" is left out',
        '"City" becomes a custom property; the profile field is "city"',
        '"zip code" reads like a built-in field',
    ):
        assert said in warnings
    assert column_warnings(["email", "first_name", "tier"], FIELDS, well_known=WELL_KNOWN) == ()
    assert 'no column "email"' in column_warnings(["Tier"], FIELDS, well_known=WELL_KNOWN)[0]
