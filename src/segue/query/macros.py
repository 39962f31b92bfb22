"""Macros that rewrites and other macros call and that are no function of Trino's.

A conversion looks at ``typeof``, which the engine answers when it binds the query, so the branches cost nothing. A
value that Trino would fail on goes through ``trino_fail``, a cast that cannot succeed: unlike ``error()`` it is a
plain expression, and TRY can catch it. Parameters of lambdas begin with ``trino_``, so that no name of a query is
caught by them.
"""

from __future__ import annotations

_TIMESTAMP = r"\s*[+-]?\d+-\d{1,2}-\d{1,2}( \d{1,2}:\d{1,2}(:\d{1,2}(\.\d{1,12})?)?)?\s*"
_ZONED = _TIMESTAMP[:-3] + r"( ?[A-Za-z][A-Za-z/_]*| ?[+-]\d{1,2}(:\d{2})?)?\s*"
_NUMBER = r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*|NaN|[+-]?Infinity"
_DATE = r"\s*[+-]?\d+-\d{1,2}-\d{1,2}\s*"

_EXPONENT = """CASE WHEN trino_t[2] <> '' AND ltrim(trino_t[2], '0') <> '' THEN
    left(rtrim(ltrim(trino_t[2], '0') || trino_t[3], '0'), 1) || '.'
    || coalesce(nullif(substring(rtrim(ltrim(trino_t[2], '0') || trino_t[3], '0'), 2), ''), '0')
    || 'E' || (trino_t[4] + length(ltrim(trino_t[2], '0')) - 1)
    WHEN ltrim(trino_t[3], '0') = '' THEN '0.0E0'
    ELSE left(ltrim(trino_t[3], '0'), 1) || '.'
    || coalesce(nullif(rtrim(substring(ltrim(trino_t[3], '0'), 2), '0'), ''), '0')
    || 'E' || (trino_t[4] - (length(trino_t[3]) - length(ltrim(trino_t[3], '0'))) - 1) END"""

HELPERS: dict[str, tuple[str, ...]] = {
    "trino_fail": ("(message) AS CAST(message AS BIGINT)",),
    # Trino writes a double as 1.25E1. The engine's own text has the same shortest digits.
    "trino_exponent": (
        f"""(t) AS CASE t WHEN 'nan' THEN 'NaN' WHEN 'inf' THEN 'Infinity' WHEN '-inf' THEN '-Infinity' ELSE
        CASE WHEN t LIKE '-%' THEN '-' ELSE '' END || list_transform([(0,
            regexp_extract(t, '^-?(\\d+)', 1), regexp_extract(t, '\\.(\\d+)', 1),
            CAST(coalesce(nullif(regexp_extract(t, 'e(.+)$', 1), ''), '0') AS INTEGER))],
        LAMBDA trino_t: {_EXPONENT})[1] END""",
    ),
    "trino_to_varchar": (
        """(x) AS CASE
        WHEN typeof(x) IN ('DOUBLE', 'FLOAT') THEN trino_exponent(CAST(x AS VARCHAR))
        WHEN typeof(x) = 'TIMESTAMP_S' THEN strftime(CAST(x AS TIMESTAMP), '%Y-%m-%d %H:%M:%S')
        WHEN typeof(x) = 'TIMESTAMP_MS' THEN strftime(CAST(x AS TIMESTAMP), '%Y-%m-%d %H:%M:%S.%g')
        WHEN typeof(x) = 'TIMESTAMP' THEN strftime(CAST(x AS TIMESTAMP), '%Y-%m-%d %H:%M:%S.%f')
        WHEN typeof(x) = 'JSON' THEN CASE WHEN json_type(CAST(x AS JSON)) IN ('OBJECT', 'ARRAY')
            THEN CAST(trino_fail('Cannot cast a JSON object or array to VARCHAR, use json_format') AS VARCHAR)
            ELSE json_extract_string(CAST(x AS JSON), '$') END
        WHEN typeof(x) IN ('BLOB', 'INTERVAL', 'TIME', 'TIMESTAMP_NS', 'TIMESTAMP WITH TIME ZONE')
            OR typeof(x) LIKE '%]' OR regexp_matches(typeof(x), '^(STRUCT|TUPLE|MAP)\\(')
        THEN CASE WHEN x IS NOT NULL THEN CAST(trino_fail('Cannot cast ' || typeof(x) || ' to VARCHAR') AS VARCHAR) END
        ELSE CAST(x AS VARCHAR) END""",
    ),
    # Trino rounds half away from zero where the engine rounds half to even, and reads no fraction from text.
    "trino_to_bigint": (
        """(x) AS CASE
        WHEN typeof(x) IN ('DOUBLE', 'FLOAT') THEN CAST(round(CAST(x AS DOUBLE)) AS BIGINT)
        WHEN typeof(x) = 'VARCHAR' AND NOT regexp_full_match(CAST(x AS VARCHAR), '[+-]?[0-9]+')
            THEN trino_fail('Cannot cast this text to an integer')
        ELSE CAST(x AS BIGINT) END""",
    ),
    # Text that Trino does not read as the type; the engine would take more, such as 'yes' or '1_000'.
    "trino_no_number": (f"(x) AS typeof(x) = 'VARCHAR' AND NOT regexp_full_match(CAST(x AS VARCHAR), '{_NUMBER}')",),
    "trino_no_boolean": (
        """(x) AS typeof(x) = 'VARCHAR' AND lower(CAST(x AS VARCHAR)) NOT IN ('true', 't', '1', 'false', 'f', '0')""",
    ),
    "trino_no_zoned_time": (f"(x) AS typeof(x) = 'VARCHAR' AND NOT regexp_full_match(CAST(x AS VARCHAR), '{_ZONED}')",),
    "trino_to_date": (
        f"""(x) AS CASE
        WHEN typeof(x) = 'VARCHAR' AND NOT regexp_full_match(CAST(x AS VARCHAR), '{_DATE}')
            THEN CAST('Cannot cast this text to DATE' AS DATE)
        WHEN typeof(x) = 'VARCHAR' THEN CAST(trim(CAST(x AS VARCHAR)) AS DATE)
        ELSE CAST(x AS DATE) END""",
    ),
    "trino_to_timestamp": (
        f"""(x) AS CASE
        WHEN typeof(x) = 'VARCHAR' AND NOT regexp_full_match(CAST(x AS VARCHAR), '{_TIMESTAMP}')
            THEN CAST('Cannot cast this text to TIMESTAMP' AS TIMESTAMP)
        ELSE CAST(x AS TIMESTAMP) END""",
    ),
    "trino_divide": ("(a, b) AS cast_to_type(a / b, a + b)",),
    "trino_runs": (
        "(x) AS "
        + "".join("regexp_replace(" for _ in "123456")
        + "x"
        + "".join(f", '{digit}+', '{digit}', 'g')" for digit in "123456"),
    ),
    "trino_all": (
        """(a) AS CASE WHEN list_contains(a, false) THEN false WHEN list_position(a, NULL) IS NOT NULL THEN NULL
        WHEN a IS NOT NULL THEN true END""",
    ),
    "trino_any": (
        """(a) AS CASE WHEN list_contains(a, true) THEN true WHEN list_position(a, NULL) IS NOT NULL THEN NULL
        WHEN a IS NOT NULL THEN false END""",
    ),
    "trino_entries": ("(m) AS list_zip(map_keys(m), map_values(m))",),
    # Of entries with one key the first stays, and a NULL key is left out.
    "trino_map": (
        """(entries) AS map_from_entries(list_filter(entries, LAMBDA trino_e, trino_i: trino_e[1] IS NOT NULL
        AND list_position(list_transform(entries, LAMBDA trino_f: trino_f[1]), trino_e[1]) = trino_i))""",
    ),
    "trino_multimap": (
        """(entries) AS map_from_entries(list_transform(list_filter(list_transform(entries,
            LAMBDA trino_e: trino_e[1]), LAMBDA trino_k, trino_i: trino_k IS NOT NULL AND list_position(
            list_transform(entries, LAMBDA trino_e: trino_e[1]), trino_k) = trino_i),
        LAMBDA trino_k: (trino_k, list_transform(list_filter(entries, LAMBDA trino_e: trino_e[1] = trino_k),
            LAMBDA trino_e: trino_e[2]))))""",
    ),
    "trino_three_digits": (
        """(x) AS CASE WHEN x >= 99.95 THEN printf('%d', CAST(round(x) AS BIGINT))
        ELSE regexp_replace(printf('%.' || CASE WHEN x >= 9.995 THEN 1 ELSE 2 END || 'f', x), '\\.?0+$', '') END""",
    ),
    "trino_sequence_of_dates": (
        """(a, b) AS cast_to_type(generate_series(a, b, CASE WHEN a <= b THEN to_days(1) ELSE to_days(-1) END), [a])""",
        # Every element is start plus so many steps: the engine's own series would slip from the 31st to the 28th.
        """(a, b, s) AS list_filter(list_transform(range(len(generate_series(a, b, s)) + 1),
            LAMBDA trino_i: cast_to_type(a + s * trino_i, a)),
            LAMBDA trino_d: CASE WHEN a <= b THEN trino_d <= b ELSE trino_d >= b END)""",
    ),
    "trino_sequence": (
        """(a, b) AS generate_series(a, CASE WHEN abs(b - a) < 10000 THEN b
            ELSE trino_fail('sequence: more than 10000 elements') END, CASE WHEN a <= b THEN 1 ELSE -1 END)""",
        """(a, b, s) AS generate_series(a, CASE WHEN sign(b - a) * sign(s) >= 0 AND abs(b - a) // abs(s) < 10000 THEN b
            ELSE trino_fail('sequence: the wrong way, or more than 10000 elements') END, s)""",
    ),
    "trino_subscript_array": (
        """(x, i) AS CASE WHEN i BETWEEN 1 AND len(x) OR i IS NULL THEN x[i]
        WHEN x IS NOT NULL THEN x[trino_fail('the array has no such element')] END""",
    ),
    "trino_subscript_map": (
        """(m, k) AS CASE WHEN list_contains(map_keys(m), k) OR k IS NULL THEN m[k]
        WHEN m IS NOT NULL THEN map_values(m)[trino_fail('the map has no such key')] END""",
    ),
    "trino_map_size": ("(x) AS CAST(cardinality(x) AS BIGINT)",),
    "trino_size": ("(x) AS CAST(len(x) AS BIGINT)",),
    "trino_json_scalar": (
        """(x, p) AS CASE WHEN json_valid(x) AND json_type(json_extract(x, p)) NOT IN ('OBJECT', 'ARRAY')
        THEN json_extract_string(x, p) END""",
    ),
    # Text that is no JSON gives NULL.
    "trino_json_part": ("(x, p) AS CASE WHEN json_valid(x) THEN json_extract(x, p) END",),
    "trino_json_size": (
        """(x) AS CAST(CASE json_type(x) WHEN 'OBJECT' THEN len(json_keys(x)) WHEN 'ARRAY' THEN json_array_length(x)
        ELSE CASE WHEN x IS NOT NULL THEN 0 END END AS BIGINT)""",
    ),
    # Java writes a double with an exponent outside of 0.001 to 10,000,000.
    "trino_format_text": (
        """(x) AS CASE WHEN typeof(x) IN ('DOUBLE', 'FLOAT') AND (CAST(x AS DOUBLE) = 0
            OR abs(CAST(x AS DOUBLE)) BETWEEN 0.001 AND 9999999.999999998) THEN CAST(x AS VARCHAR)
        WHEN typeof(x) LIKE 'TIMESTAMP%' THEN CAST(trino_fail('format: cast the timestamp to text first') AS VARCHAR)
        ELSE trino_to_varchar(x) END""",
    ),
    "trino_fixed": (
        """(t, digits) AS list_transform([CAST(round(abs(CAST(t AS DECIMAL(38, 12))), CAST(digits AS INTEGER))
            AS DECIMAL(38, 12))], LAMBDA trino_f: regexp_extract(CAST(trino_f AS VARCHAR), '^(\\d+)', 1) || '.'
            || left(regexp_extract(CAST(trino_f AS VARCHAR), '\\.(\\d+)$', 1), digits))[1]""",
    ),
    "trino_format_integer": (
        """(x) AS CASE WHEN typeof(x) IN ('DOUBLE', 'FLOAT') OR typeof(x) LIKE 'DECIMAL%'
        THEN CASE WHEN x IS NOT NULL THEN trino_fail('format: %d takes integers') END ELSE CAST(x AS BIGINT) END""",
    ),
    # By way of text: Java rounds the digits that it shows, half up, not the binary value beneath them.
    "trino_decimal_text": (
        """(x, digits, grouped) AS CASE WHEN CAST(x AS DOUBLE) < 0 THEN '-' ELSE '' END || list_transform(
            [string_split(trino_fixed(CAST(x AS VARCHAR), digits), '.')], LAMBDA trino_n:
                CASE WHEN grouped THEN format('{:,}', CAST(trino_n[1] AS HUGEINT)) ELSE trino_n[1] END
                || CASE WHEN digits > 0 THEN '.' || trino_n[2] ELSE '' END)[1]""",
    ),
    "trino_zeros": (
        """(t, width) AS CASE WHEN t LIKE '-%' THEN '-' || lpad(substring(t, 2),
            CAST(greatest(width, length(t)) - 1 AS INTEGER), '0')
        ELSE lpad(t, CAST(greatest(width, length(t)) AS INTEGER), '0') END""",
    ),
    "trino_pad_left": ("(t, width) AS lpad(t, CAST(greatest(width, length(t)) AS INTEGER), ' ')",),
    "trino_pad_right": ("(t, width) AS rpad(t, CAST(greatest(width, length(t)) AS INTEGER), ' ')",),
}

LATE_HELPERS: dict[str, tuple[str, ...]] = {
    "trino_iso8601_utc": (
        """(x) AS CASE WHEN regexp_matches(x, 'T.*[+-]\\d{2}(:?\\d{2})?$') AND NOT regexp_matches(x, '[+-]00(:?00)?$')
        THEN CAST('the clock of this offset is not kept: write AT TIME ZONE' AS TIMESTAMPTZ)
        ELSE trino_from_iso8601_timestamp(x) END""",
    ),
}
"""Macros that call those of the published functions, and so come after them."""
