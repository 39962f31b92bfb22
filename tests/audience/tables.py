"""Random results of queries: every Arrow type that has a JSON form, hostile texts, odd column names."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pyarrow as pa
from hypothesis import strategies as st

TEXT = st.text(
    st.one_of(st.characters(exclude_categories=["Cs"]), st.sampled_from('"\\\x00\x1f\x7f\u2028\u0301😀/<\n')),
    max_size=8,
)
ADDRESS_CHARACTERS = "aZ09.-_+' \t@ö\u00a0\u200b\x00\u2003<\"é"
ADDRESSES = st.one_of(
    st.sampled_from(
        [
            "ana@shop.io", " Ana@Shop.IO ", "\ufeffbo@shop.io\u200b", "o'neil+x@a-b.co.uk", "ünal@münchen.de", "a@b", "",
            " ", "a@@b.io", "a b@c.io", "a@b..io", ".a@b.io", "a.@b.io", "a@-b.io", "a@b-.io", "a@b.io.", "a@b_c.io",
            "a\x00b@c.io", "\u2003a@b.io", "<a@b.io>", '"a b"@c.io', "a,b@c.io", f"{'x' * 248}@b.io", f"{'x' * 250}@b.io",
        ]
    ),
    st.builds(lambda a, b: f"{a}@{b}.io", st.text(ADDRESS_CHARACTERS, max_size=5), st.text("aZ0-.ü_", max_size=4)),
    st.none(),
)  # fmt: skip
PHONES = st.one_of(
    st.sampled_from(
        [
            "+43664123456", "+43 (664) 12-34.56", "0043/664/123456", " +1 415 555 0123 ", "4155550123", "(415) 555-0123",
            "020 7946 0018", "+0123456789", "+12345", "+1234567", "+123456789012345", "+1234567890123456", "unknown", "",
            " ", "+", "00", "++43664123456", "+43664123456 ext. 2", "+٤٣٦٦٤١٢٣٤٥٦",
        ]
    ),
    st.text("+0123456789 ()-.", max_size=18),
    st.none(),
)  # fmt: skip
EXTERNAL = st.one_of(st.text("aB9-é\u00a0 \t", max_size=70), st.sampled_from(["x" * 64, "x" * 65, "é" * 64]), st.none())
INT64 = st.integers(-(2**63), 2**63 - 1)
MOMENTS = st.builds(dt.datetime.combine, st.dates(dt.date(1, 1, 2), dt.date(9999, 12, 30)), st.times())
AWARE = MOMENTS.map(lambda moment: moment.replace(tzinfo=dt.UTC))


def exact(precision: int, scale: int) -> st.SearchStrategy[Decimal]:
    """Any value of a decimal column, made from its digits so that no context rounds it."""
    most = 10**precision - 1
    return st.integers(-most, most).map(lambda n: Decimal((int(n < 0), tuple(int(d) for d in str(abs(n))), -scale)))


SCALARS: dict[str, tuple[pa.DataType, st.SearchStrategy[Any]]] = {
    "text": (pa.string(), TEXT),
    "large": (pa.large_string(), TEXT),
    "view": (pa.string_view(), TEXT),
    "word": (pa.dictionary(pa.int8(), pa.string()), st.sampled_from(["gold", "silver", 'o"dd'])),
    "tiny": (pa.int8(), st.integers(-128, 127)),
    "whole": (pa.int64(), INT64),
    "unsigned": (pa.uint64(), st.integers(0, 2**64 - 1)),
    "money": (pa.decimal128(9, 2), exact(9, 2)),
    "fine": (pa.decimal128(38, 10), exact(38, 10)),
    "fraction": (pa.decimal128(18, 18), exact(18, 18)),
    "count": (pa.decimal128(18, 0), exact(18, 0)),
    "huge": (pa.decimal128(38, 0), st.one_of(exact(38, 0), st.sampled_from([2**63, 2**63 - 1, -(2**63)]).map(Decimal))),
    "real": (pa.float64(), st.floats()),
    "single": (pa.float32(), st.floats(width=32)),
    "yes": (pa.bool_(), st.booleans()),
    "day": (pa.date32(), st.dates()),
    "moment": (pa.timestamp("us"), MOMENTS),
    "instant": (pa.timestamp("us", tz="UTC"), AWARE),
    "elsewhere": (pa.timestamp("us", tz="America/New_York"), AWARE),
    "second": (pa.timestamp("s"), MOMENTS.map(lambda moment: moment.replace(microsecond=0))),
    "clock": (pa.time64("us"), st.times()),
}
NESTED: dict[str, tuple[pa.DataType, st.SearchStrategy[Any]]] = {
    "texts": (pa.list_(pa.string()), st.lists(st.one_of(TEXT, st.none()), max_size=3)),
    "reals": (pa.large_list(pa.float64()), st.lists(st.one_of(st.floats(), st.none()), max_size=3)),
    "pair": (pa.list_(pa.uint64(), 2), st.lists(st.integers(0, 2**64 - 1), min_size=2, max_size=2)),
    "moments": (pa.list_(pa.timestamp("us", tz="UTC")), st.lists(AWARE, max_size=2)),
    "row": (
        pa.struct([("a", pa.decimal128(5, 2)), ('b "c"', pa.list_(pa.bool_()))]),
        st.fixed_dictionaries(
            {"a": st.one_of(exact(5, 2), st.none()), 'b "c"': st.one_of(st.lists(st.booleans(), max_size=2), st.none())}
        ),
    ),
    "map": (
        pa.map_(pa.string(), pa.float32()),
        st.dictionaries(TEXT, st.one_of(st.floats(width=32), st.none()), max_size=3).map(lambda d: list(d.items())),
    ),
    "deep": (
        pa.struct([("x", pa.float64()), ("list", pa.list_(pa.struct([("big", pa.uint64()), ("y", pa.float32())])))]),
        st.fixed_dictionaries(
            {
                "x": st.one_of(st.floats(), st.none()),
                "list": st.lists(
                    st.fixed_dictionaries(
                        {"big": st.integers(2**63 - 2, 2**63 + 1), "y": st.one_of(st.floats(width=32), st.none())}
                    ),
                    max_size=2,
                ),
            }
        ),
    ),
    "nothing": (pa.null(), st.none()),
}
OWN: dict[str, tuple[pa.DataType, st.SearchStrategy[Any]]] = {
    "phone_number": (pa.string(), PHONES),
    "external_id": (pa.string(), EXTERNAL),
    "first_name": (pa.string(), TEXT),
    "title": (pa.int32(), st.integers(-(2**31), 2**31 - 1)),
    "organization": (pa.decimal128(9, 2), exact(9, 2)),
    "zip": (pa.int64(), INT64),
    "city": (pa.string(), TEXT),
    "country": (pa.bool_(), st.booleans()),
    "region": (pa.date32(), st.dates()),
    "latitude": (pa.float64(), st.floats()),
    "longitude": (pa.string(), TEXT),
    "$source": (pa.string(), TEXT),
}
COLUMNS = {**SCALARS, **NESTED, **OWN}
ODD_NAMES = [
    "Email",
    "EMAIL",
    "TEXT",
    "row",
    "s0",
    "c0",
    "k",
    "source",
    'quo"te',
    "back\\slash",
    "a.b",
    "*",
    "é😀",
    "it's",
    "$x",
]


@st.composite
def tables(draw: st.DrawFn) -> pa.Table:
    rows = draw(st.integers(1, 6))
    names = draw(st.lists(st.sampled_from(sorted(COLUMNS)), max_size=12, unique=True))
    odd = draw(st.lists(st.sampled_from(ODD_NAMES), max_size=4, unique=True))
    columns = {"email": (pa.string(), ADDRESSES), **{n: COLUMNS[n] for n in names}}
    columns |= {name: SCALARS[draw(st.sampled_from(["text", "whole", "word"]))] for name in odd}
    order = draw(st.permutations(sorted(columns)))
    arrays = [
        pa.array(draw(st.lists(st.one_of(columns[n][1], st.none()), min_size=rows, max_size=rows)), columns[n][0])
        for n in order
    ]
    return pa.table(arrays, names=order)
