"""Reading, checking and comparing the rows are tasks of their own and one pass."""

from __future__ import annotations

import pytest

from segue.catalog.runs import Task
from segue.services.workspace import open_workspace
from segue.workflow.outline import outline
from segue.workflow.phases import NAMES
from segue.workflow.records import RunRecord
from segue.workflow.status import RunStatus, TaskStatus
from segue.workflow.tasks import TASKS
from tests.e2e.shop import Shop

ANA = {"email": "ana@mail.shop", "first_name": "Ana"}
OTHER = {"email": "ana@mail.shop", "first_name": "Anna"}


def statuses(run: RunRecord, *names: str) -> list[TaskStatus | None]:
    tasks = [run.task(name) for name in names]
    return [task.status if task else None for task in tasks]


def attempts(run: RunRecord) -> list[int]:
    return [task.attempts for task in run.tasks]


def test_the_names_are_those_of_the_tasks() -> None:
    assert [name for name in NAMES if name not in ("validate", "compare")] == [name for name, _ in TASKS]


def test_each_part_of_the_pass_is_a_task_with_its_own_outcome(shop: Shop) -> None:
    shop.people([ANA, ANA, {"email": "no address"}])
    shop.configure(max_reject_share=1.0)
    run = shop.run()
    told = {task.name: task.outcome for task in run.tasks}
    assert told["query"] == {"source": 3}
    assert (told["validate"]["rejected"], told["validate"]["duplicates"]) == (1, 1)
    assert (told["compare"]["added"], told["compare"]["removed"]) == (1, 0)
    assert statuses(run, "query", "validate", "compare") == [
        TaskStatus.SUCCEEDED,
        TaskStatus.ISSUE,
        TaskStatus.SUCCEEDED,
    ]
    times = [task.started_at for task in run.tasks]
    assert times == sorted(times, key=str)


def test_rows_that_nothing_decides_between_fail_the_check_and_the_pass_begins_again(shop: Shop) -> None:
    shop.people([ANA, OTHER])
    shop.configure(duplicates="fail")
    run = shop.run()
    assert run.error is not None
    assert run.error["code"] == "duplicate_keys"
    assert statuses(run, "query", "validate", "compare") == [TaskStatus.SUCCEEDED, TaskStatus.FAILED, None]
    shop.people([OTHER])
    run = shop.resume(run.id)
    assert run.status is RunStatus.COMPLETED, run.error
    assert attempts(run) == [2, 2, 2, *[1] * 8]
    assert shop.members() == {"ana@mail.shop"}


def test_a_query_that_fails_again_leaves_no_word_of_the_pass_before(shop: Shop) -> None:
    shop.people([ANA, OTHER])
    shop.configure(duplicates="fail")
    run = shop.run()
    shop.change("DROP TABLE People")
    run = shop.resume(run.id)
    assert statuses(run, "query", "validate", "compare") == [TaskStatus.FAILED, None, None]


def test_a_run_of_an_earlier_segue_goes_on_after_its_one_task(shop: Shop) -> None:
    """There ``query`` read, checked and compared; a fuse has blown since."""
    shop.people([ANA, {"email": "no address"}])
    shop.configure(max_reject_share=0.1)
    run = shop.run()
    assert run.error is not None
    assert run.error["code"] == "fuse_blown"
    workspace = open_workspace(shop.settings)
    with workspace.catalog.session() as session:
        for name in ("validate", "compare"):
            session.delete(session.get_one(Task, (run.id, name)))
    workspace.close()
    shop.change("DROP TABLE People")  # who asks it again would fail
    run = shop.resume(run.id, allowed=["max_reject_share"])
    assert run.status.succeeded, run.error
    assert shop.members() == {"ana@mail.shop"}


@pytest.mark.parametrize("kind", ["unchanged", "undo"])
def test_what_needs_no_pass_says_that_it_was_skipped(shop: Shop, kind: str) -> None:
    shop.people([ANA])
    first, run = shop.run(), shop.run()
    run = shop.run() if kind == "unchanged" else shop.undo(first.id, allowed=["max_remove_share"])
    assert run.status.succeeded, run.error
    assert shown(run) == {name: "skipped" if name in ("validate", "compare") else "succeeded" for name in NAMES}


def shown(run: RunRecord) -> dict[str, str]:
    return {task.name: str(task.status).replace("issue", "succeeded") for task in outline(run)}
