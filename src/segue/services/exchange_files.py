"""The sampled exchanges of a run in its folder. They hold people's data, so they go where its rejects go, and with them."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pydantic

from segue.delivery.exchanges import Exchange

EXCHANGES_FILE = "exchanges.parquet"
_SCHEMA = pa.schema([("number", pa.int32()), ("exchange", pa.string()), ("forgotten", pa.bool_())])
_EXCHANGE = pydantic.TypeAdapter(Exchange)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredExchange:
    """number: within the run, from 1, for good; forgotten: bodies and parameters were removed, for a person was in them."""

    number: int
    exchange: Exchange
    forgotten: bool = False


def read_exchanges(folder: Path) -> tuple[StoredExchange, ...]:
    """The exchanges of a run; none where there is no file, or one that a power cut left unreadable."""
    try:
        rows = pq.read_table(folder / EXCHANGES_FILE).to_pylist()
    except (OSError, pa.ArrowInvalid):
        return ()
    return tuple(
        StoredExchange(
            number=row["number"], exchange=_EXCHANGE.validate_json(row["exchange"]), forgotten=row["forgotten"]
        )
        for row in rows
    )


def write_exchanges(folder: Path, exchanges: Sequence[StoredExchange]) -> None:
    """Replace the file of a run by these."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [
        {"number": e.number, "exchange": _EXCHANGE.dump_json(e.exchange).decode(), "forgotten": e.forgotten}
        for e in exchanges
    ]
    beside = folder / f"{EXCHANGES_FILE}.part"
    pq.write_table(pa.Table.from_pylist(rows, schema=_SCHEMA), beside, compression="zstd")
    beside.replace(folder / EXCHANGES_FILE)


def add_exchanges(folder: Path, exchanges: Sequence[Exchange]) -> None:
    """Add exchanges to those of a run."""
    before = read_exchanges(folder)
    known = [stored.exchange for stored in before]
    number = max((stored.number for stored in before), default=0)
    new = [exchange for exchange in exchanges if exchange not in known]
    write_exchanges(
        folder, [*before, *(StoredExchange(number=number + n, exchange=e) for n, e in enumerate(new, start=1))]
    )


def forget_exchanges(folder: Path, texts: Collection[str], *, all_of_them: bool = False, dry_run: bool = False) -> int:
    """Remove bodies and parameters in which one of the texts stands, however its letters are written; how many exchanges
    that are. all_of_them: whatever stands in them."""
    wanted = {form for text in texts for form in _forms(text)}
    before = read_exchanges(folder)
    after = tuple(
        _forgotten(stored) if not stored.forgotten and (all_of_them or _names(stored.exchange, wanted)) else stored
        for stored in before
    )
    count = sum(a is not b for a, b in zip(after, before, strict=True))
    if count and not dry_run:
        write_exchanges(folder, after)
    return count


def _forms(text: str) -> set[str]:
    """How a text may stand in JSON: as it is, and with everything escaped that is not ASCII."""
    spelt = {text.strip(), text.strip().casefold()} - {""}
    escaped = {json.dumps(form, ensure_ascii=ascii_only)[1:-1] for form in spelt for ascii_only in (True, False)}
    return {form.casefold() for form in spelt | escaped}


def _names(exchange: Exchange, wanted: Collection[str]) -> bool:
    bodies = [body.text for body in (exchange.request_body, exchange.answer_body) if body is not None]
    found = "\n".join([*bodies, *exchange.parameters.values()]).casefold()
    return any(text in found for text in wanted)


def _forgotten(stored: StoredExchange) -> StoredExchange:
    emptied = replace(stored.exchange, parameters={}, request_body=None, answer_body=None)
    return replace(stored, exchange=emptied, forgotten=True)
