"""Date and time functions.

The session's time zone is UTC. A timestamp with time zone is an instant: its own zone is not kept.
"""

from __future__ import annotations

from segue.query.functions.build import EXAMPLE, category
from segue.query.values import Function

_f = category("Date and time", "datetime")
_UTC = "The result is an instant in UTC: to read it by another clock write AT TIME ZONE around it."

_ISO_DATE = """(x) AS CASE
    WHEN regexp_full_match(x, '\\d{4}-\\d{2}-\\d{2}') THEN CAST(x AS DATE)
    WHEN regexp_full_match(x, '\\d{4}-W\\d{2}-[1-7]') THEN CAST(strptime(x, '%G-W%V-%u') AS DATE)
    WHEN regexp_full_match(x, '\\d{4}-W\\d{2}') THEN CAST(strptime(x || '-1', '%G-W%V-%u') AS DATE)
    WHEN regexp_full_match(x, '\\d{4}-\\d{3}') THEN CAST(strptime(x, '%Y-%j') AS DATE)
    WHEN x IS NOT NULL THEN CAST('from_iso8601_date: not an ISO 8601 date' AS DATE) END"""

_ISO_TIMESTAMP = """(x) AS CASE
    WHEN regexp_full_match(x, '\\d{4}-\\d{2}-\\d{2}(T\\d{2}(:\\d{2}(:\\d{2}([.,]\\d{1,9})?)?)?(Z|[+-]\\d{2}(:?\\d{2})?)?)?')
    THEN CAST(regexp_replace(regexp_replace(regexp_replace(replace(replace(x, 'T', ' '), ',', '.'),
        '( .*[+-]\\d{2})$', '\\1:00'), '^(.{10} \\d{2})(Z|[+-]|$)', '\\1:00\\2'), '(\\.\\d{3})\\d+', '\\1') AS TIMESTAMPTZ)
    WHEN x IS NOT NULL THEN CAST('from_iso8601_timestamp: not an ISO 8601 timestamp' AS TIMESTAMPTZ) END"""

_TO_ISO = """(x) AS CASE typeof(x)
    WHEN 'DATE' THEN strftime(CAST(x AS TIMESTAMP), '%Y-%m-%d')
    WHEN 'TIMESTAMP_S' THEN strftime(CAST(x AS TIMESTAMP), '%Y-%m-%dT%H:%M:%S')
    WHEN 'TIMESTAMP_MS' THEN strftime(CAST(x AS TIMESTAMP), '%Y-%m-%dT%H:%M:%S.%g')
    WHEN 'TIMESTAMP' THEN strftime(CAST(x AS TIMESTAMP), '%Y-%m-%dT%H:%M:%S.%f')
    WHEN 'TIMESTAMP WITH TIME ZONE' THEN strftime(CAST(x AS TIMESTAMP), '%Y-%m-%dT%H:%M:%S.%g')
        || CASE WHEN microsecond(CAST(x AS TIMESTAMP)) % 1000 = 0 THEN ''
            ELSE right(strftime(CAST(x AS TIMESTAMP), '%f'), 3) END || 'Z'
    ELSE CAST(trino_fail('to_iso8601: not a date or timestamp') AS VARCHAR) END"""

_HUMAN = """(s) AS CASE WHEN s < 0 THEN CAST(trino_fail('human_readable_seconds: below zero') AS VARCHAR)
    WHEN round(s) = 0 THEN '0 seconds' ELSE array_to_string(list_filter(list_transform(
        [(CAST(round(s) AS BIGINT) // 604800, 'week'), (CAST(round(s) AS BIGINT) // 86400 % 7, 'day'),
         (CAST(round(s) AS BIGINT) // 3600 % 24, 'hour'), (CAST(round(s) AS BIGINT) // 60 % 60, 'minute'),
         (CAST(round(s) AS BIGINT) % 60, 'second')],
        LAMBDA trino_p: CASE WHEN trino_p[1] > 0
            THEN trino_p[1] || ' ' || trino_p[2] || CASE WHEN trino_p[1] > 1 THEN 's' ELSE '' END END),
        LAMBDA trino_t: trino_t IS NOT NULL), ', ') END"""

_AT = "TIMESTAMP '2001-08-22 03:04:05.321'"


def _field(name: str, expected: int, engine: str | None = None, why: str = "a field of the timestamp") -> Function:
    return _f(f"{name}(x) -> bigint", (f"{name}({_AT})", expected, why), engine=engine)


FIELDS = (
    _field("year", 2001),
    _field("quarter", 3),
    _field("month", 8),
    _field("week", 34, why="ISO week: 20 August 2001 is the Monday of week 34"),
    _field("week_of_year", 34, "week", "ISO week: 20 August 2001 is the Monday of week 34"),
    _field("year_of_week", 2001, "isoyear"),
    _f("yow(x) -> bigint", ("yow(DATE '2021-01-01')", 2020, "that Friday is in ISO week 53 of 2020"), engine="isoyear"),
    _field("day", 22),
    _field("day_of_month", 22, "day"),
    _field("day_of_week", 3, "isodow", "a Wednesday; Monday is 1"),
    _f("dow(x) -> bigint", ("dow(DATE '2020-01-05')", 7, "a Sunday"), engine="isodow"),
    _field("day_of_year", 234, "dayofyear", "31+28+31+30+31+30+31+22"),
    _field("doy", 234, "dayofyear", "31+28+31+30+31+30+31+22"),
    _field("hour", 3),
    _field("minute", 4),
    _field("second", 5),
    _f("millisecond(x) -> bigint", (f"millisecond({_AT})", 321), macros="(x) AS millisecond(x) % 1000"),
)

DATES = (
    _f(
        "date(x) -> date",
        ("date(TIMESTAMP '2020-02-03 04:05:06')", "2020-02-03"),
        ("date('2020-02-03')", "2020-02-03"),
        macros="(x) AS trino_to_date(x)",
    ),
    _f(
        "date_add(unit, value, x) -> same as input",
        ("date_add('second', 86, TIMESTAMP '2020-03-01 00:00:00')", "2020-03-01 00:01:26", EXAMPLE),
        ("date_add('hour', 9, TIMESTAMP '2020-03-01 00:00:00')", "2020-03-01 09:00:00", EXAMPLE),
        ("date_add('day', -1, TIMESTAMP '2020-03-01 00:00:00 UTC')", "2020-02-29 00:00:00+00:00", EXAMPLE),
        ("date_add('day', -1, DATE '2020-03-01')", "2020-02-29", "the type of the input"),
        ("date_add('month', 1, DATE '2020-01-31')", "2020-02-29"),
        ("date_add('quarter', -1, DATE '2020-05-31')", "2020-02-29"),
        ("date_add('week', 2, DATE '2020-01-01')", "2020-01-15"),
        ("date_add('year', 1, DATE '2020-02-29')", "2021-02-28"),
        ("date_add('millisecond', 1500, TIMESTAMP '2020-01-01 00:00:00.000')", "2020-01-01 00:00:01.500000"),
        note="The unit is a literal.",
        special=True,
    ),
    _f(
        "date_diff(unit, x1, x2) -> bigint",
        ("date_diff('second', TIMESTAMP '2020-03-01 00:00:00', TIMESTAMP '2020-03-02 00:00:00')", 86400, EXAMPLE),
        ("date_diff('hour', TIMESTAMP '2020-03-01 00:00:00 UTC', TIMESTAMP '2020-03-02 00:00:00 UTC')", 24, EXAMPLE),
        ("date_diff('day', DATE '2020-03-01', DATE '2020-03-02')", 1, EXAMPLE),
        (
            "date_diff('second', TIMESTAMP '2020-06-01 12:30:45.000000000', TIMESTAMP '2020-06-02 12:30:45.123456789')",
            86400,
            EXAMPLE,
        ),
        (
            "date_diff('millisecond', TIMESTAMP '2020-06-01 12:30:45.000', TIMESTAMP '2020-06-02 12:30:45.123')",
            86400123,
            EXAMPLE,
        ),
        ("date_diff('hour', TIMESTAMP '2020-01-01 00:59:00', TIMESTAMP '2020-01-01 01:01:00')", 0, "x2 - x1 is 2 min"),
        ("date_diff('day', TIMESTAMP '2020-01-01 23:00:00', TIMESTAMP '2020-01-02 01:00:00')", 0, "x2 - x1 is 2 h"),
        ("date_diff('month', DATE '2020-01-15', DATE '2020-02-14')", 0, "one day short of a month"),
        ("date_diff('month', DATE '2020-01-15', DATE '2020-02-15')", 1, "x1 plus one month is x2"),
        ("date_diff('month', DATE '2020-01-31', DATE '2020-02-29')", 1, "x1 plus one month is x2"),
        ("date_diff('quarter', DATE '2020-01-15', DATE '2020-07-14')", 1, "one day short of two quarters"),
        ("date_diff('year', DATE '2019-03-01', DATE '2020-02-29')", 0, "one day short of a year"),
        ("date_diff('week', DATE '2020-01-01', DATE '2020-01-14')", 1, "13 days"),
        ("date_diff('day', DATE '2020-03-02', DATE '2020-03-01')", -1, "x2 - x1"),
        note="The unit is a literal.",
        special=True,
    ),
    _f(
        "date_trunc(unit, x) -> same as input",
        ("date_trunc('day', TIMESTAMP '2022-10-20 05:10:00')", "2022-10-20 00:00:00", EXAMPLE),
        ("date_trunc('month', TIMESTAMP '2022-10-20 05:10:00')", "2022-10-01 00:00:00", EXAMPLE),
        (f"date_trunc('week', {_AT})", "2001-08-20 00:00:00", EXAMPLE),
        (f"date_trunc('quarter', {_AT})", "2001-07-01 00:00:00", EXAMPLE),
        ("date_trunc('month', DATE '2022-10-20')", "2022-10-01", "the type of the input"),
        note="The unit is a literal.",
        special=True,
    ),
    _f(
        "date_format(x, format) -> varchar",
        ("date_format(TIMESTAMP '2022-10-20 05:10:00', '%m-%d-%Y %H')", "10-20-2022 05", EXAMPLE),
        ("date_format(TIMESTAMP '2022-10-02 15:04:05', '%W %M %e %c %y')", "Sunday October 2 10 22", "the specifiers"),
        (
            "date_format(TIMESTAMP '2022-10-02 15:04:05', '%h:%i:%s %p|%k|%l|%T|%r|%j')",
            "03:04:05 PM|15|3|15:04:05|03:04:05 PM|275",
            "the specifiers",
        ),
        note="The format is a literal; as in Trino, not %D %U %u %V %w %X.",
        special=True,
    ),
    _f(
        "date_parse(string, format) -> timestamp",
        ("date_parse('2022/10/20/05', '%Y/%m/%d/%H')", "2022-10-20 05:00:00", EXAMPLE),
        note="The format is a literal.",
        special=True,
    ),
    _f(
        "format_datetime(x, format) -> varchar",
        ("format_datetime(TIMESTAMP '2022-10-02 15:04:05', 'yyyy-MM-dd''T''HH:mm:ss')", "2022-10-02T15:04:05", "Joda"),
        ("format_datetime(DATE '2022-10-02', 'EEEE, d MMMM yy')", "Sunday, 2 October 22", "Joda"),
        note="The format is a literal of the letters y M d H h m s S a E D e.",
        special=True,
    ),
    _f(
        "parse_datetime(string, format) -> timestamp with time zone",
        ("parse_datetime('2022-10-20 05:10', 'yyyy-MM-dd HH:mm')", "2022-10-20 05:10:00+00:00", "Joda"),
        ("parse_datetime('2022-10-20 05:10 +0200', 'yyyy-MM-dd HH:mm Z')", "2022-10-20 03:10:00+00:00", "Joda"),
        note=f"The format is a literal. {_UTC}",
        special=True,
    ),
    _f("last_day_of_month(x) -> date", ("last_day_of_month(DATE '2020-02-03')", "2020-02-29"), engine="last_day"),
    _f(
        "from_iso8601_date(string) -> date",
        ("from_iso8601_date('2020-05-11')", "2020-05-11", EXAMPLE),
        ("from_iso8601_date('2020-W10')", "2020-03-02", EXAMPLE),
        ("from_iso8601_date('2020-123')", "2020-05-02", EXAMPLE),
        macros=_ISO_DATE,
    ),
    _f(
        "from_iso8601_timestamp(string) -> timestamp with time zone",
        ("from_iso8601_timestamp('2020-05-11')", "2020-05-11 00:00:00+00:00", EXAMPLE),
        ("from_iso8601_timestamp('2020-05-11T11:15:05')", "2020-05-11 11:15:05+00:00", EXAMPLE),
        ("from_iso8601_timestamp('2020-05-11T11:15:05.055+01:00')", "2020-05-11 10:15:05.055000+00:00", EXAMPLE),
        ("from_iso8601_timestamp('2020-05-11T11Z')", "2020-05-11 11:00:00+00:00"),
        ("hour(from_iso8601_timestamp('2020-05-11T11:15:05Z'))", 11),
        (
            "hour(from_iso8601_timestamp('2020-05-11T11:15:05+01:00') AT TIME ZONE 'Europe/Paris')",
            12,
            "10:15 UTC is 12:15 in Paris in May",
        ),
        macros=_ISO_TIMESTAMP,
        note=f"{_UTC} Read directly by a function such as hour(), the text must be in UTC.",
    ),
    _f(
        "from_unixtime(unixtime) -> timestamp with time zone",
        ("from_unixtime(0)", "1970-01-01 00:00:00+00:00"),
        ("from_unixtime(1.5)", "1970-01-01 00:00:01.500000+00:00"),
        macros="(x) AS to_timestamp(round(CAST(x AS DOUBLE), 3))",
    ),
    _f(
        "to_unixtime(x) -> double",
        ("to_unixtime(TIMESTAMP '1970-01-02 00:00:00 UTC')", 86400.0),
        engine="epoch",
    ),
    _f(
        "to_iso8601(x) -> varchar",
        ("to_iso8601(DATE '2020-06-01')", "2020-06-01"),
        ("to_iso8601(TIMESTAMP '2020-06-01 12:30:45.123')", "2020-06-01T12:30:45.123"),
        ("to_iso8601(TIMESTAMP '2020-06-01 12:30:45.000 UTC')", "2020-06-01T12:30:45.000Z"),
        macros=_TO_ISO,
    ),
    _f(
        "to_milliseconds(interval) -> bigint",
        ("to_milliseconds(INTERVAL '2' SECOND)", 2000),
        ("to_milliseconds(INTERVAL '1' DAY)", 86400000),
        engine="epoch_ms",
    ),
    _f(
        "human_readable_seconds(seconds) -> varchar",
        ("human_readable_seconds(96)", "1 minute, 36 seconds", EXAMPLE),
        ("human_readable_seconds(3762)", "1 hour, 2 minutes, 42 seconds", EXAMPLE),
        ("human_readable_seconds(56363463)", "93 weeks, 1 day, 8 hours, 31 minutes, 3 seconds", EXAMPLE),
        macros=_HUMAN,
    ),
    _f(
        "at_timezone(x, zone) -> timestamp with time zone",
        ("hour(at_timezone(TIMESTAMP '2022-11-01 16:08:07.321 UTC', 'America/Los_Angeles'))", 9, "7 hours behind UTC"),
        note="Inside a date or time function: the zone is not kept with the value.",
        special=True,
    ),
    _f(
        "with_timezone(timestamp, zone) -> timestamp with time zone",
        (
            "with_timezone(TIMESTAMP '2022-11-01 09:08:07.321', 'America/Los_Angeles')",
            "2022-11-01 16:08:07.321000+00:00",
            EXAMPLE,
        ),
        ("hour(with_timezone(TIMESTAMP '2022-11-01 09:08:07.321', 'America/Los_Angeles'))", 9, "its own clock"),
        macros="(x, z) AS timezone(z, CAST(x AS TIMESTAMP))",
        note=_UTC,
    ),
    _f(
        "extract(field FROM x) -> bigint",
        ("extract(YEAR FROM TIMESTAMP '2022-10-20 05:10:00')", 2022, EXAMPLE),
        ("extract(DOW FROM DATE '2020-01-05')", 7, "a Sunday"),
        ("extract(DAY_OF_YEAR FROM DATE '2020-02-01')", 32),
        special=True,
    ),
    _f("current_date -> date", ("current_date = date(now())", True), special=True),
    _f("current_timestamp -> timestamp with time zone", ("current_timestamp = now()", True), special=True),
    _f("localtimestamp -> timestamp", ("localtimestamp = CAST(now() AS timestamp(3))", True), special=True),
    _f("now() -> timestamp with time zone", ("now() > TIMESTAMP '2020-01-01 00:00:00 UTC'", True), special=True),
    _f(
        "current_timezone() -> varchar",
        ("current_timezone()", "UTC", "the session's zone is UTC"),
        macros="() AS 'UTC'",
    ),
)
