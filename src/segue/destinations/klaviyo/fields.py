"""Klaviyo's own profile and location fields. Source: attributes of the profile in the OpenAPI document 2026-07-15."""

from __future__ import annotations

from segue.audience.fields import FieldMap

FIELDS = FieldMap(
    key="email",
    identifiers=frozenset({"phone_number", "external_id"}),
    profile=("external_id", "phone_number", "first_name", "last_name", "organization", "title", "image", "locale"),
    location=(
        "address1",
        "address2",
        "city",
        "country",
        "region",
        "zip",
        "latitude",
        "longitude",
        "timezone",
        "ip",
    ),
    numeric=frozenset({"latitude", "longitude"}),
    reserved_prefix="$",
    digits=frozenset({"zip"}),
)

WELL_KNOWN = frozenset(
    {
        "email",
        "first name",
        "last name",
        "phone number",
        "organization",
        "title",
        "city",
        "region",
        "country",
        "zip code",
        "address",
        "source",
        "latitude",
        "longitude",
        "locale",
        "timezone",
    }
)
"""Labels that Klaviyo shows for its own fields; a custom property of that name cannot be segmented reliably."""
