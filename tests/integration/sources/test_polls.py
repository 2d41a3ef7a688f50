"""Polls: when a repository is looked at, and what starts by what is seen there."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from lineshaft.definition.compiling.read import read_native
from lineshaft.model.cause import Cause
from lineshaft.model.config_file import ConfigFile
from lineshaft.model.definition import Definition
from lineshaft.model.delivery import Delivery, DeliverySource, DeliveryState
from lineshaft.model.errors import ConflictError, InvalidDefinitionError
from lineshaft.model.pipeline import Pipeline
from lineshaft.model.poll import KeptPoll
from lineshaft.model.run import Run
from lineshaft.ports.clock import ManualClock
from lineshaft.ports.memory_repositories import MemoryRepositories, MemoryRepository
from lineshaft.services.control_plane import ControlPlane
from lineshaft.services.sources.polling import LEASE, LONGEST_BACKOFF
from planes import temporary_plane

SHOP = "https://git.example/team/shop"
BEGINNING = datetime(2026, 6, 1, tzinfo=UTC)
EVERY = timedelta(minutes=10)
LATER = EVERY * 1.1
"""After which a look is due, however much later than the last it was to be."""


def polled(name: str = "shop", **more: Any) -> Definition:
    document = {
        "name": name,
        "repository": SHOP,
        "on": {"poll": {"every": "10m", **more}},
        "steps": [{"name": "a", "run": "x"}],
    }
    return read_native(json.dumps(document).encode())


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(BEGINNING)


@pytest.fixture
def repositories() -> MemoryRepositories:
    return MemoryRepositories()


@pytest.fixture
def shop(repositories: MemoryRepositories) -> MemoryRepository:
    repository = repositories.add(SHOP)
    repository.commit({"a": "1"})
    return repository


@pytest.fixture
async def plane(
    database_url: str, tmp_path: Path, clock: ManualClock, repositories: MemoryRepositories
) -> AsyncIterator[ControlPlane]:
    async with temporary_plane(tmp_path, clock, url=database_url, repositories=repositories) as opened:
        yield opened


async def look(plane: ControlPlane) -> int:
    """Look at what is due, and see to what comes of it."""
    looked = await plane.sources.polls.look_due()
    while await plane.sources.handling.handle_due():
        pass
    return looked


async def runs(plane: ControlPlane, pipeline: Pipeline) -> Sequence[Run]:
    """List a pipeline's runs, the oldest first."""
    return list(reversed(await plane.runs.page(pipeline.id, before=None, limit=100)))


async def commits(plane: ControlPlane, pipeline: Pipeline) -> list[str | None]:
    return [None if run.source is None else run.source.commit for run in await runs(plane, pipeline)]


async def poll_of(plane: ControlPlane, pipeline: Pipeline) -> KeptPoll:
    found = await plane.sources.polls.of_pipeline(pipeline.id)
    assert found is not None
    return found


async def deliveries(plane: ControlPlane) -> Sequence[Delivery]:
    return await plane.store.read(lambda transaction: transaction.deliveries.page(limit=99))


async def test_the_first_look_notes_what_there_is(
    plane: ControlPlane, clock: ManualClock, shop: MemoryRepository
) -> None:
    pipeline = await plane.pipelines.create(polled())

    assert await look(plane) == 1

    poll = await poll_of(plane, pipeline)
    assert (poll.seen, poll.failures, poll.last_at) == (shop.refs, 0, clock.now())
    assert EVERY * 0.9 <= poll.next_at - clock.now() <= LATER
    assert await runs(plane, pipeline) == []
    assert await look(plane) == 0


async def test_a_branch_that_leads_elsewhere_starts_a_run_of_its_commit(
    plane: ControlPlane, clock: ManualClock, shop: MemoryRepository
) -> None:
    pipeline = await plane.pipelines.create(polled())
    await look(plane)
    new = shop.commit({"a": "2"}, message="Second")
    clock.advance(LATER)

    await look(plane)

    (run,) = await runs(plane, pipeline)
    (delivery,) = await deliveries(plane)
    assert run.source is not None
    assert (run.source.commit, run.source.branch, run.source.message) == (new, "main", "Second")
    assert run.source.changeset == ("a",)
    assert (run.cause, run.origin.delivery, run.untrusted) == (Cause.PUSH, delivery.id, False)
    assert (delivery.source, delivery.state) == (DeliverySource.POLL, DeliveryState.HANDLED)
    assert [each.run_id for each in delivery.outcomes] == [run.id]
    clock.advance(LATER)
    await look(plane)
    assert len(await runs(plane, pipeline)) == 1


async def test_only_the_branches_and_tags_that_are_asked_for_start_runs(
    plane: ControlPlane, clock: ManualClock, shop: MemoryRepository
) -> None:
    pipeline = await plane.pipelines.create(polled(branches=["release/*"], tags=["v*"]))
    await look(plane)
    shop.commit({"a": "2"})
    branch = shop.commit({"a": "3"}, branch="release/1", parents=[shop.refs["refs/heads/main"]])
    shop.refs["refs/tags/v1"] = shop.refs["refs/tags/other"] = shop.refs["refs/heads/main"]
    clock.advance(LATER)

    await look(plane)

    assert await commits(plane, pipeline) == [branch, shop.refs["refs/heads/main"]]
    assert [run.cause for run in await runs(plane, pipeline)] == [Cause.PUSH, Cause.TAG]


async def test_paths_that_have_not_changed_start_nothing(
    plane: ControlPlane, clock: ManualClock, shop: MemoryRepository
) -> None:
    pipeline = await plane.pipelines.create(polled(paths=["src/**"]))
    await look(plane)
    for path in ("docs/a.md", "src/a.py"):
        shop.commit({path: "1"})
        clock.advance(LATER)
        await look(plane)

    assert await commits(plane, pipeline) == [shop.refs["refs/heads/main"]]
    texts = [each.outcomes[0].text for each in reversed(await deliveries(plane))]
    assert texts == ["Nothing has changed that its `paths` name.", ""]


async def test_a_commit_that_asks_for_no_run_gets_none(
    plane: ControlPlane, clock: ManualClock, shop: MemoryRepository
) -> None:
    pipeline = await plane.pipelines.create(polled())
    await look(plane)
    shop.commit({"a": "2"}, message="Typo [skip ci]")
    clock.advance(LATER)

    await look(plane)

    assert await runs(plane, pipeline) == []


async def test_the_branch_is_that_where_the_file_of_a_pipeline_is_kept(
    plane: ControlPlane, clock: ManualClock, shop: MemoryRepository
) -> None:
    text = "on: {poll: 10m}\nsteps: [{name: NAME, run: make}]\n"
    shop.commit({"lineshaft.yml": text.replace("NAME", "a")}, branch="stable")
    pipeline = await plane.sources.kept.create("shop", ConfigFile(SHOP, "stable"))
    await look(plane)
    shop.commit({"a": "2"})
    new = shop.commit({"lineshaft.yml": text.replace("NAME", "b")}, branch="stable")
    clock.advance(LATER)

    await look(plane)

    (run,) = await runs(plane, pipeline)
    assert run.source is not None
    assert run.source.commit == new
    assert run.tree.find("b") is not None
    assert (await plane.pipelines.get(pipeline.id)).definition.tree.find("b") is not None


async def test_a_branch_that_is_gone_is_forgotten(
    plane: ControlPlane, clock: ManualClock, shop: MemoryRepository
) -> None:
    pipeline = await plane.pipelines.create(polled(branches=["*"]))
    shop.commit({"a": "2"}, branch="side")
    await look(plane)
    side = shop.refs.pop("refs/heads/side")
    clock.advance(LATER)
    await look(plane)
    assert (await poll_of(plane, pipeline)).seen == shop.refs
    shop.refs["refs/heads/side"] = side
    clock.advance(LATER)

    await look(plane)

    assert await commits(plane, pipeline) == [side]


async def test_a_repository_that_does_not_answer_is_asked_less_and_less_often(
    plane: ControlPlane, clock: ManualClock, shop: MemoryRepository
) -> None:
    pipeline = await plane.pipelines.create(polled())
    await look(plane)
    shop.answers = False
    new = shop.commit({"a": "2"})
    waits = []
    for failures in range(1, 5):
        clock.advance((await poll_of(plane, pipeline)).next_at - clock.now())
        assert await look(plane) == 1
        poll = await poll_of(plane, pipeline)
        assert (poll.failures, poll.last_error) == (failures, "The repository does not answer.")
        waits.append((poll.next_at - clock.now()) / EVERY)
    for wait, expected in zip(waits, (2, 4, 6, 6), strict=True):
        assert 0.9 <= wait / expected <= 1.1
    shop.answers = True
    clock.advance(LONGEST_BACKOFF * 1.1)

    await look(plane)

    poll = await poll_of(plane, pipeline)
    assert (poll.failures, poll.last_error) == (0, None)
    assert await commits(plane, pipeline) == [new]


async def test_too_many_changes_at_once_are_noted_only(
    plane: ControlPlane, clock: ManualClock, shop: MemoryRepository
) -> None:
    pipeline = await plane.pipelines.create(polled(tags=["v*"]))
    await look(plane)
    for number in range(52):
        shop.refs[f"refs/tags/v{number:02}"] = shop.refs["refs/heads/main"]
    clock.advance(LATER)

    await look(plane)

    assert len(await runs(plane, pipeline)) == 50
    told = [each.outcomes[0].text for each in await deliveries(plane) if not each.changes]
    (text,) = told
    assert text.endswith("These were noted only, and start a run when they change again: 'v50', 'v51'.")
    clock.advance(LATER)
    await look(plane)
    assert len(await runs(plane, pipeline)) == 50


async def test_a_repository_of_several_pipelines_is_asked_once(
    plane: ControlPlane, clock: ManualClock, shop: MemoryRepository
) -> None:
    pipelines = [await plane.pipelines.create(polled(f"p{number}")) for number in range(3)]
    assert await look(plane) == 1
    new = shop.commit({"a": "2"})
    clock.advance(LATER)

    assert await look(plane) == 1

    assert [await commits(plane, each) for each in pipelines] == [[new]] * 3


async def test_another_selection_begins_with_what_there_is(
    plane: ControlPlane, shop: MemoryRepository
) -> None:
    shop.commit({"a": "2"}, branch="side")
    pipeline = await plane.pipelines.create(polled())
    await look(plane)

    await plane.pipelines.replace(pipeline.id, polled(branches=["*"]))
    assert await look(plane) == 1

    assert await runs(plane, pipeline) == []
    assert (await poll_of(plane, pipeline)).seen == shop.refs


async def test_what_is_saved_anew_with_the_same_poll_loses_no_change(
    plane: ControlPlane, shop: MemoryRepository
) -> None:
    pipeline = await plane.pipelines.create(polled())
    await look(plane)
    new = shop.commit({"a": "2"})

    await plane.pipelines.replace(pipeline.id, polled(every="5m"))
    await look(plane)

    assert await commits(plane, pipeline) == [new]


async def test_a_pipeline_that_is_deleted_or_polls_no_more_is_looked_at_no_more(plane: ControlPlane) -> None:
    deleted = await plane.pipelines.create(polled())
    changed = await plane.pipelines.create(polled("other"))
    await plane.pipelines.delete(deleted.id)
    document = {"name": "other", "steps": [{"name": "a", "run": "x"}]}
    await plane.pipelines.replace(changed.id, read_native(json.dumps(document).encode()))

    assert await look(plane) == 0
    assert await plane.sources.polls.of_pipeline(changed.id) is None
    with pytest.raises(ConflictError):
        await plane.sources.polls.look_now(changed.id)


async def test_a_pipeline_without_a_repository_cannot_be_polled(plane: ControlPlane) -> None:
    document = {"name": "free", "on": {"poll": "10m"}, "steps": [{"name": "a", "run": "x"}]}
    with pytest.raises(InvalidDefinitionError) as caught:
        await plane.pipelines.create(read_native(json.dumps(document).encode()))
    assert caught.value.problems[0].field == "on.poll"


async def test_somebody_may_have_it_looked_at_now(
    plane: ControlPlane, clock: ManualClock, shop: MemoryRepository
) -> None:
    pipeline = await plane.pipelines.create(polled())
    await look(plane)
    new = shop.commit({"a": "2"})
    assert await look(plane) == 0

    assert (await plane.sources.polls.look_now(pipeline.id)).next_at == clock.now()
    await look(plane)

    assert await commits(plane, pipeline) == [new]


async def test_a_look_that_was_cut_off_is_taken_by_another_server(
    plane: ControlPlane, clock: ManualClock, shop: MemoryRepository
) -> None:
    pipeline = await plane.pipelines.create(polled())
    await look(plane)
    new = shop.commit({"a": "2"})
    clock.advance(LATER)
    now = clock.now()
    await plane.store.write(lambda transaction: transaction.polls.take(now, now + LEASE, 1))
    assert await look(plane) == 0
    clock.advance(LEASE)

    await look(plane)

    assert await commits(plane, pipeline) == [new]


async def test_a_change_that_two_servers_may_see_starts_one_run(
    postgres_url: str, tmp_path: Path, repositories: MemoryRepositories, shop: MemoryRepository
) -> None:
    clock = ManualClock(BEGINNING)
    async with (
        temporary_plane(tmp_path, clock, url=postgres_url, repositories=repositories) as first,
        temporary_plane(tmp_path, clock, url=postgres_url, repositories=repositories) as second,
    ):
        pipelines = [await first.pipelines.create(polled(f"p{number}")) for number in range(3)]
        expected = []
        for number in range(4):
            await asyncio.gather(look(first), look(second))
            expected.append(shop.commit({"a": str(number + 2)}))
            clock.advance(LATER)
        await asyncio.gather(look(first), look(second))
        await asyncio.gather(look(first), look(second))

        assert [await commits(second, each) for each in pipelines] == [expected] * 3
