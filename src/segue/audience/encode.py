"""The SQL that turns one row of a query into one row of an audience.

A payload is the JSON text of a profile's attributes; a fragment is the payload in the form in which it stands in a
bulk body, with a comma behind it, so that the fragments of neighbouring rows are one piece of a body as they lie.
The row hash is the sha256 hex of the payload. The expressions below are evaluated by DuckDB, vectorised.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from segue.audience.fields import Field, FieldMap, Place
from segue.audience.text import is_number, json_string, json_text, literal, plain_text, unsendable
from segue.errors import DataError

ROW = "row"
"""The column that numbers the rows of a result, from 0."""
HEAD = '{"type":"profile","attributes":'
TAIL = "},"
MAX_PROFILE_BYTES = 100_000
MAX_EXTERNAL_ID = 64

_BLANKS = "' ' || chr(9) || chr(10) || chr(11) || chr(12) || chr(13) || chr(160) || chr(8203) || chr(65279)"
_ATOM = r"[^\p{Z}\p{C}@\"(),:;<>\[\]\\.]+"
_EMAIL = (
    rf"^{_ATOM}(\.{_ATOM})*"
    r"@[\p{L}\p{N}]([\p{L}\p{N}-]*[\p{L}\p{N}])?(\.[\p{L}\p{N}]([\p{L}\p{N}-]*[\p{L}\p{N}])?)+$"
)
_MAX_EMAIL = 254
_E164 = r"^\+[1-9][0-9]{6,14}$"


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodeOptions:
    """What the encoder has to know beside the columns.

    latest_by: the column whose value decides between rows of one key, or None; unset_nulls: whether a row that was
    never sent unsets its NULL custom properties.
    """

    latest_by: str | None
    unset_nulls: bool


def source_column(position: int) -> str:
    """The name of a query's column in ``source``. Names of users are not used in SQL: there ``Email`` is ``email``."""
    return f"s{position}"


def encode_sql(schema: pa.Schema, placed: Sequence[Field], fields: FieldMap, options: EncodeOptions) -> str:
    """A SELECT over the relation ``source``: the columns of ``schema``, named by ``source_column``, and ``ROW``.

    Its columns: row BIGINT; key VARCHAR, NULL where there is no valid one; hash VARCHAR; latest, of the
    column's own type; fragment VARCHAR; head INTEGER, characters before the payload; refused BOOLEAN, the whole
    row; problems LIST of STRUCT(field, value, reason), NULL where there are none; and each identifier that is sent,
    under its name.
    """
    builder = _Encoder(schema, placed, fields)
    latest = builder.column(options.latest_by) if options.latest_by in schema.names else "NULL::INTEGER"
    unset = builder.unset_sql() if options.unset_nulls else "''"
    return f"""
        WITH looked AS (SELECT *, {builder.key_sql()} FROM source),
        cleaned AS (SELECT {ROW}, {latest} AS "latest", {builder.cleaned_sql()} FROM looked),
        checked AS (SELECT *, {builder.email_reason_sql()} AS email_reason FROM cleaned),
        encoded AS (SELECT *, {builder.payload_sql()} AS payload, {unset} AS unset FROM checked)
        SELECT {ROW} AS "row",
            CASE WHEN email_reason IS NULL THEN k END AS "key",
            sha256(payload) AS "hash",
            latest AS "latest",
            '{{"type":"profile",' || unset || '"attributes":' || payload || '{TAIL}' AS fragment,
            ({len(HEAD)} + length(unset))::INTEGER AS head,
            email_reason IS NOT NULL OR strlen(payload) > {MAX_PROFILE_BYTES} AS refused,
            {builder.problems_sql()} AS problems{builder.identifiers_sql()}
        FROM encoded"""


def is_identifier(field: Field, fields: FieldMap) -> bool:
    """Whether a column identifies a person beside the key."""
    return field.place is Place.PROFILE and field.column in fields.identifiers


class _Encoder:
    """Builds the expressions for one set of columns; ``c0``, ``c1``, ... are the cleaned columns."""

    def __init__(self, schema: pa.Schema, placed: Sequence[Field], fields: FieldMap) -> None:
        self._types = {name: schema.field(name).type for name in schema.names}
        self._source = {name: source_column(position) for position, name in enumerate(schema.names)}
        self._fields = fields
        keys = [f for f in placed if f.place is Place.KEY]
        if not keys:
            raise _no_key(fields.key, schema.names)
        self._key = keys[0]
        self._sent = [f for f in placed if f.place not in (Place.KEY, Place.LEFT_OUT)]
        self._alias = {f.column: f"c{i}" for i, f in enumerate(self._sent)}

    def column(self, name: str | None) -> str:
        """The column of ``source`` that holds a column of the query."""
        return self._source[name or ""]

    def key_sql(self) -> str:
        """The key as it came, and whether it is an address as it stands: trimming costs more than matching."""
        raw = plain_text(self.column(self._key.column), self._types[self._key.column], column=self._key.column)
        sound = f"strlen({raw}) <= {_MAX_EMAIL} AND regexp_matches(lower({raw}), {literal(_EMAIL)})"
        return f"{raw} AS source_key, coalesce({sound}, false) AS source_sound"

    def cleaned_sql(self) -> str:
        """The columns as they will be sent; ``r_...`` keeps what an identifier was before it was repaired."""
        trimmed = f"CASE WHEN source_sound THEN lower(source_key) ELSE lower({_trim('source_key')}) END"
        parts = ["source_key AS raw_key", "source_sound AS sound", f"{trimmed} AS k"]
        for field in self._sent:
            column, alias = self.column(field.column), self._alias[field.column]
            if is_identifier(field, self._fields):
                text = plain_text(column, self._types[field.column], column=field.column)
                parts.append(f"{text} AS r_{alias}")
                parts.append(f"{_identifier_sql(field.column, text)} AS {alias}")
            else:
                parts.append(f"{column} AS {alias}")
        return ", ".join(parts)

    @staticmethod
    def email_reason_sql() -> str:
        """Why the key is no key, or NULL."""
        return f"""CASE WHEN sound THEN NULL
            WHEN k IS NULL OR k = '' THEN 'email_missing'
            WHEN strlen(k) > {_MAX_EMAIL} OR NOT regexp_matches(k, {literal(_EMAIL)}) THEN 'email_malformed' END"""

    def payload_sql(self) -> str:
        """The JSON text of the attributes; absent fields are not in it."""
        own = [f"',' || {self._member(f)}" for f in self._sent if f.place is Place.PROFILE]
        location = [self._member(f) for f in self._sent if f.place is Place.LOCATION]
        custom = [self._member(f) for f in self._sent if f.place is Place.PROPERTY]
        parts = [
            literal("{" + json_string(self._fields.key) + ":"),
            "to_json(coalesce(k, ''))::VARCHAR",
            *own,
        ]
        parts += [_group("location", location), _group("properties", custom), "'}'"]
        return f"concat({', '.join(p for p in parts if p)})"

    def _member(self, field: Field) -> str:
        return f"{literal(json_string(field.column) + ':')} || {self._value(field)}"

    def _value(self, field: Field) -> str:
        alias, kind = self._alias[field.column], self._types[field.column]
        if is_identifier(field, self._fields):
            return f"to_json({alias})::VARCHAR"
        if field.place is Place.PROPERTY or (field.column in self._fields.numeric and is_number(kind)):
            return json_text(alias, kind, column=field.column)
        return f"to_json({plain_text(alias, kind, column=field.column)})::VARCHAR"

    def unset_sql(self) -> str:
        """The ``meta`` member that unsets the NULL custom properties of a row, or '' where there are none."""
        names = [
            f"CASE WHEN {self._alias[f.column]} IS NULL THEN {literal(',' + json_string(f.column))} END"
            for f in self._sent
            if f.place is Place.PROPERTY
        ]
        if not names:
            return "''"
        listed = f"nullif(concat({', '.join(names)}), '')"
        return f"""coalesce('"meta":{{"patch_properties":{{"unset":[' || ltrim({listed}, ',') || ']}}}},', '')"""

    def identifiers_sql(self) -> str:
        """The identifiers as they are sent, further columns of the result."""
        sent = [f.column for f in self._sent if is_identifier(f, self._fields)]
        return "".join(f', {self._alias[name]} AS "{name}"' for name in sent)

    def problems_sql(self) -> str:
        """What is wrong with a row, as a list; NULL, and hardly any work, where nothing is."""
        checks = [("email_reason IS NOT NULL", self._fields.key, "raw_key", "email_reason")]
        checks.append((f"strlen(payload) > {MAX_PROFILE_BYTES}", "", "NULL", "'profile_too_large'"))
        for field in self._sent:
            alias, kind = self._alias[field.column], self._types[field.column]
            if is_identifier(field, self._fields):
                reason = "phone_not_e164" if field.column == "phone_number" else f"{field.column}_too_long"
                lost = f"{alias} IS NULL AND r_{alias} IS NOT NULL"
                bad = f"CASE WHEN {lost} THEN {_trim(f'r_{alias}')} <> '' ELSE false END"
                checks.append((bad, field.column, f"r_{alias}", literal(reason)))
            else:
                rules = unsendable(alias, kind)
                checks += [(bad, field.column, f"{alias}::VARCHAR", literal(reason)) for bad, reason in rules]
        found = ", ".join(
            f"CASE WHEN {bad} THEN {{'field': {literal(name)}, 'value': {value}, 'reason': {reason}}} END"
            for bad, name, value, reason in checks
        )
        some = " OR ".join(f"({bad})" for bad, *_ in checks)
        return f"CASE WHEN {some} THEN list_filter([{found}], lambda p: p IS NOT NULL) END"


def _no_key(key: str, columns: Sequence[str]) -> DataError:
    # Other columns are told apart by case too: taking one for the key would send another one than is written.
    like = [name for name in columns if name.lower() == key.lower()]
    but = f", but {' and '.join(json_string(n) for n in like)}: names are taken as they are written" if like else ""
    step = (
        f'Give it the alias: {json_string(like[0])} AS "{key}".'
        if like
        else f'Select the address with the alias "{key}", for example: mail AS {key}.'
    )
    return DataError(f'The query has no column "{key}"{but}.', code="key_column_missing", steps=(step,))


def _trim(sql: str) -> str:
    return f"trim({sql}, {_BLANKS})"


def _identifier_sql(name: str, text: str) -> str:
    """An identifier that the destination takes, repaired where that is safe, or NULL. Sound ones pass at once."""
    bare = f"nullif({_trim(text)}, '')"
    if name == "phone_number":
        digits = f"regexp_replace(regexp_replace({bare}, '[\\s().\\-/]+', '', 'g'), '^00', '+')"
        repaired = f"CASE WHEN regexp_matches({digits}, '{_E164}') THEN {digits} END"
        return f"CASE WHEN regexp_matches({text}, '{_E164}') THEN {text} ELSE {repaired} END"
    repaired = f"CASE WHEN length({bare}) <= {MAX_EXTERNAL_ID} THEN {bare} END"
    return f"CASE WHEN regexp_matches({text}, '^[!-~]{{1,{MAX_EXTERNAL_ID}}}$') THEN {text} ELSE {repaired} END"


def _group(name: str, members: Sequence[str]) -> str:
    if not members:
        return ""
    inner = f"nullif(concat_ws(',', {', '.join(members)}), '')"
    return f"""',"{name}":{{' || {inner} || '}}'"""
