"""Macros that rewrites call and that are no function of Trino's.

A conversion looks at ``typeof``, which the engine answers when it binds the query, so the branches cost nothing. A
value that Trino would fail on goes through ``trino_fail``, a cast that cannot succeed: unlike ``error()`` it is a
plain expression, and TRY can catch it.
"""

from __future__ import annotations

_TIMESTAMP = r"^\s*[+-]?\d+-\d{1,2}-\d{1,2}( \d{1,2}:\d{1,2}(:\d{1,2}(\.\d{1,12})?)?)?\s*$"
_DATE = r"^\s*[+-]?\d+-\d{1,2}-\d{1,2}\s*$"

HELPERS: dict[str, tuple[str, ...]] = {
    "trino_fail": ("(message) AS CAST(message AS BIGINT)",),
    # Trino rounds half away from zero where DuckDB rounds half to even, and reads no fraction from text.
    "trino_to_bigint": (
        """(x) AS CASE
        WHEN typeof(x) IN ('DOUBLE', 'FLOAT') THEN CAST(round(CAST(x AS DOUBLE)) AS BIGINT)
        WHEN typeof(x) = 'VARCHAR' AND NOT regexp_full_match(CAST(x AS VARCHAR), '[+-]?[0-9]+')
            THEN trino_fail('Cannot cast text to BIGINT')
        ELSE CAST(x AS BIGINT) END""",
    ),
    "trino_to_date": (
        f"""(x) AS CASE
        WHEN typeof(x) = 'VARCHAR' AND NOT regexp_matches(CAST(x AS VARCHAR), '{_DATE}')
            THEN CAST('Cannot cast text to DATE' AS DATE)
        WHEN typeof(x) = 'VARCHAR' THEN CAST(trim(CAST(x AS VARCHAR)) AS DATE)
        ELSE CAST(x AS DATE) END""",
    ),
    "trino_to_timestamp": (
        f"""(x) AS CASE
        WHEN typeof(x) = 'VARCHAR' AND NOT regexp_matches(CAST(x AS VARCHAR), '{_TIMESTAMP}')
            THEN CAST('Cannot cast text to TIMESTAMP' AS TIMESTAMP)
        ELSE CAST(x AS TIMESTAMP) END""",
    ),
}
