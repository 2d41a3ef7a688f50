"""Pipelines that others call, and whose files are kept in repositories."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from integration.kept.conftest import ADDRESS
from lineshaft.definition import read_native
from lineshaft.model.config_file import ConfigFile
from lineshaft.model.errors import SourceUnreachableError
from lineshaft.model.pipeline import Pipeline
from lineshaft.model.reason import ReasonCode
from lineshaft.model.run import Run
from lineshaft.model.state import State
from lineshaft.ports.memory_repositories import MemoryRepository
from lineshaft.services.control_plane import ControlPlane
from lineshaft.services.moving import CALL_KEPT_PIPELINE
from lineshaft.services.run_request import RunRequest
from lineshaft.services.sources.calling import MOST_TRIES

CALLED = ConfigFile(ADDRESS, path="called.yml")
CALLING = ConfigFile(ADDRESS, path="calling.yml")
CALL = json.dumps({"steps": [{"name": "call", "pipeline": "called"}]})
ELSEWHERE = f"name: calling\nrepository: {ADDRESS}-2\nsteps: [{{name: call, pipeline: called}}]\n"
FAR = datetime(2100, 1, 1, tzinfo=UTC)


def file(step: str, **more: object) -> str:
    """Write the file of the pipeline that is called, of one step."""
    return json.dumps({"callable_by": ["calling"], "steps": [{"name": step, "run": "true"}], **more})


def steps(run: Run) -> list[str]:
    return [place.path for place in run.tree.below_root()]


def reason(run: Run) -> tuple[ReasonCode | None, str]:
    found = run.nodes[1].reason
    return (None, "") if found is None else (found.code, found.text)


async def children(plane: ControlPlane, called: Pipeline) -> list[Run]:
    return list(await plane.runs.page(called.id, before=None, limit=10))


async def test_one_of_the_same_repository_does_what_its_file_says_at_the_caller_s_commit(
    plane: ControlPlane, repository: MemoryRepository
) -> None:
    first = repository.commit({"calling.yml": CALL, "called.yml": file("one")})
    called = await plane.sources.kept.create("called", CALLED)
    calling = await plane.sources.kept.create("calling", CALLING)
    second = repository.commit({"called.yml": file("two")})
    repository.commit({"called.yml": file("three")})

    for commit in (first, second):
        await plane.runs.trigger(calling.id, RunRequest(ref=commit))
        await plane.settle()

    newer, older = await children(plane, called)
    assert [steps(older), steps(newer)] == [["one"], ["two"]]
    assert [each.source.commit for each in (older, newer) if each.source is not None] == [first, second]


async def test_one_of_another_repository_does_what_its_file_says_where_its_ref_points(
    plane: ControlPlane, repository: MemoryRepository
) -> None:
    repository.commit({"called.yml": file("old")})
    called = await plane.sources.kept.create("called", CALLED)
    calling = await plane.pipelines.create(read_native(ELSEWHERE.encode()))
    head = repository.commit({"called.yml": file("new")})

    await plane.runs.trigger(calling.id)
    await plane.settle()

    (child,) = await children(plane, called)
    assert steps(child) == ["new"]
    assert child.source is not None
    assert child.source.commit == head


async def test_who_may_call_is_said_by_the_pipeline_s_own_definition(
    plane: ControlPlane, repository: MemoryRepository
) -> None:
    first = repository.commit({"calling.yml": CALL, "called.yml": file("a", callable_by=["other"])})
    called = await plane.sources.kept.create("called", CALLED)
    calling = await plane.sources.kept.create("calling", CALLING)
    commit = repository.commit({"called.yml": file("a")}, branch="topic", parents=(first,))

    run = await plane.runs.trigger(calling.id, RunRequest(ref=commit))
    await plane.settle()

    assert reason(await plane.runs.get(run.id))[0] is ReasonCode.CALL_REFUSED
    assert await children(plane, called) == []


async def test_a_file_that_cannot_be_read_fails_the_node_that_calls(
    plane: ControlPlane, repository: MemoryRepository
) -> None:
    repository.commit({"calling.yml": CALL, "called.yml": file("a")})
    called = await plane.sources.kept.create("called", CALLED)
    calling = await plane.sources.kept.create("calling", CALLING)
    repository.commit({"called.yml": "{"})

    run = await plane.runs.trigger(calling.id)
    await plane.settle()

    code, text = reason(await plane.runs.get(run.id))
    assert code is ReasonCode.DEFINITION_REFUSED
    assert "called.yml" in text
    assert await children(plane, called) == []


async def test_a_repository_that_does_not_answer_is_asked_again_and_given_up_in_the_end(
    plane: ControlPlane, repository: MemoryRepository
) -> None:
    repository.commit({"calling.yml": CALL, "called.yml": file("a")})
    called = await plane.sources.kept.create("called", CALLED)
    calling = await plane.sources.kept.create("calling", CALLING)
    runs = [await plane.runs.trigger(calling.id) for _ in range(2)]
    entries = await plane.store.read(lambda it: it.outbox.due(FAR, 9, [CALL_KEPT_PIPELINE]))
    repository.answers = False

    for entry in entries:
        with pytest.raises(SourceUnreachableError):
            await plane.sources.calling.call(entry)
    assert await children(plane, called) == []
    repository.answers = True
    await plane.sources.calling.call(entries[0])
    assert len(await children(plane, called)) == 1
    repository.answers = False
    await plane.sources.calling.call(replace(entries[1], tries=MOST_TRIES - 1))

    assert reason(await plane.runs.get(runs[1].id))[0] is ReasonCode.SOURCE_UNREACHABLE


async def test_a_call_that_two_servers_see_to_makes_one_run(
    plane: ControlPlane, repository: MemoryRepository
) -> None:
    repository.commit({"calling.yml": CALL, "called.yml": file("a")})
    called = await plane.sources.kept.create("called", CALLED)
    calling = await plane.sources.kept.create("calling", CALLING)
    await plane.runs.trigger(calling.id)
    (entry,) = await plane.store.read(lambda it: it.outbox.due(FAR, 9, [CALL_KEPT_PIPELINE]))

    await asyncio.gather(*(plane.sources.calling.call(entry) for _ in range(3)))

    assert len(await children(plane, called)) == 1


async def test_a_run_that_is_cancelled_before_the_file_was_read_calls_nothing(
    plane: ControlPlane, repository: MemoryRepository
) -> None:
    repository.commit({"calling.yml": CALL, "called.yml": file("a")})
    called = await plane.sources.kept.create("called", CALLED)
    calling = await plane.sources.kept.create("calling", CALLING)
    run = await plane.runs.trigger(calling.id)

    ended = await plane.runs.cancel(run.id)
    await plane.settle()

    assert ended.state is State.CANCELLED
    assert await children(plane, called) == []
