"""The published list of functions, by category."""

from __future__ import annotations

from segue.query.functions import (
    aggregates,
    arrays,
    bits,
    dates,
    general,
    jsons,
    maps,
    mathematics,
    regexps,
    strings,
    windows,
)
from segue.query.values import Function

FUNCTIONS: tuple[Function, ...] = (
    *general.CONDITIONALS,
    *general.COMPARISONS,
    *general.CONVERSIONS,
    *strings.STRINGS,
    *regexps.REGEXPS,
    *mathematics.MATHEMATICS,
    *bits.BITS,
    *bits.BINARY,
    *dates.FIELDS,
    *dates.DATES,
    *aggregates.AGGREGATES,
    *windows.WINDOWS,
    *arrays.ARRAYS,
    *maps.MAPS,
    *jsons.JSONS,
    *general.URLS,
    *general.ROWS,
    *general.UUIDS,
)

BY_NAME: dict[str, Function] = {entry.name: entry for entry in FUNCTIONS}
