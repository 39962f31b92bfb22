"""The whole of Segue in two minutes: plan, run, change the data, run again, and compare the list with the query.

``python -m examples.demo`` (or ``make demo``) works in ``.demo/`` and sends to an emulator of Klaviyo on this machine. In a
terminal it ends by serving the web app on that workspace; with ``--once``, or where there is no terminal, it ends at once.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb

from examples.sandbox import Sandbox, SandboxError, sandbox
from segue.database.churn import churn_sample

ORCHESTRATION = "Customers to Klaviyo"
LIST = "Customers"
_CONFIGURATION = Path(__file__).with_name("segue.yaml")
_CLEARED_SHOWN = 3
_PORT = 8321
# What a sound address is, said here once more: the demo must not ask Segue whether Segue is right.
SENDABLE = r"""
SELECT DISTINCT lower(trim(email)) FROM Merged_Customers
WHERE regexp_full_match(trim(email), '[^@\s]+@[^@\s.]+([.][^@\s.]+)+') ORDER BY 1
"""


def main() -> int:
    """Run the demo. Returns 0 when the list at the end equals the query."""
    asked = options()
    try:
        with sandbox(asked.folder, rows=asked.rows, configuration=_CONFIGURATION) as place:
            equal = play(place)
            look_around(place, serve=not asked.once)
    except SandboxError as error:
        print(f"\nThe demo stopped: {error}", file=sys.stderr)
        return 1
    return 0 if equal else 1


def play(place: Sandbox) -> bool:
    """Both rounds and the comparison; returns whether list and query are equal."""
    print(f"The sample Customer 360 is in {place.folder}, an emulator of Klaviyo at {place.url}.")
    print("The workspace stays there at the end. To keep the emulator too, and look around: make demo KEEP=1")
    place.shown("apply", str(place.folder / "segue.yaml"))
    place.shown("plan", ORCHESTRATION)
    place.shown("run", ORCHESTRATION, "--yes")

    cities = _select(place, "SELECT lower(email), city FROM Merged_Customers WHERE city IS NOT NULL")
    churn = churn_sample(place.database, share=0.02)
    _headline("The data change")
    print(f"{churn.added} customers come, {churn.changed} change, {churn.cleared} lose fields, {churn.removed} go.")
    moved = dict(_select(place, "SELECT lower(email), city FROM Merged_Customers WHERE email IS NOT NULL"))
    cleared = [email for email, city in cities if city and email in moved and moved[email] is None][:_CLEARED_SHOWN]
    before = _fields(place, cleared)

    place.shown("plan", ORCHESTRATION)
    place.shown("run", ORCHESTRATION, "--yes")

    _headline("Fields that became NULL, at Klaviyo before and after the second run")
    for email, old, new in zip(cleared, before, _fields(place, cleared), strict=True):
        print(f"  {email:32} {old}  ->  {new}")
    return _compare(place) and all("city=None" in fields for fields in _fields(place, cleared))


def _compare(place: Sandbox) -> bool:
    """The list at Klaviyo beside the addresses of the query, less those that Klaviyo itself refused and that are named."""
    wanted = {email for (email,) in _select(place, SENDABLE)}
    members, refused = set(place.admin.emails(LIST)), _refused_by_klaviyo(place)
    missing, strange = wanted - members - refused, members - wanted
    _headline("The list at Klaviyo beside the query")
    print(f"  {'query':36}{'list at Klaviyo':36}")
    for email in [*sorted(wanted)[:3], "...", *sorted(wanted)[-3:]]:
        print(f"  {email:36}{email if email in members or email == '...' else 'refused: see segue rejects':36}")
    print(f"  {len(wanted):<36,}{len(members):<36,}")
    print(f"\n  refused by Klaviyo, named by segue rejects: {len(wanted & refused - members):,}")
    print(f"  of the query, not on the list:              {len(missing):,}")
    print(f"  on the list, not of the query:              {len(strange):,}")
    equal = not missing and not strange
    print(f"\n{'equal' if equal else 'NOT EQUAL'}")
    return equal


def _refused_by_klaviyo(place: Sandbox) -> set[str]:
    """The people whose row Klaviyo did not take, such as somebody with another person's phone number."""
    latest = json.loads(place.captured("runs", "--limit", "1", "--json"))[0]["run_id"]
    return {
        reject["key"]
        for reject in json.loads(place.captured("rejects", latest, "--json"))
        if reject["source"] == "klaviyo"
    }


def _fields(place: Sandbox, emails: Sequence[str]) -> list[str]:
    """City and loyalty tier of these people, as Klaviyo has them."""
    described = []
    for email in emails:
        profile = place.admin.profile(email) or {"location": {}, "properties": {}}
        city, tier = profile["location"].get("city"), profile["properties"].get("loyalty_tier")
        described.append(f"city={city} loyalty_tier={tier}")
    return described


def _select(place: Sandbox, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(place.database), read_only=True) as con:
        return con.execute(sql).fetchall()


def look_around(place: Sandbox, *, serve: bool) -> None:
    """Serve the web app until Ctrl-C, or only say where the workspace is."""
    if not serve:
        print(
            f"\nThe workspace stays in {place.folder}. In a terminal, without --once, the demo ends with the web app."
        )
        return
    _headline("The web app")
    print(f"It shows the workspace of this demo; {place.url} shows Klaviyo's side. Ctrl-C ends both.\n", flush=True)
    server = place.start("serve", "--port", str(_free_port()))
    while server.poll() is None:
        with contextlib.suppress(KeyboardInterrupt):  # the server got it too, and ends by itself
            server.wait()


def _free_port() -> int:
    """The port of the web app, or any other where that one is taken."""
    for port in (_PORT, 0):
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)) as listener:
            return int(listener.getsockname()[1])
    raise SandboxError("no port is free")


def _headline(text: str) -> None:
    print(f"\n--- {text} ---", flush=True)


def options() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m examples.demo", description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path(".demo"), help="workspace; whatever is there goes")
    parser.add_argument("--rows", type=int, default=10_000, help="customers of the sample")
    parser.add_argument(
        "--once",
        action=argparse.BooleanOptionalAction,
        default=not sys.stdout.isatty(),
        help="end after the comparison, as without a terminal; --no-once serves the web app at the end",
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
