"""A sample of what was sent is read back from Klaviyo and compared, value by value."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from typing import Any

import orjson

from segue.audience.workbench import DeltaFile
from segue.delivery.ledger import PartKind, PartState
from segue.delivery.progress import Progress
from segue.destinations.contract import Outcome, Work
from segue.destinations.klaviyo.client import Client
from segue.destinations.klaviyo.limits import GET_LIST_COUNT, GET_MEMBERS
from segue.destinations.klaviyo.lists import with_count
from segue.destinations.klaviyo.members import find_members, leavers, primary_email
from segue.destinations.klaviyo.refusals import Json

_PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0)
"""Seconds between looks: lists may lag behind their jobs."""
_FAKE_PAUSES = (_PAUSES[0],) * len(_PAUSES)
"""Lists of a fake lag, where they do, by what somebody told it: seconds."""


def read_back(client: Client, work: Work, sample: int, progress: Progress) -> Outcome:
    """Compare up to ``sample`` acknowledged rows and as many removed keys with what Klaviyo says."""
    expected = _sample_sent(work, sample)
    gone = [leaver.key for leaver in leavers(work.folder) if leaver.key]
    gone = random.Random(len(gone)).sample(gone, min(sample, len(gone)))  # noqa: S311 -- a sample, not a secret
    if not expected and not gone:
        return Outcome()
    progress.begin("reconcile", total=len(expected) + len(gone), unit="profiles")
    problems: Counter[str] = Counter()
    for pause in _pauses(client):
        problems = _differences(client, work, expected, gone)
        if not problems or pause is None:
            break
        client.budget.pause(pause, endpoint=GET_MEMBERS.name)
    progress.advance("reconcile", len(expected) + len(gone))
    warnings = tuple(f"Read back from Klaviyo: {count} of the sampled {what}." for what, count in problems.items())
    return Outcome(done=len(expected) + len(gone), failed=problems.total(), warnings=warnings)


def count_members(client: Client, list_id: str, *, at_least: int) -> int | None:
    """The list's own count, looked at again while it is lower than expected."""
    count: int | None = None
    for pause in _pauses(client):
        target = with_count(client, list_id, "")
        count = target.members if target else None
        if count is None or count >= at_least or pause is None:
            break
        client.budget.pause(pause, endpoint=GET_LIST_COUNT.name)
    return count


def _pauses(client: Client) -> tuple[float | None, ...]:
    return (*(_PAUSES if client.budget.paced else _FAKE_PAUSES), None)


def _sample_sent(work: Work, sample: int) -> dict[str, Json]:
    """Key -> attributes of acknowledged rows, from a few chunks spread over the delta; cleared fields are None."""
    delta = DeltaFile(work.folder / "delta.arrow")
    parts = [p for p in work.ledger.parts(PartKind.IMPORT) if p.state is PartState.COMPLETE]
    if not parts or not sample:
        return {}
    chosen = parts[:: max(1, len(parts) // 4)]
    share = -(-sample // len(chosen))
    expected: dict[str, Json] = {}
    for part in chosen:
        refused = work.ledger.rejected(PartKind.IMPORT, part.chunk) | work.ledger.rejected(PartKind.CLEAR, part.chunk)
        batch = delta.chunk(part.chunk)
        good = [i for i in range(part.start, part.stop) if i not in refused]
        for i in random.Random(part.chunk).sample(good, min(share, len(good))):  # noqa: S311
            row = batch.slice(i, 1).to_pylist()[0]
            expected[row["key"]] = _attributes(row)
    return dict(list(expected.items())[:sample])


def _attributes(row: Json) -> Json:
    attributes: Json = orjson.loads(row["fragment"][:-1])["attributes"]
    for name in orjson.loads(row["cleared"] or "[]"):
        attributes.setdefault("__cleared", []).append(name)
    return attributes


def _differences(client: Client, work: Work, expected: dict[str, Json], gone: Sequence[str]) -> Counter[str]:
    problems: Counter[str] = Counter()
    seen = {}
    for item in find_members(client, work.list_id, list(expected), full=True):
        seen[primary_email(item)] = item["attributes"]
    for key, wanted in expected.items():
        if key not in seen:
            problems["people are not on the list"] += 1
        elif fields := _different_fields(wanted, seen[key]):
            problems[f"profiles differ in {', '.join(sorted(fields))}"] += 1
    still = {primary_email(item) for item in find_members(client, work.list_id, gone)}
    # Who is wanted, under this address or another one, was left on the list on purpose.
    if still:
        still -= work.still_wanted(sorted(still))
    if still:
        problems["removed people are still on the list"] += len(still)
    return problems


def _different_fields(wanted: Json, held: Json) -> set[str]:
    different = set()
    location, properties = held.get("location") or {}, held.get("properties") or {}
    for name, value in wanted.items():
        if name == "location":
            different |= {f for f, v in value.items() if not _same(v, location.get(f))}
        elif name == "properties":
            different |= {f for f, v in value.items() if not _same(v, properties.get(f))}
        elif name == "__cleared":
            different |= {f for f in value if {**held, **location, **properties}.get(f) is not None}
        elif not _same(value, held.get(name)):
            different.add(name)
    return different


def _same(sent: Any, held: Any) -> bool:
    """Equal as people see it: a number that is kept as text is no difference, nor is the case of an email."""
    if isinstance(sent, str) and isinstance(held, str):
        return sent == held or sent.lower() == held.lower()
    return bool(sent == held) or str(sent) == str(held)
