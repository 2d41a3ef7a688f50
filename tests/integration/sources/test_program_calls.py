"""POST /webhook: programs tell what has changed."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pytest

from http_server import http_server
from lineshaft.definition import read_native
from lineshaft.model.cause import Cause
from lineshaft.model.delivery import DeliverySource
from lineshaft.model.upkeep import Upkeep
from lineshaft.ports.clock import ManualClock
from lineshaft.ports.memory_repositories import MemoryRepositories, MemoryRepository
from lineshaft.services.control_plane import ControlPlane
from lineshaft.services.sources.deliveries import DeliveryFilter
from planes import PASSWORD, USERNAME, temporary_plane

ADDRESS = "https://git.example/team/shop"
STEPS = f"repository: {ADDRESS}\nsteps: [{{name: a, run: make}}]\n"


@pytest.fixture
def repositories() -> MemoryRepositories:
    return MemoryRepositories()


@pytest.fixture
def repository(repositories: MemoryRepositories) -> MemoryRepository:
    return repositories.add(ADDRESS)


@pytest.fixture
async def plane(
    database_url: str, tmp_path: Path, clock: ManualClock, repositories: MemoryRepositories
) -> AsyncIterator[ControlPlane]:
    async with temporary_plane(tmp_path, clock, url=database_url, repositories=repositories) as opened:
        yield opened


@pytest.fixture
async def http(plane: ControlPlane) -> AsyncIterator[httpx2.AsyncClient]:
    async with (
        http_server(plane) as url,
        httpx2.AsyncClient(base_url=url, auth=(USERNAME, PASSWORD), timeout=60) as client,
    ):
        yield client


async def make(plane: ControlPlane, more: str = "", upkeep: Upkeep | None = None) -> UUID:
    definition = read_native(f"name: shop\n{more}{STEPS}".encode())
    if upkeep is None:
        return (await plane.pipelines.create(definition)).id
    return (await plane.pipelines.keep(definition, upkeep)).id


async def call(http: httpx2.AsyncClient, **query: Any) -> httpx2.Response:
    return await http.post("/webhook", params={key.replace("_", "-"): value for key, value in query.items()})


async def test_a_call_starts_a_run_whose_changeset_is_what_its_commits_have_changed(
    plane: ControlPlane, http: httpx2.AsyncClient, repository: MemoryRepository
) -> None:
    repository.commit({"a": "1"})
    first = repository.commit({"b": "1"})
    second = repository.commit({"c": "1"})
    repository.commit({"d": "1"})
    await make(plane, upkeep=Upkeep("next"))

    answer = await call(http, pipeline="shop", changed_refs=f"{first},{second[:8]},{'0' * 40}")

    assert answer.status_code == 202
    run = await plane.runs.get(UUID(answer.json()["run"]["id"]))
    assert answer.headers["location"] == f"/v1/runs/{run.id}"
    assert run.cause is Cause.WEBHOOK
    assert run.source is not None
    assert run.source.changeset == ("b", "c")
    assert (run.source.ref, run.source.commit) == ("next", None)


async def test_a_call_is_kept_as_a_delivery_with_its_run(
    plane: ControlPlane, http: httpx2.AsyncClient
) -> None:
    pipeline_id = await make(plane)

    answer = await call(http, pipeline="shop")

    (delivery,) = await plane.sources.deliveries.page(DeliveryFilter(pipeline_id), before=None, limit=10)
    run = await plane.runs.get(UUID(answer.json()["run"]["id"]))
    assert delivery.source is DeliverySource.WEBHOOK
    assert [each.run_id for each in delivery.outcomes] == [run.id]
    assert run.origin.delivery == delivery.id


@pytest.mark.parametrize(("tags", "starts"), [("v1", True), ("x,v12", True), ("x", False), ("", False)])
async def test_a_pipeline_with_a_tag_pattern_starts_for_tags_that_fit_it_alone(
    plane: ControlPlane, http: httpx2.AsyncClient, tags: str, *, starts: bool
) -> None:
    pipeline_id = await make(plane, upkeep=Upkeep(tag_pattern="^v[0-9]+"))

    answer = await call(http, pipeline="shop", tags=tags)

    (delivery,) = await plane.sources.deliveries.page(DeliveryFilter(pipeline_id), before=None, limit=10)
    if starts:
        assert (answer.status_code, delivery.outcomes[0].text) == (202, "")
    else:
        reason = "None of the tags fits the pipeline's tag pattern."
        assert answer.status_code == 200
        assert answer.json() == {"run": None, "reason": reason}
        assert (delivery.outcomes[0].run_id, delivery.outcomes[0].text) == (None, reason)


async def test_what_a_hook_tells_of_a_deletion_starts_nothing(
    plane: ControlPlane, http: httpx2.AsyncClient
) -> None:
    await make(plane)

    answer = await call(http, pipeline="shop", changed_refs="0" * 40)

    assert (answer.status_code, answer.json()["run"]) == (200, None)


async def test_a_call_names_one_pipeline(plane: ControlPlane, http: httpx2.AsyncClient) -> None:
    unnamed = await http.post("/webhook")
    empty = await call(http, pipeline="")
    unknown = await call(http, pipeline="shop")
    first, _ = await make(plane), await make(plane)
    several = await call(http, pipeline="shop")
    by_id = await call(http, pipeline=first)

    statuses = [each.status_code for each in (unnamed, empty, unknown, several, by_id)]
    assert statuses == [400, 400, 404, 409, 202]
    assert unnamed.json()["type"] == "urn:lineshaft:problem:pipeline-unnamed"
    assert str(first) in several.json()["advice"]


async def test_a_pipeline_is_called_by_post_alone(http: httpx2.AsyncClient) -> None:
    answer = await http.get("/webhook", params={"pipeline": "shop"})

    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize("refs", ["main", "abc", "--output=x", "HEAD~1", "g" * 40, "../x"])
async def test_what_is_no_commit_id_is_refused(
    plane: ControlPlane, http: httpx2.AsyncClient, refs: str
) -> None:
    await make(plane)

    answer = await call(http, pipeline="shop", changed_refs=refs)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "changed-refs"


async def test_a_source_that_cannot_be_had_starts_nothing(
    plane: ControlPlane, http: httpx2.AsyncClient, repository: MemoryRepository
) -> None:
    commit = repository.commit({"a": "1"})
    pipeline_id = await make(plane)

    unknown = await call(http, pipeline="shop", changed_refs="1" * 40)
    repository.answers = False
    silent = await call(http, pipeline="shop", changed_refs=commit)

    assert (unknown.status_code, silent.status_code) == (422, 502)
    assert await plane.runs.page(pipeline_id, before=None, limit=10) == []


async def test_a_long_body_is_refused_and_a_short_one_ignored(
    plane: ControlPlane, http: httpx2.AsyncClient
) -> None:
    await make(plane)

    short = await http.post("/webhook?pipeline=shop", content=b"{not json")
    long = await http.post("/webhook?pipeline=shop", content=b"x" * 100_000)

    assert (short.status_code, long.status_code) == (202, 413)
