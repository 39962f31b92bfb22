"""One clear sentence for each way a value can be wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from segue.services.configuration.problems import Problem
from segue.services.configuration.source import Location, Source
from segue.services.names import suggestion

_TAKES = {
    "string_type": "takes text; put it in quotes",
    "bool_parsing": "takes true or false",
    "bool_type": "takes true or false",
    "int_parsing": "takes a whole number",
    "int_from_float": "takes a whole number",
    "int_type": "takes a whole number",
    "float_parsing": "takes a number",
    "float_type": "takes a number",
    "finite_number": "takes a number",
    "is_instance_of": "takes text; put it in quotes",
    "invalid-json-value": "takes text, numbers, true or false, and lists and keys of them; put a date in quotes",
    "dict_type": "takes keys and values",
    "model_type": "takes keys and values",
    "list_type": "takes a list of items, each after `- `",
}
_BOUNDS = {
    "greater_than": "takes more than {gt:g}",
    "greater_than_equal": "takes {ge:g} or more",
    "less_than": "takes less than {lt:g}",
    "less_than_equal": "takes {le:g} or less",
    "string_too_long": "takes at most {max_length} characters",
    "too_short": "takes at least {min_length:g}",
}


def explain(error: ValidationError, *, model: type[BaseModel], source: Source, at: Location) -> Iterator[Problem]:
    """The problems of the item at a location of source that model refused."""
    for detail in error.errors(include_url=False, include_input=False):
        way = tuple(part for part in detail["loc"] if part != "[key]")
        location = (*at, *way)
        if not source.told(location):
            yield _problem(detail, way, model, source, location)


def _problem(
    detail: ErrorDetails, way: Location, model: type[BaseModel], source: Source, location: Location
) -> Problem:
    key = str(way[-1]) if way else ""
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "missing":
        return Problem(source.place(location[:-1]), f'"{key}" is missing')
    if kind == "extra_forbidden":
        known = _owner(model, way).model_fields
        return Problem(source.key_place(location), f'there is no key "{key}" here{suggestion(key, known)}')
    subject = f'"{key}" ' if key else ""
    return Problem(source.place(location), subject + _sentence(kind, key, context, detail["msg"]))


def _sentence(kind: str, key: str, context: Mapping[str, Any], message: str) -> str:
    if kind == "value_error":
        return str(context["error"])
    if kind == "literal_error":
        return f"takes {context['expected']}"
    if kind == "string_too_short":
        return "is empty"
    if kind == "string_pattern_mismatch":
        return "takes a two-letter country code such as US" if key == "phone_region" else "has another form"
    sentence = _BOUNDS[kind].format(**context) if kind in _BOUNDS else _TAKES.get(kind, message)
    return f"{sentence}; a share is a part of 1, so 30 % is 0.3" if key.endswith("_share") else sentence


def _owner(model: type[BaseModel], way: Location) -> type[BaseModel]:
    """The model of the mapping that the last part of way is a key of."""
    for part in way[:-1]:
        field = model.model_fields.get(str(part))
        for kind in () if field is None else (field.annotation, *get_args(field.annotation)):
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                model = kind
    return model


def wants_number(model: type[BaseModel], key: str) -> bool:
    """Whether a field takes a number and no truth value: pydantic would read ``true`` as 1."""
    field = model.model_fields.get(key)
    if field is None:
        return False
    types = set(get_args(field.annotation)) or {field.annotation}
    return bool(types & {int, float}) and bool not in types
