"""What lists and streams show to whom, and what it takes to start a run otherwise than it is defined."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any
from uuid import UUID

import httpx2
import pytest

from http_problems import problem
from lineshaft.definition.compiling.read import read_native
from lineshaft.model.role import Role, Scope
from lineshaft.services.control_plane import ControlPlane
from people import People

NAMES = {"/v1/pipelines": "name", "/v1/reports": "pipeline"}
"""Under which member the items of these lists tell a pipeline's name."""

ANN = ("ann", "correct horse")
TEXT = "name: {name}\nsteps: [{{name: a, run: make}}]\n"


async def pipeline(plane: ControlPlane, name: str) -> UUID:
    """Make a pipeline with one run."""
    made = await plane.pipelines.create(read_native(TEXT.format(name=name).encode()))
    await plane.runs.trigger(made.id)
    return made.id


@pytest.fixture
async def three(plane: ControlPlane) -> Mapping[str, UUID]:
    return {name: await pipeline(plane, name) for name in ("a", "b", "c")}


async def shown(http: httpx2.AsyncClient, path: str, headers: dict[str, str] | None = None) -> list[str]:
    """Go through a list page by page, one item each."""
    names: list[str] = []
    params: dict[str, Any] = {"limit": 1}
    while True:
        answer = await http.get(path, params=params, auth=None if headers else ANN, headers=headers)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        names += [item[NAMES[path]] for item in page["items"]]
        if page["next"] is None:
            return names
        params["after"] = page["next"]


@pytest.mark.parametrize("path", NAMES)
@pytest.mark.parametrize("granted", ["", "b", "ac", "abc"])
async def test_lists_show_the_pipelines_that_one_may_see(
    people: People, http: httpx2.AsyncClient, three: Mapping[str, UUID], path: str, granted: str
) -> None:
    await people.user("ann", grants={three[name]: Role.VIEWER for name in granted})

    assert await shown(http, path) == [*granted]


@pytest.mark.parametrize("path", NAMES)
async def test_lists_show_a_token_only_its_pipelines(
    people: People, http: httpx2.AsyncClient, three: Mapping[str, UUID], path: str
) -> None:
    await people.user("ann", Role.ADMIN)
    _, secret = await people.token("ann", Scope(Role.ADMIN, frozenset({three["b"]})))
    headers = {"Authorization": f"Bearer {secret}"}

    assert await shown(http, path, headers) == ["b"]


@pytest.mark.parametrize("asked", ["a", "{a}"])
async def test_a_report_on_a_pipeline_that_one_may_not_see_is_empty(
    people: People, http: httpx2.AsyncClient, three: Mapping[str, UUID], asked: str
) -> None:
    await people.user("ann", grants={three["b"]: Role.VIEWER})
    params = {"pipeline": asked.format(a=three["a"])}

    answer = await http.get("/v1/reports", params=params, auth=ANN)

    assert answer.json() == {"items": [], "next": None}


async def test_to_start_a_run_with_overrides_one_must_be_a_maintainer(
    people: People, http: httpx2.AsyncClient, three: Mapping[str, UUID]
) -> None:
    ann = await people.user("ann", grants={three["a"]: Role.APPROVER})
    await people.user("bob", grants={three["a"]: Role.MAINTAINER})
    path, body = f"/v1/pipelines/{three['a']}/runs", {"overrides": {"steps.0.run": "true"}}

    refused = await http.post(path, json=body, auth=ANN)
    plain = await http.post(path, json={}, auth=ANN)
    allowed = await http.post(path, json=body, auth=("bob", ANN[1]))

    assert ann.role is None
    document = problem(refused, 403)
    assert "'maintain'" in document["detail"]
    assert "'maintainer'" in document["detail"]
    assert (plain.status_code, allowed.status_code) == (202, 202)


async def test_a_refusal_names_the_permission_and_the_least_role_that_has_it(
    people: People, http: httpx2.AsyncClient, three: Mapping[str, UUID]
) -> None:
    await people.user("ann", Role.VIEWER)

    answer = await http.delete(f"/v1/pipelines/{three['a']}", auth=ANN)

    document = problem(answer, 403)
    assert document["type"].endswith(":forbidden")
    assert "'maintain'" in document["detail"]
    assert "'maintainer' on this pipeline" in document["detail"]
    assert document["advice"]


class Reading:
    """A reader of a stream of events, which has heard its first."""

    def __init__(self, answer: httpx2.Response) -> None:
        self._chunks: AsyncIterator[bytes] = answer.aiter_bytes()

    async def first(self) -> None:
        """Wait for the first event."""
        await anext(self._chunks)

    async def to_the_end(self) -> bytes:
        """Read on until the stream ends."""
        return b"".join([chunk async for chunk in self._chunks])


@pytest.mark.parametrize("what", ["disabled", "revoked", "no grant"])
async def test_a_stream_ends_before_its_next_event_when_its_reader_may_not_read_it_any_more(
    people: People,
    http: httpx2.AsyncClient,
    plane: ControlPlane,
    three: Mapping[str, UUID],
    what: str,
) -> None:
    ann = await people.user("ann", grants={three["a"]: Role.VIEWER})
    token, secret = await people.token("ann")
    run = await plane.runs.trigger(three["a"])
    headers = {"Authorization": f"Bearer {secret}"}

    async with http.stream("GET", f"/v1/runs/{run.id}/events", headers=headers) as answer:
        reading = Reading(answer)
        await reading.first()
        if what == "disabled":
            await people.change(ann, disabled_at=people.clock.now())
        elif what == "revoked":
            await plane.store.write(lambda transaction: transaction.tokens.remove(token.id))
        else:
            await plane.store.write(lambda transaction: transaction.grants.remove("ann", three["a"]))
        plane.access.authentication.forget()
        await plane.runs.cancel(run.id)
        async with asyncio.timeout(60):
            rest = await reading.to_the_end()

    assert b"cancelled" not in rest
    assert b"event: end" not in rest


async def test_a_stream_goes_on_for_a_reader_who_may_read_it(
    people: People, http: httpx2.AsyncClient, plane: ControlPlane, three: Mapping[str, UUID]
) -> None:
    await people.user("ann", grants={three["a"]: Role.VIEWER})
    run = await plane.runs.trigger(three["a"])

    async with http.stream("GET", f"/v1/runs/{run.id}/events", auth=ANN) as answer:
        reading = Reading(answer)
        await reading.first()
        plane.access.authentication.forget()
        await plane.runs.cancel(run.id)
        async with asyncio.timeout(60):
            rest = await reading.to_the_end()

    assert b"event: end" in rest
