"""Mathematical functions."""

from __future__ import annotations

import math

from segue.query.functions.build import EXAMPLE, category

_f = category("Mathematical", "math")

_FROM_BASE = """(x, r) AS CASE WHEN NOT regexp_full_match(x, '-?[0-9A-Za-z]+') OR len(list_filter(
        string_split(ltrim(upper(x), '-'), ''),
        LAMBDA trino_c: instr('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ', trino_c) > r)) > 0
    THEN trino_fail('from_base: not a number of this base')
    ELSE CASE WHEN x LIKE '-%' THEN -1 ELSE 1 END * list_reduce(list_transform(string_split(ltrim(upper(x), '-'), ''),
        LAMBDA trino_c: CAST(instr('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ', trino_c) - 1 AS BIGINT)),
        LAMBDA trino_a, trino_c: trino_a * r + trino_c) END"""

_BUCKET = (
    "(x, bins) AS CAST(len(list_filter(bins, LAMBDA trino_b: x >= trino_b)) AS BIGINT)",
    """(x, low, high, n) AS CASE WHEN n <= 0 OR low = high THEN trino_fail('width_bucket: no buckets')
        WHEN low < high THEN CASE WHEN x < low THEN 0 WHEN x >= high THEN n + 1
            ELSE CAST(floor((CAST(x AS DOUBLE) - low) / (high - low) * n) AS BIGINT) + 1 END
        ELSE CASE WHEN x > low THEN 0 WHEN x <= high THEN n + 1
            ELSE CAST(floor((CAST(low AS DOUBLE) - x) / (low - high) * n) AS BIGINT) + 1 END END""",
)


def _wilson(sign: str) -> str:
    return f"""(s, n, z) AS (CAST(s AS DOUBLE) / n + z * z / (2.0e0 * n) {sign} z * sqrt(
        (CAST(s AS DOUBLE) / n * (1 - CAST(s AS DOUBLE) / n) + z * z / (4.0e0 * n)) / n)) / (1 + z * z / n)"""


MATHEMATICS = (
    _f("abs(x) -> same as input", ("abs(-5)", 5), ("abs(-1.5)", "1.5")),
    _f("cbrt(x) -> double", ("cbrt(27e0)", 3.0)),
    _f(
        "ceil(x) -> same as input",
        ("ceil(1.2e0)", 2.0),
        ("ceil(-7)", -7, "the type of the input"),
        macros="(x) AS cast_to_type(ceil(x), x)",
    ),
    _f("ceiling(x) -> same as input", ("ceiling(-1.2e0)", -1.0), macros="(x) AS cast_to_type(ceil(x), x)"),
    _f("floor(x) -> same as input", ("floor(-1.2e0)", -2.0), macros="(x) AS cast_to_type(floor(x), x)"),
    _f("degrees(x) -> double", ("degrees(pi())", 180.0)),
    _f("radians(x) -> double", ("radians(180)", math.pi)),
    _f("e() -> double", ("e()", math.e), macros="() AS exp(1)"),
    _f("pi() -> double", ("pi()", math.pi)),
    _f("exp(x) -> double", ("exp(1)", math.e)),
    _f("ln(x) -> double", ("ln(e())", 1.0)),
    _f("log(b, x) -> double", ("log(2, 8)", 3.0)),
    _f("log2(x) -> double", ("log2(8)", 3.0)),
    _f("log10(x) -> double", ("log10(1000)", 3.0)),
    _f(
        "mod(n, m) -> same as input",
        ("mod(7, 3)", 1),
        ("mod(-7, 3)", -1, "a remainder has the sign of the dividend, as division truncates"),
        macros="(n, m) AS n % m",
    ),
    _f("pow(x, p) -> double", ("pow(2, 10)", 1024.0)),
    _f("power(x, p) -> double", ("power(2, 10)", 1024.0), engine="pow"),
    _f(
        "round(x[, d]) -> same as input",
        ("round(2.5e0)", 3.0),
        ("round(-2.5e0)", -3.0, "half goes away from zero"),
        ("round(1234.567, 2)", "1234.570", "the type of the input"),
        ("round(1250, -2)", 1300),
        macros=("(x) AS cast_to_type(round(x), x)", "(x, d) AS cast_to_type(round(x, d), x)"),
    ),
    _f(
        "sign(x) -> same as input",
        ("sign(-3)", -1),
        ("sign(2.5e0)", 1.0),
        macros="(x) AS cast_to_type(sign(x), x)",
    ),
    _f("sqrt(x) -> double", ("sqrt(16)", 4.0)),
    _f(
        "truncate(x[, d]) -> same as input",
        ("truncate(-2.9e0)", -2.0),
        ("truncate(12.349, 1)", "12.300"),
        macros=("(x) AS cast_to_type(trunc(x), x)", "(x, d) AS cast_to_type(trunc(x, d), x)"),
    ),
    _f(
        "width_bucket(x, bound1[, bound2, n]) -> bigint",
        ("width_bucket(3.5e0, 0e0, 10e0, 5)", 2, "buckets of width 2: 3.5 is in the second"),
        ("width_bucket(-1e0, 0e0, 10e0, 5)", 0),
        ("width_bucket(10e0, 0e0, 10e0, 5)", 6),
        ("width_bucket(2.5e0, ARRAY[1e0, 2e0, 3e0])", 2),
        macros=_BUCKET,
        note="With two arguments the second is an array of bounds.",
    ),
    _f("rand() -> double", ("rand() < 1", True), engine="random"),
    _f(
        "random([m[, n]]) -> double",
        ("random() >= 0", True),
        ("random(10) BETWEEN 0 AND 9", True),
        ("random(5, 7) IN (5, 6)", True),
        macros=(
            "() AS random()",
            "(n) AS cast_to_type(floor(random() * n), n)",
            "(m, n) AS cast_to_type(m + floor(random() * (n - m)), n)",
        ),
        note="The forms with bounds give whole numbers.",
    ),
    _f("acos(x) -> double", ("acos(1)", 0.0)),
    _f("asin(x) -> double", ("asin(1)", math.pi / 2)),
    _f("atan(x) -> double", ("atan(1)", math.pi / 4)),
    _f("atan2(y, x) -> double", ("atan2(1, -1)", 3 * math.pi / 4)),
    _f("cos(x) -> double", ("cos(0)", 1.0)),
    _f("cosh(x) -> double", ("cosh(0)", 1.0)),
    _f("sin(x) -> double", ("sin(pi() / 2)", 1.0)),
    _f("sinh(x) -> double", ("sinh(0)", 0.0)),
    _f("tan(x) -> double", ("tan(pi() / 4)", 1.0)),
    _f("tanh(x) -> double", ("tanh(0)", 0.0)),
    _f(
        "cosine_distance(array(double), array(double)) -> double",
        ("cosine_distance(ARRAY[1.0, 2.0], ARRAY[3.0, 4.0])", 0.01613008990009257, EXAMPLE),
        engine="list_cosine_distance",
        note="Dense vectors.",
    ),
    _f(
        "cosine_similarity(array(double), array(double)) -> double",
        ("cosine_similarity(ARRAY[1.0, 2.0], ARRAY[3.0, 4.0])", 0.9838699100999074, EXAMPLE),
        engine="list_cosine_similarity",
        note="Dense vectors.",
    ),
    _f("infinity() -> double", ("infinity()", math.inf), macros="() AS CAST('inf' AS DOUBLE)"),
    _f("nan() -> double", ("is_nan(nan())", True), macros="() AS CAST('nan' AS DOUBLE)"),
    _f("is_finite(x) -> boolean", ("is_finite(1e0)", True), ("is_finite(infinity())", False), engine="isfinite"),
    _f("is_infinite(x) -> boolean", ("is_infinite(infinity())", True), engine="isinf"),
    _f("is_nan(x) -> boolean", ("is_nan(1e0)", False), engine="isnan"),
    _f(
        "from_base(string, radix) -> bigint",
        ("from_base('ff', 16)", 255),
        ("from_base('-101', 2)", -5),
        macros=_FROM_BASE,
    ),
    _f(
        "to_base(x, radix) -> varchar",
        ("to_base(255, 16)", "ff"),
        ("to_base(-5, 2)", "-101"),
        macros="(x, r) AS CASE WHEN x < 0 THEN '-' ELSE '' END || lower(to_base(abs(x), r))",
    ),
    _f(
        "wilson_interval_lower(successes, trials, z) -> double",
        ("wilson_interval_lower(9, 10, 0)", 0.9, "with z = 0 the score is the share itself"),
        ("wilson_interval_lower(0, 4, 2)", 0.0, "the Wilson score formula: (0.5 - 2 * sqrt(0.0625)) / 2"),
        macros=_wilson("-"),
    ),
    _f(
        "wilson_interval_upper(successes, trials, z) -> double",
        ("wilson_interval_upper(9, 10, 0)", 0.9, "with z = 0 the score is the share itself"),
        ("wilson_interval_upper(0, 4, 2)", 0.5, "the Wilson score formula: (0.5 + 2 * sqrt(0.0625)) / 2"),
        macros=_wilson("+"),
    ),
)
