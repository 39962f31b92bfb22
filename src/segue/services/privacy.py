"""Personal data for those who may not see them: one place that says what is personal, and masks it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from segue.audience.fields import FieldMap
from segue.query.personal import personal_columns
from segue.security import redact
from segue.services.permissions import Actor

MASK = "****"
_PARTS = ("email", "phone", "firstname", "lastname", "fullname", "surname", "givenname", "birth", "address", "postal")
"""What names of personal columns have in them, in one spelling."""
_JSON_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*(?:"(\s*:)?|\\?\Z)|[^\s{}\[\]:,"]+', re.DOTALL)
"""A text of JSON with what makes it a name, or anything else that is no punctuation."""


def is_personal(name: str, fields: FieldMap, marked: Collection[str] = ()) -> bool:
    """Whether a column of this name holds what points to a person.

    That are the destination's identifiers, names and location, names that speak for themselves, and those that a database
    marks as ``personal``.
    """
    plain = _plain(name)
    known = {fields.key, *fields.identifiers, *fields.profile, *fields.location}
    return plain in map(_plain, (*known, *marked)) or any(part in plain for part in _PARTS)


def mask_rows(
    actor: Actor, reader: pa.RecordBatchReader, sql: str, fields: FieldMap, marked: Collection[str]
) -> pa.RecordBatchReader:
    """The rows of a query as this actor may see them. A personal column becomes text; NULL stays NULL."""
    if actor.sees_personal_data:
        return reader
    schema = reader.schema
    hidden = personal_columns(sql, schema.names, lambda name: is_personal(name, fields, marked))
    shown = pa.schema(
        [pa.field(f.name, pa.string()) if place in hidden else f for place, f in enumerate(schema)],
    )
    return pa.RecordBatchReader.from_batches(shown, _masked(reader, shown, hidden))


def mask_names(actor: Actor, names: Sequence[str], fields: FieldMap, marked: Collection[str]) -> frozenset[str]:
    """The columns of a table whose examples this actor must not see."""
    if actor.sees_personal_data:
        return frozenset()
    return frozenset(name for name in names if is_personal(name, fields, marked))


def mask_value(actor: Actor, value: str | None) -> str | None:
    """A value, or a text about a person, as this actor may see it."""
    return value if actor.sees_personal_data or value is None else MASK


def mask_payload(actor: Actor, payload: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """What was sent of a person as this actor may see it: names of fields without their values.

    Custom properties too: under whatever name a query may have put an address there.
    """
    if actor.sees_personal_data or payload is None:
        return payload
    return {name: _hidden(value) for name, value in payload.items()}


def mask_json(actor: Actor, text: str) -> str:
    """A JSON text, which may be cut anywhere, as this actor may see it: names without their values, as ``mask_payload``
    shows them. Of a text that is no JSON nothing is shown."""
    if actor.sees_personal_data:
        return text
    return _JSON_TOKEN.sub(_hidden_token, text) if text.lstrip()[:1] in ("{", "[") else MASK


def mask_record(actor: Actor, record: Any, *names: str) -> Any:
    """A frozen value with these fields masked where this actor must not see them."""
    if actor.sees_personal_data:
        return record
    return replace(record, **{name: mask_value(actor, getattr(record, name)) for name in names})


def _hidden(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _hidden(inner) for name, inner in value.items()}
    return None if value is None else MASK


def _hidden_token(found: re.Match[str]) -> str:
    named_or_empty = found[1] or found[0] == "null"
    return found[0] if named_or_empty else f'"{MASK}"'


def _masked(reader: pa.RecordBatchReader, schema: pa.Schema, hidden: Collection[int]) -> Iterator[pa.RecordBatch]:
    for batch in reader:
        columns = [
            _mask_column(column) if place in hidden else _redacted(column) for place, column in enumerate(batch.columns)
        ]
        yield pa.record_batch(columns, schema=schema)


def _mask_column(column: pa.Array) -> pa.Array:
    nothing = pa.scalar(None, pa.string())
    return pc.if_else(pc.is_null(column), nothing, pa.scalar(MASK))


def _redacted(column: pa.Array) -> pa.Array:
    """The second net: an address in a column that nobody knew to be personal."""
    kind = column.type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        return column
    if not pc.any(pc.match_substring(column, "@")).as_py():
        return column
    return pa.array([None if text is None else redact(text) for text in column.to_pylist()], kind)


def _plain(name: str) -> str:
    return "".join(character for character in name.casefold() if character.isalnum())
