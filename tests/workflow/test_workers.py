"""Who gives signs of life, and who counts as gone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from segue.catalog import Catalog
from segue.catalog.workers import Worker
from segue.services.workspace import Workspace, init_workspace, open_workspace
from segue.settings import Settings
from segue.workflow.steps import Suspended
from segue.workflow.workers import Workers, refuse_gone
from tests.cluster import Cluster


def opened(folder: Path, **environment: str) -> Workspace:
    settings = Settings.from_env({"SEGUE_HOME": str(folder / "home"), **environment})
    init_workspace(settings)
    return open_workspace(settings)


@pytest.fixture
def shared(postgres: Cluster, tmp_path: Path) -> Iterator[Catalog]:
    workspace = opened(tmp_path, SEGUE_DATABASE_URL=postgres.make())
    yield workspace.catalog
    workspace.close()


def silent_for(catalog: Catalog, worker_id: str, seconds: float) -> None:
    with catalog.session() as session:
        seen = session.scalars(select(Worker.seen_at).where(Worker.id == worker_id)).one()
        earlier = seen - timedelta(seconds=seconds)
        session.execute(update(Worker).where(Worker.id == worker_id).values(seen_at=earlier))


def test_a_worker_counts_as_gone_after_its_silence(shared: Catalog) -> None:
    workers = Workers(shared, silence=20)
    workers.join("a")
    workers.join("b")
    silent_for(shared, "b", 15)
    assert workers.gone("a") == []
    silent_for(shared, "b", 10)
    assert [(gone.id, gone.process) for gone in workers.gone("a")] == [("b", shared.process)]
    assert workers.here() == {"a"}


def test_whoever_counts_as_gone_stays_so(shared: Catalog) -> None:
    workers = Workers(shared, silence=20)
    workers.join("a")
    workers.join("b")
    assert workers.beat("b")
    silent_for(shared, "b", 30)
    [gone] = workers.gone("a")
    assert not workers.beat("b")
    assert workers.gone("a") == [gone]
    workers.forget([gone])
    assert not workers.beat("b")
    assert workers.gone("a") == []


def test_one_that_leaves_is_gone_at_once(shared: Catalog) -> None:
    workers = Workers(shared, silence=20)
    workers.join("a")
    workers.join("b")
    workers.leave("b")
    assert [gone.id for gone in workers.gone("a")] == ["b"]


def test_on_sqlite_all_others_are_gone(tmp_path: Path) -> None:
    workspace = opened(tmp_path)
    workers = Workers(workspace.catalog, silence=20)
    workers.join("a")
    workers.join("b")
    assert [gone.id for gone in workers.gone("b")] == ["a"]
    assert workers.here() == {"b"}
    workspace.close()


def test_what_is_gone_may_read_and_not_write(shared: Catalog) -> None:
    workers = Workers(shared, silence=20)
    workers.join("a")
    mine = shared.checked(lambda session: refuse_gone("a", session))
    with mine.session():
        pass
    workers.leave("a")
    with mine.session(read_only=True) as session:
        assert session.scalars(select(Worker.id)).all() == ["a"]
    with pytest.raises(Suspended), mine.session():
        pass


def test_a_worker_is_replaced_within_a_minute_by_the_defaults() -> None:
    """Killed right after a sign of life: it has to be silent, looked for, given to a queue, and its lock looked at."""
    from segue.workflow import engine, locks

    silence = Settings().worker_silence
    looked_every = silence / 4
    assert silence + looked_every + engine._POLL + locks._AGAIN == 20 + 5 + 0.25 + 0.5 < 60
