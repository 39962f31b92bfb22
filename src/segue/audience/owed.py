"""What a profile still holds though its row no longer says so: the list ``uncleared`` of a baseline row.

It has the names of the fields. An identifier is there with its value too, as ``name``, U+001F, ``value``: the payload of the
baseline no longer has it, and whoever is sent with it would be taken for the person who still holds it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from segue.audience.text import literal

_MARK = "\x1f"
_LIST = "coalesce(from_json({}, '[\"VARCHAR\"]'), [])"


def field_names(entries: Iterable[str]) -> tuple[str, ...]:
    """The entries of ``uncleared`` that are names of fields."""
    return tuple(entry for entry in entries if _MARK not in entry)


def names_sql(owed: str, identifiers: Collection[str]) -> str:
    """SQL: the names of fields in ``owed``, the JSON text of ``uncleared`` or NULL."""
    values = " OR ".join(f"starts_with(e, {_marked(name)})" for name in sorted(identifiers))
    return f"list_filter({_LIST.format(owed)}, lambda e: NOT ({values or 'false'}))"


def absent_sql(*, old: str, owed: str, columns: Collection[str], key: str, identifiers: Collection[str]) -> str:
    """SQL: the fields that are held or owed and for which the query has no column now.

    They are neither sent nor cleared while the column is away; once it is back, a NULL in it has something to clear.
    """
    here = ", ".join(literal(name) for name in sorted(columns))
    held = f"list_concat({_held_sql(old, key=key)}, {names_sql(owed, identifiers)})"
    return f"list_sort(list_distinct(list_filter({held}, lambda n: NOT list_contains([{here}]::VARCHAR[], n))))"


def _held_sql(payload: str, *, key: str) -> str:
    outside = ", ".join(literal(name) for name in (key, "location", "properties"))
    return f"""list_concat(
        list_filter(coalesce(json_keys({payload}), []), lambda n: n NOT IN ({outside})),
        coalesce(json_keys({payload}, '$.location'), []), coalesce(json_keys({payload}, '$.properties'), []))"""


def remembered_sql(names: str, *, old: str, owed: str, identifiers: Collection[str]) -> str:
    """SQL: the identifiers among ``names`` with the values that are held."""
    parts = []
    for name in sorted(identifiers):
        mark = _marked(name)
        value = f"{mark} || json_extract_string({old}, {_path(name)})"
        before = f"list_filter({_LIST.format(owed)}, lambda e: starts_with(e, {mark}))"
        parts.append(
            f"CASE WHEN list_contains({names}, {literal(name)}) THEN list_prepend({value}, {before}) ELSE [] END"
        )
    return f"list_filter(list_distinct(flatten([{', '.join(parts)}]::VARCHAR[][])), lambda e: e IS NOT NULL)"


def may_hold_sql(payload: str, *, owed: str, key: str, identifiers: Collection[str]) -> str:
    """SQL: ``owed`` with everything that a payload sets, for a profile that may have taken it."""
    names = _held_sql(payload, key=key)
    values = ", ".join(
        f"{_marked(name)} || json_extract_string({payload}, {_path(name)})" for name in sorted(identifiers)
    )
    marks = f"list_filter([{values}]::VARCHAR[], lambda e: e IS NOT NULL)"
    return f"to_json(list_sort(list_distinct(list_concat({_LIST.format(owed)}, {names}, {marks}))))::VARCHAR"


def holders_sql(members: str, identifiers: Collection[str]) -> str:
    """A SELECT of key, field, value: who holds which identifier, by the baseline ``members``."""
    names = sorted(identifiers)
    fields, paths = ", ".join(map(literal, names)), ", ".join(_path(name) for name in names)
    marks = " OR ".join(f"starts_with(e, {_marked(name)})" for name in names)
    return f"""
        SELECT key, unnest([{fields}]) AS field, unnest(json_extract_string(payload, [{paths}])) AS value FROM ({members}) m
        UNION ALL
        SELECT key, split_part(e, chr(31), 1) AS field, substr(e, strpos(e, chr(31)) + 1) AS value FROM (
            SELECT key, unnest({_LIST.format("uncleared")}) AS e FROM ({members}) m WHERE uncleared IS NOT NULL)
        WHERE {marks}"""


def _marked(name: str) -> str:
    return f"({literal(name)} || chr(31))"


def _path(name: str) -> str:
    return literal(f'$."{name}"')
