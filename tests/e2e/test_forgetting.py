"""One person is forgotten, and nothing else changes: neither what the next run does nor what Klaviyo has."""

from __future__ import annotations

import json
import random
import signal
from datetime import timedelta

import pytest
from sqlalchemy import select

from segue.catalog.models import Orchestration
from segue.catalog.runs import DeliveryReject
from segue.services.audit import audit_page
from segue.services.history import history
from segue.services.permissions import NotPermittedError, Policy
from segue.workflow.forgetting import Forgotten, forget
from segue.workflow.status import RunStatus
from tests.users.conftest import somebody

from .shop import NAME, Shop
from .test_retention import addresses, gc, opened, people, segments, stored

GONE = "quixote@mail.shop"
PERSON = {"email": GONE, "first_name": "Zuzanna", "city": "Zwettl"}


def forgotten(shop: Shop, email: str = GONE, *, dry_run: bool = False) -> Forgotten:
    with opened(shop) as workspace:
        return forget(workspace, shop.settings, email, dry_run=dry_run)


def rows(done: Forgotten) -> dict[str, int]:
    """What was removed but samples of requests, which have tests of their own."""
    return {what: count for what, count in done.removed.items() if what != "sampled exchanges"}


def test_who_left_the_list_is_nowhere_in_the_workspace_afterwards(shop: Shop) -> None:
    shop.configure(max_remove_share=1.0, max_clear_share=1.0, max_reject_share=1.0)
    shop.people([*people(1, 2), PERSON])
    shop.run()
    # Standard fields are cleared one by one, which keeps profile ids by address; the number is refused.
    shop.change(f"UPDATE People SET city = NULL, phone_number = 'quixote-0' WHERE email = '{GONE}'")
    shop.run()
    shop.people(people(1, 2))
    shop.run()
    files = {path: path.stat().st_mtime_ns for path in segments(shop)}

    said = forgotten(shop, f" {GONE.upper()} ", dry_run=True)
    assert "quixote" in stored(shop)
    done = forgotten(shop, f" {GONE.upper()} ")
    assert said.removed == done.removed
    # Added, changed, removed; one number; one id.
    assert rows(done) == {"stored changes": 3, "rejects": 1, "profile ids": 1}
    assert done.remains == ()
    assert "quixote" not in stored(shop).lower()
    assert "Zuzanna" not in stored(shop)
    assert {path: path.stat().st_mtime_ns for path in segments(shop)} == files

    with opened(shop) as workspace:
        assert history(workspace, shop.settings, GONE) == ()
        [line] = audit_page(workspace, action="person.forget")
        removed = {what.replace(" ", "_"): count for what, count in done.removed.items()}
        assert (line.subject, line.after) == (None, removed)
        assert [len(history(workspace, shop.settings, email)) for email in addresses(1, 2)] == [1, 1]
    run = shop.run()
    assert (run.counts["unchanged"], run.counts["added"], run.counts["removed"]) == (2, 0, 0)
    assert shop.members() == addresses(1, 2)
    assert forgotten(shop).removed == {}


def test_of_a_member_the_last_line_stays_and_the_next_run_takes_them_off(shop: Shop) -> None:
    shop.configure(max_remove_share=1.0)
    shop.people([*people(1, 2), PERSON])
    shop.run()
    shop.change(f"UPDATE People SET first_name = 'Zenobia' WHERE email = '{GONE}'")
    shop.run()
    done = forgotten(shop)
    assert rows(done) == {"stored changes": 1}
    [remains] = done.remains
    assert remains.orchestration == NAME
    assert "the next run can take the person off" in remains.why
    assert "Zuzanna" not in stored(shop)
    assert "Zenobia" in stored(shop)
    assert shop.run().counts["unchanged"] == 3
    shop.people(people(1, 2))
    assert shop.run().counts["removed"] == 1
    assert shop.members() == addresses(1, 2)
    assert forgotten(shop).remains == ()
    assert "quixote" not in stored(shop)


def test_what_was_no_address_is_forgotten_by_its_text(shop: Shop) -> None:
    shop.configure(max_reject_share=1.0)
    shop.people([*people(1), {"email": "Quixote at mail"}, {"email": "panza"}])
    run = shop.run()
    assert forgotten(shop, "quixote at mail").removed == {"rejects": 1}
    assert "uixote" not in stored(shop)
    with opened(shop) as workspace:
        assert [entry.run_id for entry in history(workspace, shop.settings, "panza")] == [run.id]


def test_a_run_of_unchanged_rows_finds_the_reject_of_who_is_still_in_the_query(shop: Shop) -> None:
    shop.configure(max_reject_share=1.0)
    shop.people([*people(1, 2), {"email": "Quixote at mail"}])
    for _ in range(3):
        shop.run()
    assert forgotten(shop, "quixote at mail").removed == {"rejects": 3}
    assert "uixote" not in stored(shop)
    run = shop.run()
    assert (run.counts["unchanged"], run.counts["rejected"]) == (2, 1)
    with opened(shop) as workspace:
        assert [entry.run_id for entry in history(workspace, shop.settings, "quixote at mail")] == [run.id]


def test_what_klaviyo_refused_of_a_person_is_forgotten(shop: Shop) -> None:
    shop.people([*people(1), PERSON])
    run = shop.run()
    with opened(shop) as workspace, workspace.catalog.session() as session:
        for position, key in enumerate((GONE, "p1@mail.shop")):
            session.add(
                DeliveryReject(
                    run_id=run.id, kind="import", chunk=0, position=position, at_submit=False,
                    key=key, field="email", reason="invalid", detail="",
                )
            )  # fmt: skip
    assert rows(forgotten(shop)) == {"refused rows": 1}
    with opened(shop) as workspace, workspace.catalog.session(read_only=True) as session:
        assert list(session.scalars(select(DeliveryReject.key))) == ["p1@mail.shop"]


def test_a_run_that_can_go_on_keeps_what_it_staged(shop: Shop) -> None:
    shop.people([*people(*range(9)), PERSON])
    shop.run()
    shop.people(people(1))
    failed = shop.run()
    assert failed.status is RunStatus.FAILED
    done = forgotten(shop)
    assert rows(done) == {}
    assert [failed.id in remains.why for remains in done.remains] == [True]
    shop.run(allowed=["max_remove_share"])
    assert forgotten(shop).removed["stored changes"] == 2
    assert "quixote" not in stored(shop)


def test_an_orchestration_that_runs_is_left_alone_and_says_so(shop: Shop) -> None:
    shop.people([*people(1), PERSON])
    shop.run()
    with opened(shop) as workspace, workspace.locks.hold(segments(shop)[0].parent.name):
        done = forgotten(shop)
    assert done.removed == {}
    assert "under way" in done.remains[0].why


def test_of_a_deleted_orchestration_a_member_goes_too(shop: Shop) -> None:
    shop.people([*people(1), PERSON])
    shop.run()
    with opened(shop) as workspace, workspace.catalog.session() as session:
        session.delete(session.scalars(select(Orchestration)).one())
    done = forgotten(shop)
    assert (rows(done), done.remains) == ({"stored changes": 1}, ())
    assert "quixote" not in stored(shop)


def test_killed_in_between_nobody_becomes_a_member_again(shop: Shop) -> None:
    shop.configure(max_remove_share=1.0)
    shop.people([*people(1, 2), PERSON])
    shop.run()
    shop.people(people(1, 2))
    shop.run()
    done = shop.command("forget", GONE, SEGUE_FAILPOINT="forget-file-written")
    assert done.returncode == -signal.SIGKILL, done.stderr
    run = shop.run()
    assert (run.counts["unchanged"], run.counts["removed"]) == (2, 0)
    forgotten(shop)
    assert "quixote" not in stored(shop)
    assert shop.members() == addresses(1, 2)


@pytest.mark.timeout(300)
def test_whoever_is_forgotten_the_next_runs_send_the_changes_alone(shop: Shop) -> None:
    dice = random.Random(1)
    shop.configure(max_remove_share=1.0, max_clear_share=1.0)
    held: dict[int, str] = {}
    for _ in range(10):
        wanted = {n: dice.choice(("gold", "blue")) for n in dice.sample(range(12), dice.randint(4, 10))}
        shop.people([row for n, tier in wanted.items() for row in people(n, tier=tier)])
        run = shop.run()
        both = wanted.keys() & held.keys()
        assert (run.counts["added"], run.counts["changed"], run.counts["removed"]) == (
            len(wanted.keys() - held.keys()),
            sum(wanted[n] != held[n] for n in both),
            len(held.keys() - wanted.keys()),
        )
        assert shop.members() == addresses(*wanted)
        held = wanted
        for n in dice.sample(range(12), 3):
            done = forgotten(shop, f"p{n}@mail.shop")
            assert bool(done.remains) == (n in held)
        if dice.random() < 0.3:
            gc(shop, later=timedelta(days=91))


def test_an_undo_leaves_alone_who_was_forgotten(shop: Shop) -> None:
    shop.configure(max_remove_share=1.0)
    shop.people([*people(1), PERSON])
    shop.run()
    shop.people(people(1))
    removal = shop.run()
    forgotten(shop)
    assert shop.undo(removal.id).error is None
    assert shop.members() == addresses(1)
    assert shop.run().counts["unchanged"] == 1


def test_the_command_says_what_went_and_what_remains(shop: Shop) -> None:
    shop.people([*people(1), PERSON])
    shop.run()
    said = json.loads(shop.command("forget", GONE, "--dry-run", "--json").stdout)
    assert (said["dry_run"], [r["orchestration"] for r in said["remains"]]) == (True, [NAME])
    assert set(said["removed"]) == {"sampled_exchanges"}
    assert f"\nremains: {NAME}: " in shop.command("forget", GONE).stdout
    assert shop.command("forget", "nobody@mail.shop").stdout == "nothing is kept of this person\n"


def test_forgetting_is_for_administrators(shop: Shop) -> None:
    with opened(shop) as workspace, pytest.raises(NotPermittedError):
        forget(workspace.acting_as(somebody(Policy.OPERATOR)), shop.settings, GONE)
