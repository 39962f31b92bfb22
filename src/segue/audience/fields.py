"""Where the columns of a query go at a destination."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import pyarrow as pa

from segue.audience.text import is_number


class Place(StrEnum):
    """A part of a profile."""

    KEY = "key"
    PROFILE = "profile"
    LOCATION = "location"
    PROPERTY = "property"
    LEFT_OUT = "left out"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldMap:
    """What a destination calls its own fields; every other column becomes a custom property.

    key: the field that identifies a person; identifiers: further identifying fields, never cleared unasked;
    profile, location: names in payload order; numeric: fields that may stay JSON numbers, the others are text;
    reserved_prefix: names that the destination keeps for itself; digits: text fields in which a leading zero counts.
    """

    key: str
    identifiers: frozenset[str]
    profile: tuple[str, ...]
    location: tuple[str, ...]
    numeric: frozenset[str]
    reserved_prefix: str
    digits: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One column and its place. ``why`` says why it is left out, and is empty otherwise."""

    column: str
    place: Place
    why: str = ""

    @property
    def path(self) -> str:
        """The JSON path of the field inside a payload."""
        name = self.column.replace("\\", "\\\\").replace('"', '\\"')
        match self.place:
            case Place.LOCATION:
                return f'$.location."{name}"'
            case Place.PROPERTY:
                return f'$.properties."{name}"'
            case _:
                return f'$."{name}"'


def place_columns(columns: Sequence[str], fields: FieldMap, *, full_profile: bool) -> tuple[Field, ...]:
    """Give every column its place, in payload order: profile and location fields as the map has them, then
    properties by name, so that a query with its columns in another order sends the same text."""
    placed = [_place(column, fields, full_profile=full_profile) for column in columns]
    order = {name: i for i, name in enumerate((fields.key, *fields.profile, *fields.location))}
    return tuple(sorted(placed, key=lambda f: (list(Place).index(f.place), order.get(f.column, 0), f.column)))


def _place(column: str, fields: FieldMap, *, full_profile: bool) -> Field:
    if column == fields.key:
        return Field(column=column, place=Place.KEY)
    if not full_profile:
        return Field(column=column, place=Place.LEFT_OUT, why="only the email is sent")
    if column.startswith(fields.reserved_prefix):
        return Field(column=column, place=Place.LEFT_OUT, why=f"names with {fields.reserved_prefix} are reserved")
    if not column.strip():
        return Field(column=column, place=Place.LEFT_OUT, why="the column has no name")
    if column in fields.profile:
        return Field(column=column, place=Place.PROFILE)
    if column in fields.location:
        return Field(column=column, place=Place.LOCATION)
    return Field(column=column, place=Place.PROPERTY)


def column_warnings(columns: Sequence[str], fields: FieldMap, *, well_known: frozenset[str]) -> tuple[str, ...]:
    """What an author should know about the names of the columns, a sentence each.

    well_known: lower-case labels that the destination shows for its own fields, such as ``first name``: a custom
    property of that name cannot be told apart there.
    """
    warnings: list[str] = []
    for name, times in Counter(columns).items():
        if times > 1:
            warnings.append(f'{times} columns are named "{name}"; give each its own alias.')
    if fields.key not in columns:
        warnings.append(f'There is no column "{fields.key}"; rows cannot be matched to people without it.')
    own = {name.lower(): name for name in (fields.key, *fields.profile, *fields.location)}
    seen: dict[str, str] = {}
    for name in dict.fromkeys(columns):
        lower = name.lower()
        if lower in own and own[lower] != name:
            warnings.append(f'"{name}" becomes a custom property; the profile field is "{own[lower]}".')
        elif lower in seen:
            warnings.append(f'"{name}" and "{seen[lower]}" differ only by case and become two properties.')
        if name.startswith(fields.reserved_prefix):
            warnings.append(f'"{name}" is left out: names that start with {fields.reserved_prefix} are reserved.')
        if lower in well_known and lower not in own:
            warnings.append(f'"{name}" reads like a built-in field and cannot be told apart in segments.')
        seen.setdefault(lower, name)
    return tuple(warnings)


def lost_zeros(schema: pa.Schema, fields: FieldMap) -> tuple[str, ...]:
    """A sentence for each column that is a number though its leading zeros count: 02138 is 2138 as a number."""
    return tuple(
        f'"{column.name}" is a number: leading zeros are lost, 02138 is sent as 2138. '
        f"Select it as text, or lpad(CAST({column.name} AS varchar), 5, '0') AS {column.name}."
        for column in schema
        if column.name in fields.digits and is_number(column.type)
    )
