"""Bitwise, binary and hash functions."""

from __future__ import annotations

from segue.query.functions.build import EXAMPLE, category

_f = category("Bitwise", "bitwise")

BITS = (
    _f(
        "bit_count(x, bits) -> bigint",
        ("bit_count(9, 64)", 2, "9 is 1001"),
        ("bit_count(-7, 64)", 62, "-7 has zeros at 2 and 4"),
        ("bit_count(-7, 8)", 6, "11111001"),
        macros="""(x, bits) AS CAST(CASE WHEN bits = 64 THEN bit_count(CAST(x AS BIGINT))
            WHEN bits BETWEEN 2 AND 63
                AND x BETWEEN -(CAST(1 AS HUGEINT) << (bits - 1)) AND (CAST(1 AS HUGEINT) << (bits - 1)) - 1
            THEN bit_count(CAST(x AS HUGEINT) & ((CAST(1 AS HUGEINT) << bits) - 1))
            ELSE trino_fail('bit_count: the number does not fit into the bits') END AS BIGINT)""",
    ),
    _f("bitwise_and(x, y) -> bigint", ("bitwise_and(19, 25)", 17, EXAMPLE), macros="(x, y) AS CAST(x & y AS BIGINT)"),
    _f("bitwise_or(x, y) -> bigint", ("bitwise_or(19, 25)", 27, EXAMPLE), macros="(x, y) AS CAST(x | y AS BIGINT)"),
    _f(
        "bitwise_xor(x, y) -> bigint",
        ("bitwise_xor(19, 25)", 10, EXAMPLE),
        macros="(x, y) AS CAST(xor(x, y) AS BIGINT)",
    ),
    _f(
        "bitwise_not(x) -> bigint",
        ("bitwise_not(-12)", 11, "NOT x = -x - 1"),
        ("bitwise_not(19)", -20, "NOT x = -x - 1"),
        macros="(x) AS CAST(~x AS BIGINT)",
    ),
    _f(
        "bitwise_left_shift(value, shift) -> same as input",
        ("bitwise_left_shift(1, 2)", 4, EXAMPLE),
        ("bitwise_left_shift(5, 2)", 20, EXAMPLE),
        ("bitwise_left_shift(9007199254740993, 1)", 18014398509481986, "twice the number"),
        macros="(x, s) AS cast_to_type(CAST(x AS HUGEINT) * (CAST(1 AS HUGEINT) << s), x)",
        note="A result that does not fit the type fails the query.",
    ),
    _f(
        "bitwise_right_shift(value, shift) -> same as input",
        ("bitwise_right_shift(8, 3)", 1, EXAMPLE),
        ("bitwise_right_shift(9, 1)", 4, EXAMPLE),
        ("bitwise_right_shift(12, 64)", 0, EXAMPLE),
        ("bitwise_right_shift(-45, 64)", 0, EXAMPLE),
        macros="""(x, s) AS CASE WHEN s >= 64 THEN cast_to_type(0, x)
            WHEN x >= 0 OR s = 0 THEN cast_to_type(CAST(x AS BIGINT) >> s, x)
            ELSE cast_to_type(trino_fail('bitwise_right_shift: a negative number'), x) END""",
        note="Negative numbers by 1 to 63 bits fail the query.",
    ),
    _f(
        "bitwise_right_shift_arithmetic(value, shift) -> same as input",
        ("bitwise_right_shift_arithmetic(12, 64)", 0, EXAMPLE),
        ("bitwise_right_shift_arithmetic(-45, 64)", -1, EXAMPLE),
        ("bitwise_right_shift_arithmetic(-8, 1)", -4),
        ("bitwise_right_shift_arithmetic(-9223372036854775807, 62)", -2, "the floor of -2 + 2^-62"),
        ("bitwise_right_shift_arithmetic(12, 40)", 0),
        macros="""(x, s) AS CASE WHEN s < 64 THEN cast_to_type(CAST(x AS BIGINT) >> s, x)
            WHEN x < 0 THEN cast_to_type(-1, x) ELSE cast_to_type(0, x) END""",
    ),
)

_b = category("Binary", "binary")

BINARY = (
    _b(
        "from_base64(string) -> varbinary",
        ("from_base64('U2VndWU=')", "5365677565", "RFC 4648: the bytes of Segue"),
    ),
    _b(
        "to_base64(binary) -> varchar",
        ("to_base64(to_utf8('Segue'))", "U2VndWU=", "RFC 4648"),
    ),
    _b(
        "from_base64url(string) -> varbinary",
        ("from_base64url('-_8=')", "FBFF", "RFC 4648: - and _ stand for + and /"),
        macros="(x) AS from_base64(translate(x, '-_', '+/'))",
    ),
    _b(
        "to_base64url(binary) -> varchar",
        ("to_base64url(from_hex('FBFF'))", "-_8=", "RFC 4648: - and _ stand for + and /"),
        macros="(x) AS translate(to_base64(x), '+/', '-_')",
    ),
    _b("from_hex(string) -> varbinary", ("from_hex('5365')", "5365"), engine="unhex"),
    _b("to_hex(binary) -> varchar", ("to_hex(to_utf8('Se'))", "5365"), engine="hex"),
    _b(
        "from_big_endian_32(binary) -> integer",
        ("from_big_endian_32(from_hex('FFFFFFFE'))", -2, "two's complement"),
        macros="""(x) AS CASE WHEN octet_length(x) = 4 THEN CAST(CAST('0x' || hex(x) AS BIGINT)
            - CASE WHEN hex(x) >= '8' THEN 4294967296 ELSE 0 END AS INTEGER)
            ELSE trino_fail('from_big_endian_32: not 4 bytes') END""",
    ),
    _b(
        "from_big_endian_64(binary) -> bigint",
        ("from_big_endian_64(from_hex('FFFFFFFFFFFFFFFE'))", -2, "two's complement"),
        ("from_big_endian_64(from_hex('0000000000000100'))", 256),
        macros="""(x) AS CASE WHEN octet_length(x) = 8 THEN CAST(CAST(CAST('0x' || hex(x) AS UBIGINT) AS HUGEINT)
            - CASE WHEN hex(x) >= '8' THEN CAST(18446744073709551616 AS HUGEINT) ELSE 0 END AS BIGINT)
            ELSE trino_fail('from_big_endian_64: not 8 bytes') END""",
    ),
    _b(
        "to_big_endian_32(integer) -> varbinary",
        ("to_big_endian_32(-2)", "FFFFFFFE", "two's complement"),
        macros="""(x) AS unhex(lpad(to_base(CAST(x AS BIGINT)
            + CASE WHEN x < 0 THEN 4294967296 ELSE 0 END, 16), 8, '0'))""",
    ),
    _b(
        "md5(binary) -> varbinary",
        ("to_hex(md5(to_utf8('')))", "D41D8CD98F00B204E9800998ECF8427E", "RFC 1321 test suite"),
        ("to_hex(md5(to_utf8('abc')))", "900150983CD24FB0D6963F7D28E17F72", "RFC 1321 test suite"),
        macros="(x) AS unhex(md5(x))",
    ),
    _b(
        "sha1(binary) -> varbinary",
        ("to_hex(sha1(to_utf8('abc')))", "A9993E364706816ABA3E25717850C26C9CD0D89D", "FIPS 180 example"),
        macros="(x) AS unhex(sha1(x))",
    ),
    _b(
        "sha256(binary) -> varbinary",
        (
            "to_hex(sha256(to_utf8('abc')))",
            "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD",
            "FIPS 180 example",
        ),
        macros="(x) AS unhex(sha256(x))",
    ),
)
