"""Pipelines that are kept in a file of their repository."""

import json
from dataclasses import replace
from typing import cast

import pytest
from sqlalchemy import update

from integration.kept.conftest import ADDRESS
from lfs_server import pointer_to
from lineshaft.definition import read_native
from lineshaft.definition.reader import read_definition
from lineshaft.definition.repository import repository_key
from lineshaft.model.audit_entry import Action
from lineshaft.model.config_file import ConfigFile
from lineshaft.model.errors import (
    ConflictError,
    InvalidDefinitionError,
    PipelineManagedError,
    SourceRefusedError,
    SourceUnreachableError,
)
from lineshaft.model.pipeline import Pipeline
from lineshaft.model.run import Run, Source
from lineshaft.model.upkeep import NO_UPKEEP
from lineshaft.ports.memory_repositories import MemoryRepository
from lineshaft.ports.store import AuditFilter, Transaction
from lineshaft.services.control_plane import ControlPlane
from lineshaft.services.run_request import RunRequest
from lineshaft.store.pipelines import SqlPipelines
from lineshaft.store.schema import pipelines

KEPT = ConfigFile(ADDRESS)


def file(*names: str, **more: object) -> str:
    """Write a file whose pipeline has steps of these names, and no name itself."""
    return json.dumps({"steps": [{"name": name, "run": "true"} for name in names], **more})


def same(one: Pipeline, other: Pipeline) -> bool:
    """Tell whether two are one, which has not changed; a definition that was read back has another tree."""
    return replace(one, definition=other.definition) == other and one.definition.hash == other.definition.hash


def steps(run: Run) -> list[str]:
    return [place.path for place in run.tree.below_root()]


async def test_a_pipeline_gets_its_name_and_repository_from_where_it_is_kept(
    plane: ControlPlane, repository: MemoryRepository
) -> None:
    repository.commit({"lineshaft.yml": file("a", name="whatever")})

    pipeline = await plane.sources.kept.create("shop", KEPT)

    assert same(await plane.pipelines.get(pipeline.id), pipeline)
    assert (pipeline.name, pipeline.definition.repository) == ("shop", ADDRESS)
    assert pipeline.config_file == KEPT


async def test_each_run_does_what_the_file_says_at_its_commit(
    plane: ControlPlane, repository: MemoryRepository
) -> None:
    first = repository.commit({"lineshaft.yml": file("a")}, message="one", author="Ada <ada@example.org>")
    pipeline = await plane.sources.kept.create("shop", KEPT)
    second = repository.commit({"lineshaft.yml": file("b", "c")}, message="two")

    newest = await plane.runs.trigger(pipeline.id)
    older = await plane.runs.trigger(pipeline.id, RunRequest(ref=first, changed=("x",)))

    assert steps(newest) == ["b", "c"]
    assert newest.source == Source(
        ADDRESS, second, branch="main", message="two", author="Ada <ada@example.org>"
    )
    assert steps(older) == ["a"]
    assert older.source == Source(
        ADDRESS, first, ref=first, message="one", author="Ada <ada@example.org>", changeset=("x",)
    )
    assert (await plane.pipelines.get(pipeline.id)).definition.hash == pipeline.definition.hash


async def test_a_run_works_on_the_branch_that_is_asked_for_else_on_that_of_its_pipeline(
    plane: ControlPlane, repository: MemoryRepository
) -> None:
    repository.commit({"ci.yml": file("main")})
    repository.commit({"ci.yml": file("release")}, branch="release")
    repository.commit({"ci.yml": file("topic")}, branch="topic")
    pipeline = await plane.sources.kept.create("shop", ConfigFile(ADDRESS, "release", "ci.yml"))

    usual = await plane.runs.trigger(pipeline.id)
    asked = await plane.runs.trigger(pipeline.id, RunRequest(ref="topic"))

    assert (steps(usual), steps(asked)) == (["release"], ["topic"])
    assert usual.source is not None
    assert asked.source is not None
    assert (usual.source.branch, asked.source.branch) == ("release", "topic")


async def test_a_run_at_a_revision_that_is_known_already_works_on_just_that(
    plane: ControlPlane, repository: MemoryRepository
) -> None:
    first = repository.commit({"lineshaft.yml": file("a")})
    pipeline = await plane.sources.kept.create("shop", KEPT)
    repository.commit({"lineshaft.yml": file("b")})
    known = Source(ADDRESS, first, ref="refs/heads/main", branch="main")

    run = await plane.runs.trigger(pipeline.id, RunRequest(revision=known))

    assert (steps(run), run.source) == (["a"], known)


async def test_fragments_are_those_of_the_same_commit(
    plane: ControlPlane, repository: MemoryRepository
) -> None:
    using = json.dumps({"steps": [{"name": "shared", "use": "ci/shared.yml"}]})
    first = repository.commit({"lineshaft.yml": using, "ci/shared.yml": file("old")})
    pipeline = await plane.sources.kept.create("shop", KEPT)
    repository.commit({"ci/shared.yml": file("new")})

    newest = await plane.runs.trigger(pipeline.id)
    older = await plane.runs.trigger(pipeline.id, RunRequest(ref=first))

    assert steps(newest) == ["shared", "shared/new"]
    assert steps(older) == ["shared", "shared/old"]
    definition = await plane.runs.definition(newest.id)
    assert read_definition(definition.format, definition.text).hash == definition.hash


async def test_a_file_may_be_in_another_language(plane: ControlPlane, repository: MemoryRepository) -> None:
    job = {"version": 1, "executor": {"image": "busybox"}, "command": ["true"]}
    repository.commit({"restfulci.yml": json.dumps(job)})
    stages = [{"name": "test", "type": "Run", "command": "true", "timeout": 60}]
    repository.commit({"rest.json": json.dumps({"stages": stages, "parallel": False})})

    first = await plane.sources.kept.create("job", ConfigFile(ADDRESS, path="restfulci.yml"))
    second = await plane.sources.kept.create("rest", ConfigFile(ADDRESS, path="rest.json"))

    for pipeline in (first, second):
        definition = pipeline.definition
        assert definition.repository == ADDRESS
        assert read_definition(definition.format, definition.text).hash == definition.hash
    assert (first.name, second.name) == ("job", "rest")


async def test_overrides_are_of_the_file_at_the_commit(
    plane: ControlPlane, repository: MemoryRepository
) -> None:
    repository.commit({"lineshaft.yml": file("a")})
    pipeline = await plane.sources.kept.create("shop", KEPT)
    repository.commit({"lineshaft.yml": file("b")})

    run = await plane.runs.trigger(pipeline.id, RunRequest(overrides=(("steps.b.run", "make"),)))

    assert '"run":"make"' in (await plane.runs.definition(run.id)).text


async def test_a_retry_keeps_commit_and_definition(plane: ControlPlane, repository: MemoryRepository) -> None:
    repository.commit({"lineshaft.yml": file("a")})
    pipeline = await plane.sources.kept.create("shop", KEPT)
    run = await plane.runs.trigger(pipeline.id)
    await plane.runs.cancel(run.id)
    repository.commit({"lineshaft.yml": file("b")})

    again = await plane.runs.retry(run.id)

    assert (steps(again), again.source) == (["a"], run.source)


async def test_a_refresh_takes_over_what_the_file_says_now(
    plane: ControlPlane, repository: MemoryRepository
) -> None:
    repository.commit({"lineshaft.yml": file("a")})
    pipeline = await plane.sources.kept.create("shop", KEPT)
    repository.commit({"lineshaft.yml": file("a", on={"schedule": ["0 3 * * *"]})})

    await plane.sources.kept.refresh(pipeline.id)

    assert [each.cron for each in await plane.schedules.of_pipeline(pipeline.id)] == ["0 3 * * *"]
    assert (await plane.pipelines.get(pipeline.id)).config_file == KEPT


async def test_a_refresh_that_finds_the_same_changes_nothing(
    plane: ControlPlane, repository: MemoryRepository
) -> None:
    repository.commit({"lineshaft.yml": file("a")})
    pipeline = await plane.sources.kept.create("shop", KEPT)
    repository.commit({"other": "x"})

    assert same(await plane.sources.kept.refresh(pipeline.id), pipeline)

    entries = await plane.audit.page(AuditFilter(pipeline_id=pipeline.id), before=None, limit=10)
    assert [entry.action for entry in entries] == [Action.PIPELINE_CREATED]


async def test_what_was_read_elsewhere_than_a_pipeline_is_kept_by_now_is_not_taken_over(
    plane: ControlPlane, repository: MemoryRepository
) -> None:
    repository.commit({"lineshaft.yml": file("a"), "other.yml": file("b")})
    pipeline = await plane.sources.kept.create("shop", KEPT)
    moved = await plane.sources.kept.replace(pipeline.id, "shop", ConfigFile(ADDRESS, path="other.yml"))

    assert same(await plane.pipelines.refresh(pipeline.id, pipeline.definition, read_from=KEPT), moved)


async def test_a_pipeline_that_is_not_kept_in_a_repository_cannot_be_refreshed(plane: ControlPlane) -> None:
    pipeline = await plane.pipelines.create(read_native(file("a", name="here").encode()))

    with pytest.raises(ConflictError, match="not kept in a repository"):
        await plane.sources.kept.refresh(pipeline.id)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("steps: [{name: a}]\n", "lineshaft.yml at commit"),
        ("steps: [\n", "lineshaft.yml at commit"),
        (None, "There is no lineshaft.yml at commit"),
        (file("a", repository="https://git.example/team/other"), "another repository"),
        ("#" * (1 << 20) + "\n", "is too long"),
        (pointer_to(b"name: shop"), "is a pointer of Git LFS"),
        (json.dumps({"a": {"repository": ADDRESS, "steps": []}}), "lineshaft.yml at commit"),
    ],
)
async def test_a_file_that_cannot_be_read_leaves_the_pipeline_as_it_is(
    plane: ControlPlane, repository: MemoryRepository, content: str | None, message: str
) -> None:
    repository.commit({"lineshaft.yml": file("a")})
    pipeline = await plane.sources.kept.create("shop", KEPT)
    commit = repository.commit({"lineshaft.yml": content})

    for attempt in (plane.sources.kept.refresh, plane.runs.trigger):
        with pytest.raises(InvalidDefinitionError, match=message) as caught:
            await attempt(pipeline.id)
        assert commit[:12] in caught.value.message
        assert {problem.file for problem in caught.value.problems} == {"lineshaft.yml"}

    assert same(await plane.pipelines.get(pipeline.id), pipeline)
    assert await plane.runs.page(pipeline.id, before=None, limit=10) == []


async def test_what_is_wrong_is_told_with_its_line(plane: ControlPlane, repository: MemoryRepository) -> None:
    repository.commit({"lineshaft.yml": "steps:\n- name: a\n  run: x\n  timeout: -1\n"})

    with pytest.raises(InvalidDefinitionError) as caught:
        await plane.sources.kept.create("shop", KEPT)

    (problem,) = caught.value.problems
    assert (problem.file, problem.line) == ("lineshaft.yml", 4)


async def test_what_is_wrong_with_a_fragment_is_told_with_its_file(
    plane: ControlPlane, repository: MemoryRepository
) -> None:
    using = json.dumps({"steps": [{"name": "shared", "use": "ci/shared.yml"}]})
    repository.commit({"lineshaft.yml": using, "ci/shared.yml": "steps:\n- name: a\n  run: x\n  no: 1\n"})

    with pytest.raises(InvalidDefinitionError) as caught:
        await plane.sources.kept.create("shop", KEPT)

    assert [(each.file, each.line) for each in caught.value.problems] == [("ci/shared.yml", 4)]


async def test_a_file_that_says_its_own_repository_in_another_spelling_is_fine(
    plane: ControlPlane, repository: MemoryRepository
) -> None:
    repository.commit({"lineshaft.yml": file("a", repository=f"{ADDRESS}.git")})

    pipeline = await plane.sources.kept.create("shop", KEPT)

    assert pipeline.definition.repository == ADDRESS


async def test_a_run_of_what_the_repository_has_not_is_refused(
    plane: ControlPlane, repository: MemoryRepository
) -> None:
    repository.commit({"lineshaft.yml": file("a")})
    pipeline = await plane.sources.kept.create("shop", KEPT)

    with pytest.raises(SourceRefusedError):
        await plane.runs.trigger(pipeline.id, RunRequest(ref="nowhere"))
    repository.answers = False
    with pytest.raises(SourceUnreachableError):
        await plane.runs.trigger(pipeline.id)


async def test_a_pipeline_may_leave_its_repository(plane: ControlPlane, repository: MemoryRepository) -> None:
    repository.commit({"lineshaft.yml": file("a")})
    pipeline = await plane.sources.kept.create("shop", KEPT)

    await plane.pipelines.replace(pipeline.id, read_native(file("b", name="shop").encode()))

    assert (await plane.pipelines.get(pipeline.id)).config_file is None
    assert steps(await plane.runs.trigger(pipeline.id)) == ["b"]


async def test_a_pipeline_of_the_file_of_pipelines_is_changed_by_that_alone(plane: ControlPlane) -> None:
    definition = read_native(file("a", name="managed").encode())
    pipeline = await plane.pipelines.keep(definition, NO_UPKEEP)

    with pytest.raises(PipelineManagedError):
        await plane.pipelines.replace(pipeline.id, definition)
    with pytest.raises(PipelineManagedError):
        await plane.pipelines.delete(pipeline.id)

    await plane.pipelines.delete(pipeline.id, managed=True)


async def test_pipelines_of_before_are_found_by_their_repositories_once_those_are_noted(
    plane: ControlPlane, repository: MemoryRepository
) -> None:
    repository.commit({"lineshaft.yml": file("a")})
    pipeline = await plane.sources.kept.create("shop", KEPT)
    await plane.pipelines.create(read_native(file("b", name="freestyle").encode()))

    def forget(transaction: Transaction) -> None:
        """Leave the pipelines as a version without keys has written them."""
        written = cast("SqlPipelines", transaction.pipelines)
        written._session.change()  # noqa: SLF001 - no version of now leaves them so.
        written._session.connection.execute(update(pipelines).values(repository_key=None))  # noqa: SLF001 - the same.

    await plane.store.write(forget)

    await plane.pipelines.fill_keys()

    found = await plane.store.read(
        lambda transaction: transaction.pipelines.of_repositories({repository_key(ADDRESS)})
    )
    assert [each.id for each in found] == [pipeline.id]
    assert await plane.store.write(lambda transaction: transaction.pipelines.fill_keys(10)) == 0
