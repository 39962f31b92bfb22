"""String functions."""

from __future__ import annotations

from segue.query.functions.build import EXAMPLE, category

_SPACES = (
    "".join(
        chr(code) for code in (*range(9, 14), *range(28, 33), 0x1680, *range(0x2000, 0x2007), *range(0x2008, 0x200B))
    )
    + "\u2028\u2029\u205f\u3000"
)
"""What Java's ``Character.isWhitespace`` accepts; the engine's trim knows the plain space only."""


def _trim(name: str, sides: str) -> str:
    """Give the macro of a trim. Most text has nothing to trim: looking at its ends is ten times as fast."""
    plain = " AND ".join(f"unicode({side}(x, 1)) BETWEEN 33 AND 5759" for side in sides.split())
    return f"(x) AS CASE WHEN {plain} THEN x ELSE {name}(x, '{_SPACES}') END"


_SOUNDEX = """(x) AS CASE WHEN NOT regexp_full_match(x, '[A-Za-z]+') THEN CAST(trino_fail(
        'soundex: only the letters A to Z are supported') AS VARCHAR) ELSE
    left(left(upper(x), 1) || replace(substring(trino_runs(translate(
        left(upper(x), 1) || regexp_replace(substring(upper(x), 2), '[HW]', '', 'g'),
        'ABCDEFGHIJKLMNOPQRSTUVWXYZ', '01230120022455012623010202')), 2), '0', '') || '000', 4) END"""

_LUHN = """(x) AS CASE WHEN NOT regexp_full_match(x, '[0-9]*')
        THEN CAST(trino_fail('luhn_check: the text holds something other than digits') AS BOOLEAN)
    ELSE length(x) > 0 AND list_sum(list_transform(string_split(reverse(x), ''), LAMBDA trino_d, trino_i:
        CASE WHEN trino_i % 2 = 1 THEN CAST(trino_d AS INTEGER)
        ELSE CAST(trino_d AS INTEGER) * 2 - CASE WHEN CAST(trino_d AS INTEGER) > 4 THEN 9 ELSE 0 END END)) % 10 = 0
    END"""

_SUBSTR = (
    "(x, s) AS CASE WHEN s = 0 OR abs(s) > length(x) THEN CASE WHEN x IS NOT NULL THEN '' END ELSE substring(x, s) END",
    """(x, s, n) AS CASE WHEN s = 0 OR abs(s) > length(x) OR n <= 0 THEN
        CASE WHEN x IS NOT NULL AND n IS NOT NULL THEN '' END ELSE substring(x, s, n) END""",
)

_f = category("String", "string")

STRINGS = (
    _f("chr(n) -> varchar", ("chr(97)", "a"), ("chr(128512)", "\U0001f600")),
    _f(
        "codepoint(string) -> integer",
        ("codepoint('a')", 97),
        macros="(x) AS CASE WHEN length(x) = 1 THEN unicode(x) ELSE trino_fail('codepoint: not one character') END",
    ),
    _f(
        "concat(value1, value2, ...) -> same as input",
        ("concat('a', 'b', 'c')", "abc"),
        ("concat('a', NULL)", None, "the same as ||, which gives NULL"),
        ("concat(ARRAY[1], ARRAY[2, 3])", [1, 2, 3]),
        special=True,
    ),
    _f(
        "concat_ws(separator, value1, ...) -> varchar",
        ("concat_ws(',', 'a', NULL, 'b')", "a,b"),
        ("concat_ws(NULL, 'a', 'b')", None),
        ("concat_ws('-', ARRAY['x', NULL, 'y'])", "x-y"),
    ),
    _f("ends_with(string, substring) -> boolean", ("ends_with('segue', 'gue')", True), engine="suffix"),
    _f(
        "hamming_distance(string1, string2) -> bigint",
        ("hamming_distance('karolin', 'kathrin')", 3),
        macros="""(a, b) AS CASE WHEN length(a) = length(b) THEN CASE WHEN a = '' THEN 0 ELSE hamming(a, b) END
            WHEN a IS NOT NULL AND b IS NOT NULL THEN trino_fail('hamming_distance: the texts differ in length') END""",
    ),
    _f(
        "length(string) -> bigint",
        ("length('abc')", 3),
        ("length('\u00e9\U0001f600')", 2, "characters, not bytes"),
        ("length(to_utf8('\u00e9'))", 2, "binary is measured in bytes"),
        special=True,
    ),
    _f(
        "levenshtein_distance(string1, string2) -> bigint",
        ("levenshtein_distance('kitten', 'sitting')", 3),
        engine="levenshtein",
    ),
    _f("lower(string) -> varchar", ("lower('SQL')", "sql")),
    _f("upper(string) -> varchar", ("upper('sql')", "SQL")),
    _f(
        "lpad(string, size, padstring) -> varchar",
        ("lpad('7', 3, '0')", "007"),
        ("lpad('abcd', 2, 'x')", "ab", "longer text is truncated"),
    ),
    _f(
        "rpad(string, size, padstring) -> varchar",
        ("rpad('a', 4, 'xy')", "axyx"),
        ("rpad('abcd', 2, 'x')", "ab", "longer text is truncated"),
    ),
    _f("ltrim(string) -> varchar", ("ltrim(chr(9) || ' a ')", "a "), macros=_trim("ltrim", "left")),
    _f("rtrim(string) -> varchar", ("rtrim(' a ' || chr(10))", " a"), macros=_trim("rtrim", "right")),
    _f(
        "trim([[LEADING | TRAILING | BOTH] [characters] FROM] string) -> varchar",
        ("trim(chr(9) || ' a ' || chr(10))", "a", "removes whitespace, not only spaces"),
        ("trim(' ')", ""),
        ("trim(NULL)", None),
        ("trim(chr(8195) || '\u00e9')", "\u00e9", "U+2003 is whitespace"),
        ("trim('!' FROM '!foo!')", "foo", EXAMPLE),
        ("trim(LEADING FROM '  abcd')", "abcd", EXAMPLE),
        ("trim(BOTH '$' FROM '$var$')", "var", EXAMPLE),
        ("trim(TRAILING 'ER' FROM upper('worker'))", "WORK", EXAMPLE),
        macros=_trim("trim", "left right"),
        special=True,
    ),
    _f(
        "luhn_check(string) -> boolean",
        ("luhn_check('79927398713')", True, EXAMPLE),
        ("luhn_check('79927398714')", False, EXAMPLE),
        macros=_LUHN,
    ),
    _f(
        "normalize(string[, form]) -> varchar",
        ("normalize('e' || chr(769))", "\u00e9", "the default form is NFC"),
        ("normalize('e' || chr(769), NFC)", "\u00e9"),
        note="The form NFC only.",
        special=True,
    ),
    _f(
        "overlay(string PLACING replacement FROM start [FOR length]) -> varchar",
        ("overlay('abc' PLACING 'XYZ' FROM 3)", "abXYZ", EXAMPLE),
        ("overlay('Txxxxas' PLACING 'hom' FROM 2 FOR 4)", "Thomas", EXAMPLE),
        macros="(x, r, s, n) AS substring(x, 1, s - 1) || r || substring(x, s + greatest(n, 0))",
        special=True,
    ),
    _f(
        "position(substring IN string) -> bigint",
        ("position('gu' IN 'segue')", 3),
        ("position('x' IN 'segue')", 0),
        special=True,
    ),
    _f(
        "replace(string, search[, replace]) -> varchar",
        ("replace('a-b-c', '-')", "abc"),
        ("replace('a-b-c', '-', '+')", "a+b+c"),
        macros=("(x, s) AS replace(x, s, '')", "(x, s, r) AS replace(x, s, r)"),
    ),
    _f(
        "reverse(value) -> same as input",
        ("reverse('abc')", "cba"),
        ("reverse(ARRAY[1, 2, 3])", [3, 2, 1]),
        special=True,
    ),
    _f(
        "soundex(string) -> varchar",
        ("soundex('CHYNA')", "C500", "equals soundex('CHINA') on the page; the code by the American rules"),
        ("soundex('CHINA')", "C500", "equals soundex('CHYNA') on the page"),
        ("soundex('Robert')", "R163", "the American Soundex rules"),
        ("soundex('Tymczak')", "T522", "the American Soundex rules: letters that a vowel parts count twice"),
        ("soundex('Ashcraft')", "A261", "the American Soundex rules: H and W part nothing"),
        macros=_SOUNDEX,
        note="Text of the letters A to Z.",
    ),
    _f(
        "split(string, delimiter[, limit]) -> array(varchar)",
        ("split('a,b,,c', ',')", ["a", "b", "", "c"]),
        ("split('a,b,c', ',', 2)", ["a", "b,c"], "the last element holds everything left"),
        macros=(
            "(x, d) AS string_split(x, d)",
            """(x, d, n) AS CASE WHEN n > 0 THEN list_concat(string_split(x, d)[1:n - 1], list_filter(
                [array_to_string(string_split(x, d)[n:], d)], LAMBDA trino_e: len(string_split(x, d)) >= n))
                ELSE [CAST(trino_fail('split: the limit must be positive') AS VARCHAR)] END""",
        ),
    ),
    _f(
        "split_part(string, delimiter, index) -> varchar",
        ("split_part('a,b', ',', 2)", "b"),
        ("split_part('a,b', ',', 5)", None, "an index beyond the fields gives NULL"),
        macros="""(x, d, n) AS CASE WHEN n < 1 THEN CAST(trino_fail('split_part: the index starts at 1') AS VARCHAR)
            ELSE string_split(x, d)[n] END""",
    ),
    _f(
        "split_to_map(string, entryDelimiter, keyValueDelimiter) -> map(varchar, varchar)",
        ("split_to_map('a=1;b=2', ';', '=')", {"a": "1", "b": "2"}),
        macros="""(x, e, k) AS map_from_entries(list_transform(string_split(x, e), LAMBDA trino_e:
            (string_split(trino_e, k)[1], string_split(trino_e, k)[2])))""",
    ),
    _f(
        "split_to_multimap(string, entryDelimiter, keyValueDelimiter) -> map(varchar, array(varchar))",
        ("split_to_multimap('a=1;b=2;a=3', ';', '=')", {"a": ["1", "3"], "b": ["2"]}),
        macros="""(x, e, k) AS trino_multimap(list_transform(string_split(x, e), LAMBDA trino_e:
            (string_split(trino_e, k)[1], string_split(trino_e, k)[2])))""",
    ),
    _f("starts_with(string, substring) -> boolean", ("starts_with('segue', 'se')", True)),
    _f(
        "strpos(string, substring) -> bigint",
        ("strpos('segue', 'gu')", 3),
        ("strpos('segue', 'x')", 0),
        engine="instr",
    ),
    _f(
        "substr(string, start[, length]) -> varchar",
        ("substr('segue', 3)", "gue"),
        ("substr('segue', -3, 2)", "gu", "a negative start counts from the end"),
        ("substr('segue', 0)", "", "positions start with 1: nothing starts at 0"),
        macros=_SUBSTR,
    ),
    _f(
        "substring(string, start[, length]) -> varchar",
        ("substring('segue', 2, 3)", "egu"),
        ("substring('segue' FROM 2 FOR 3)", "egu"),
        ("substring('segue', -9)", "", "nothing starts before the text"),
        macros=_SUBSTR,
    ),
    _f(
        "translate(source, from, to) -> varchar",
        ("translate('abcda', 'a', 'z')", "zbcdz", EXAMPLE),
        ("translate('Palho\u00e7a', '\u00e7', 'c')", "Palhoca", EXAMPLE),
        ("translate('abcd', 'b', U&'\\+01F600')", "a\U0001f600cd", EXAMPLE),
        ("translate('abcd', 'a', '')", "bcd", EXAMPLE),
        ("translate('abcd', 'a', 'zy')", "zbcd", EXAMPLE),
        ("translate('abcd', 'ac', 'z')", "zbd", EXAMPLE),
        ("translate('abcd', 'aac', 'zq')", "zbd", EXAMPLE),
    ),
    _f("to_utf8(string) -> varbinary", ("to_utf8('\u00e9')", "C3A9", "the UTF-8 bytes"), engine="encode"),
    _f(
        "from_utf8(binary) -> varchar",
        ("from_utf8(from_hex('C3A9'))", "\u00e9"),
        engine="decode",
        note="Bytes that are no UTF-8 fail the query.",
    ),
)
