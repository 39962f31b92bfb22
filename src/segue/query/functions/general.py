"""Conditional, comparison, conversion and URL functions."""

from __future__ import annotations

from segue.query.functions.build import EXAMPLE, category

_c = category("Conditional", "conditional")

CONDITIONALS = (
    _c("coalesce(value1, value2, ...) -> same as input", ("coalesce(NULL, 2, 3)", 2)),
    _c(
        "if(condition, true_value[, false_value]) -> same as input",
        ("if(1 > 2, 'a', 'b')", "b"),
        ("if(1 > 2, 'a')", None),
        special=True,
    ),
    _c("nullif(value1, value2) -> same as input", ("nullif(1, 1)", None), ("nullif(1, 2)", 1)),
    _c(
        "try(expression) -> same as input",
        ("try(CAST('P332a' AS bigint))", None, EXAMPLE),
        ("coalesce(try(100 / 0), 0)", 0, EXAMPLE),
    ),
)

_p = category("Comparison", "comparison")

COMPARISONS = (
    _p(
        "greatest(value1, value2, ...) -> same as input",
        ("greatest(1, 3, 2)", 3),
        ("greatest(1, NULL)", None),
        special=True,
    ),
    _p("least(value1, value2, ...) -> same as input", ("least(2, 1, 3)", 1), ("least(1, NULL)", None), special=True),
)

_v = category("Conversion", "conversion")

CONVERSIONS = (
    _v(
        "cast(value AS type) -> same as input",
        ("cast('12' AS bigint)", 12),
        ("cast(2.5e0 AS bigint)", 3, "Trino rounds half away from zero"),
        ("cast(-2.5e0 AS integer)", -3, "Trino rounds half away from zero"),
        ("cast(2.5 AS bigint)", 3),
        ("cast('abcdef' AS varchar(3))", "abc"),
        ("cast(TIMESTAMP '2020-01-01 10:00:00.000' AS varchar)", "2020-01-01 10:00:00.000"),
        ("cast(DATE '2020-01-01' AS varchar)", "2020-01-01"),
        ("cast(1.50 AS varchar)", "1.50"),
        ("cast(12.5e0 AS varchar)", "1.25E1", "a double's text has an exponent"),
        ("cast(JSON '\"abc\"' AS varchar)", "abc", "json page, example"),
        ("cast(JSON '[1,null,456]' AS array(integer))", [1, None, 456], "json page, example"),
        ("json_format(cast('abc' AS json))", '"abc"', "json page, example"),
        ("json_format(cast(ARRAY[1, NULL, 456] AS json))", "[1,null,456]", "json page, example"),
        special=True,
    ),
    _v(
        "try_cast(value AS type) -> same as input",
        ("try_cast('x' AS bigint)", None),
        ("try_cast('2.5' AS bigint)", None, "text with a fraction is no integer"),
        ("try_cast('2020-01-02 10:00:00' AS date)", None, "text with a time is no date"),
        ("try_cast('7' AS integer)", 7),
        special=True,
    ),
    _v(
        "format(format, ...) -> varchar",
        ("format('%s%%', 123)", "123%", EXAMPLE),
        ("format('%.5f', pi())", "3.14159", EXAMPLE),
        ("format('%03d', 8)", "008", EXAMPLE),
        ("format('%,.2f', 1234567.89)", "1,234,567.89", EXAMPLE),
        ("format('%-7s,%7s', 'hello', 'world')", "hello  ,  world", EXAMPLE),
        ("format('%2$s %3$s %1$s', 'a', 'b', 'c')", "b c a", EXAMPLE),
        ("format('%s-%d', 'a', 7)", "a-7"),
        ("format('%,d|%05d', 1234567, -42)", "1,234,567|-0042"),
        ("format('%.2f', 1.005e0)", "1.01", "Java's Formatter rounds the shown digits half up"),
        ("format('%s|%d', NULL, NULL)", "null|null", "Java's Formatter writes null"),
        note="The format is a literal with %s, %d, %f and %%, and the flags - 0 and the comma.",
        special=True,
    ),
    _v(
        "format_number(number) -> varchar",
        ("format_number(123456)", "123K", EXAMPLE),
        ("format_number(1000000)", "1M", EXAMPLE),
        macros="""(x) AS CASE WHEN x < 0 OR x >= 1e18 OR x <> floor(x) THEN CAST(trino_fail(
                'format_number: only whole numbers from 0') AS VARCHAR)
            WHEN x < 1000 THEN CAST(CAST(x AS BIGINT) AS VARCHAR)
            ELSE trino_three_digits(CAST(x AS DOUBLE) / pow(1000, (length(CAST(CAST(x AS BIGINT) AS VARCHAR)) - 1) // 3))
                || substring('KMBTQ', (length(CAST(CAST(x AS BIGINT) AS VARCHAR)) - 1) // 3, 1) END""",
        note="Whole numbers from 0.",
    ),
)

_u = category("URL", "url")
_URL = "^(?:([^:/?#]+):)?(?://(?:[^/?#@]*@)?(\\[[^\\]]*\\]|[^/?#:]*)(?::(\\d*))?)?([^?#]*)(?:\\?([^#]*))?(?:#(.*))?$"
_SHOP = "'https://shop.example:8080/a/b?x=1&y=c+d&x=2#top'"


def _part(group: int) -> str:
    return f"nullif(regexp_extract(x, '{_URL}', {group}), '')"


URLS = (
    _u("url_extract_fragment(url) -> varchar", (f"url_extract_fragment({_SHOP})", "top"), macros=f"(x) AS {_part(6)}"),
    _u("url_extract_host(url) -> varchar", (f"url_extract_host({_SHOP})", "shop.example"), macros=f"(x) AS {_part(2)}"),
    _u(
        "url_extract_parameter(url, name) -> varchar",
        (f"url_extract_parameter({_SHOP}, 'x')", "1", "the first of the name"),
        (f"url_extract_parameter({_SHOP}, 'y')", "c d", "decoded as RFC 1866 says"),
        (f"url_extract_parameter({_SHOP}, 'z')", None),
        macros=f"""(x, n) AS list_transform(list_filter(string_split({_part(5)}, '&'),
            LAMBDA trino_q: url_decode(replace(string_split(trino_q, '=')[1], '+', ' ')) = n),
            LAMBDA trino_q: url_decode(replace(array_to_string(string_split(trino_q, '=')[2:], '='), '+', ' ')))[1]""",
    ),
    _u(
        "url_extract_path(url) -> varchar",
        (f"url_extract_path({_SHOP})", "/a/b"),
        macros=f"(x) AS regexp_extract(x, '{_URL}', 4)",
    ),
    _u(
        "url_extract_port(url) -> bigint",
        (f"url_extract_port({_SHOP})", 8080),
        macros=f"(x) AS CAST({_part(3)} AS BIGINT)",
    ),
    _u(
        "url_extract_protocol(url) -> varchar",
        ("url_extract_protocol('http://localhost:8080/req_path')", "http", EXAMPLE),
        ("url_extract_protocol('https://127.0.0.1:8080/req_path')", "https", EXAMPLE),
        ("url_extract_protocol('ftp://path/file')", "ftp", EXAMPLE),
        macros=f"(x) AS {_part(1)}",
    ),
    _u(
        "url_extract_query(url) -> varchar",
        (f"url_extract_query({_SHOP})", "x=1&y=c+d&x=2"),
        macros=f"(x) AS {_part(5)}",
    ),
    _u(
        "url_encode(value) -> varchar",
        ("url_encode('a b')", "a+b", "a space becomes +"),
        ("url_encode('.-*_~/\u00e9')", ".-*_%7E%2F%C3%A9", ". - * _ stay, the rest becomes %XX"),
        macros="(x) AS replace(replace(replace(url_encode(x), '%20', '+'), '%2A', '*'), '~', '%7E')",
    ),
    _u(
        "url_decode(value) -> varchar",
        ("url_decode('a+b%2F')", "a b/", "the inverse of url_encode"),
        macros="(x) AS url_decode(replace(x, '+', ' '))",
    ),
)

_r = category("Row", "row")

ROWS = (_r("row(value1, ...) -> row", ("row(1, 'a')", (1, "a")), ("(1, 'a')", (1, "a"))),)

_i = category("UUID", "uuid")

UUIDS = (_i("uuid() -> uuid", ("length(CAST(uuid() AS varchar))", 36)),)
