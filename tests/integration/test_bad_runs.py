"""A run that cannot be read holds up no other: not in the queue, not when workers are lost."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import httpx2
import pytest

from http_problems import problem
from http_server import http_server
from lineshaft.definition import read_definition
from lineshaft.definition.compiling.read import read_native
from lineshaft.integrations.blob_folder import BlobFolder
from lineshaft.model.definition import Definition, Format
from lineshaft.model.errors import UnavailableError
from lineshaft.model.run import Run
from lineshaft.model.state import State
from lineshaft.ports.clock import ManualClock
from lineshaft.ports.ids import RandomIds
from lineshaft.services.bad_runs import ASIDE_FOR, BadRuns
from lineshaft.services.control_plane import ControlPlane
from lineshaft.store import open_store
from lineshaft.wire.worker import LeaseMessage
from planes import LEASE_TIME, PASSWORD, USERNAME, add_user
from worker_protocol_scene import beat, claim, register, report_on, start

TOKEN = "chosen-by-the-worker"
BAD = "name: bad\nsteps: [{name: a, run: make}]\n"
GOOD = "name: good\nsteps: [{name: a, run: make}]\n"
ALONE = ["supersede", "queue"]
BAD_DEPLOY = "name: bad\nsteps: [{name: a, deploy: {manifests: d, cluster: c, namespace: n}}]\n"


class UnreadableError(ValueError):
    """This version of the program cannot read a definition that another one has stored."""


def read_all_but_bad(form: Format, text: str) -> Definition:
    if '"bad"' in text:
        raise UnreadableError
    return read_definition(form, text)


@dataclass(slots=True)
class Servers:
    """Servers on one database, one after the other."""

    url: str
    folder: Path
    clock: ManualClock

    @asynccontextmanager
    async def plane(self, *, reads_bad: bool = True) -> AsyncIterator[ControlPlane]:
        read = read_definition if reads_bad else read_all_but_bad
        ids = RandomIds()
        store = await open_store(self.url, ids=ids, read_definition=read)
        try:
            yield ControlPlane(
                store, BlobFolder(self.folder), self.clock, ids, check=lambda _: None, lease_time=LEASE_TIME
            )
        finally:
            await store.close()

    @asynccontextmanager
    async def back(self) -> AsyncIterator[ControlPlane]:
        """Open a server that can read all, when what was set aside has come back."""
        self.clock.advance(ASIDE_FOR)
        async with self.plane() as plane:
            await BadRuns(plane.store, self.clock).bring_back()
            yield plane


@pytest.fixture
def servers(database_url: str, tmp_path: Path) -> Servers:
    return Servers(database_url, tmp_path, ManualClock())


async def _states(plane: ControlPlane, *runs: Run) -> list[State]:
    return [(await plane.runs.get(run.id)).nodes[1].state for run in runs]


async def test_a_claim_goes_on_behind_an_attempt_whose_run_cannot_be_read(
    servers: Servers, caplog: pytest.LogCaptureFixture
) -> None:
    async with servers.plane() as plane:
        bad, good = await start(plane, BAD), await start(plane, GOOD)

    async with servers.plane(reads_bad=False) as plane:
        worker_id = await register(plane.fleet.desk)
        (lease,) = await claim(plane.fleet.desk, worker_id)
        assert lease.address.run_id == good.id
        assert await claim(plane.fleet.desk, worker_id) == ()
    assert caplog.text.count(f"Run {bad.id}") == 1

    async with servers.back() as plane:
        (lease,) = await claim(plane.fleet.desk, await register(plane.fleet.desk, "other"))
        assert (lease.address.run_id, lease.address.attempt) == (bad.id, 1)


async def test_a_claim_that_is_made_again_brings_leases_past_one_whose_run_cannot_be_read(
    servers: Servers,
) -> None:
    async with servers.plane() as plane:
        bad, good = await start(plane, BAD_DEPLOY), await start(plane, GOOD)
        worker_id = await register(plane.fleet.desk)
        assert len(await claim(plane.fleet.desk, worker_id, token=TOKEN)) == 2

    async with servers.plane(reads_bad=False) as plane:
        (lease,) = await claim(plane.fleet.desk, worker_id, token=TOKEN)
        assert lease.address.run_id == good.id

    async with servers.back() as plane:
        assert await claim(plane.fleet.desk, await register(plane.fleet.desk, "other")) == ()
        assert await _states(plane, bad) == [State.LOST]


async def test_a_report_brings_the_next_attempt_past_one_whose_run_cannot_be_read(servers: Servers) -> None:
    async with servers.plane() as plane:
        good = await start(plane, GOOD)
        worker_id = await register(plane.fleet.desk)
        (lease,) = await claim(plane.fleet.desk, worker_id)
        _, next_good = await start(plane, BAD), await start(plane, GOOD.replace("good", "better"))

    async with servers.plane(reads_bad=False) as plane:
        (following,) = (await plane.fleet.desk.report(report_on(worker_id, lease, slots=1))).leases
        assert following.address.run_id == next_good.id
        assert await _states(plane, good) == [State.SUCCEEDED]


async def test_leases_that_run_out_are_lost_beside_one_whose_run_cannot_be_read(servers: Servers) -> None:
    async with servers.plane() as plane:
        bad, good = await _leased(plane)

    servers.clock.advance(LEASE_TIME)
    async with servers.plane(reads_bad=False) as plane:
        await plane.fleet.losing.lose_expired()
        assert await plane.fleet.losing.lose_expired() == 0
        assert await _states(plane, good) == [State.QUEUED]

    async with servers.back() as plane:
        leases = await claim(plane.fleet.desk, await register(plane.fleet.desk, "other"))
        assert {lease.address.run_id: lease.address.attempt for lease in leases} == {good.id: 2, bad.id: 2}


async def test_a_worker_registers_anew_although_it_held_an_attempt_whose_run_cannot_be_read(
    servers: Servers,
) -> None:
    async with servers.plane() as plane:
        _, good = await _leased(plane)

    async with servers.plane(reads_bad=False) as plane:
        worker_id = await register(plane.fleet.desk)
        assert [lease.address.run_id for lease in await claim(plane.fleet.desk, worker_id)] == [good.id]
        assert len((await plane.fleet.desk.heartbeat(beat(worker_id))).living) == 1


async def test_a_worker_that_held_an_attempt_whose_run_cannot_be_read_is_forgotten(servers: Servers) -> None:
    async with servers.plane() as plane:
        await _leased(plane)

    servers.clock.advance(LEASE_TIME)
    async with servers.plane(reads_bad=False) as plane:
        await plane.fleet.workers.forget("w")
        assert await plane.fleet.workers.page(after=None, limit=1) == []


async def test_a_worker_is_shown_although_a_run_that_it_works_on_cannot_be_read(servers: Servers) -> None:
    async with servers.plane() as plane:
        bad, good = await _leased(plane)

    async with servers.plane(reads_bad=False) as plane:
        (status,) = await plane.fleet.workers.page(after=None, limit=9)

    told: dict[UUID, tuple[str, int | None]] = {
        task.run_id: (task.path, task.run_number) for task in status.running
    }
    assert told == {bad.id: ("", None), good.id: ("a", 1)}


async def test_a_run_that_cannot_be_read_is_named_by_the_api_and_left_out_of_lists(servers: Servers) -> None:
    async with servers.plane() as plane:
        await add_user(plane.store)
        bad = await start(plane, BAD)
        await plane.pipelines.replace(bad.pipeline_id, read_native(GOOD.encode()))
        good = [await plane.runs.trigger(bad.pipeline_id) for _ in range(2)]

    async with (
        servers.plane(reads_bad=False) as plane,
        http_server(plane) as url,
        httpx2.AsyncClient(base_url=url, auth=(USERNAME, PASSWORD), timeout=60) as http,
    ):
        document = problem(await http.get(f"/v1/runs/{bad.id}"), 500)
        assert document["type"].endswith(":corrupt-run")
        assert str(bad.id) in document["detail"]
        assert document["advice"]
        first = (await http.get(f"/v1/pipelines/{bad.pipeline_id}/runs?limit=1")).json()
        whole = (await http.get(f"/v1/pipelines/{bad.pipeline_id}/runs?limit=3")).json()
        assert ([run["number"] for run in first["items"]], first["next"]) == ([3], 3)
        assert {UUID(run["id"]) for run in whole["items"]} == {run.id for run in good}
        assert whole["next"] is None


async def test_a_deploy_that_was_set_aside_while_it_ran_does_not_begin_twice(servers: Servers) -> None:
    async with servers.plane() as plane:
        run = await start(plane, BAD_DEPLOY)
        await claim(plane.fleet.desk, await register(plane.fleet.desk))

    servers.clock.advance(LEASE_TIME)
    async with servers.plane(reads_bad=False) as plane:
        await plane.fleet.losing.lose_expired()

    async with servers.back() as plane:
        assert await claim(plane.fleet.desk, await register(plane.fleet.desk, "other")) == ()
        assert await _states(plane, run) == [State.LOST]


async def test_more_bad_runs_than_one_call_sets_aside_are_set_aside_by_the_next(servers: Servers) -> None:
    async with servers.plane() as plane:
        pipeline = (
            await start(plane, BAD.replace("steps", "concurrency: {policy: allow}\nsteps"))
        ).pipeline_id
        for _ in range(24):
            await plane.runs.trigger(pipeline)
        good = await start(plane, GOOD)

    async with servers.plane(reads_bad=False) as plane:
        worker_id = await register(plane.fleet.desk, slots=1)
        leases: list[LeaseMessage] = []
        for _ in range(3):
            try:
                leases += await claim(plane.fleet.desk, worker_id, slots=1)
            except UnavailableError:
                continue
        assert [lease.address.run_id for lease in leases] == [good.id]


@pytest.mark.parametrize("policy", ALONE)
async def test_a_run_that_cannot_be_read_does_not_hold_up_the_next_of_its_pipeline(
    servers: Servers, policy: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with servers.plane() as plane:
        bad = await _alone(plane, policy)

    async with servers.plane(reads_bad=False) as plane:
        good = await plane.runs.trigger(bad.pipeline_id)
        (lease,) = await claim(plane.fleet.desk, await register(plane.fleet.desk))
        assert lease.address.run_id == good.id
    assert caplog.text.count(f"Run {bad.id}") == 1

    async with servers.back() as plane:
        (lease,) = await claim(plane.fleet.desk, await register(plane.fleet.desk, "other"))
        assert lease.address.run_id == bad.id


@pytest.mark.parametrize("policy", ALONE)
async def test_what_a_worker_holds_of_a_run_that_is_passed_over_is_taken_from_it(
    servers: Servers, policy: str
) -> None:
    async with servers.plane() as plane:
        bad = await _alone(plane, policy)
        worker_id = await register(plane.fleet.desk)
        (lease,) = await claim(plane.fleet.desk, worker_id)

    async with servers.plane(reads_bad=False) as plane:
        await plane.runs.trigger(bad.pipeline_id)
        assert not (await plane.fleet.desk.heartbeat(beat(worker_id, lease))).living


async def test_runs_that_wait_behind_one_that_cannot_be_read_go_on_in_their_order(servers: Servers) -> None:
    async with servers.plane() as plane:
        bad = await _alone(plane, "queue")
        waiting = [await plane.runs.trigger(bad.pipeline_id)]

    async with servers.plane(reads_bad=False) as plane:
        waiting.append(await plane.runs.trigger(bad.pipeline_id))
        worker_id = await register(plane.fleet.desk)
        for run in waiting:
            (lease,) = await claim(plane.fleet.desk, worker_id)
            assert lease.address.run_id == run.id
            await plane.fleet.desk.report(report_on(worker_id, lease))
        assert await _states(plane, *waiting) == [State.SUCCEEDED, State.SUCCEEDED]


@pytest.mark.parametrize("policy", ["queue", "allow"])
async def test_a_pipeline_can_be_deleted_although_a_run_of_it_cannot_be_read(
    servers: Servers, policy: str
) -> None:
    async with servers.plane() as plane:
        bad = await _alone(plane, policy)
        good = await plane.runs.trigger(bad.pipeline_id)

    async with servers.plane(reads_bad=False) as plane:
        await plane.pipelines.delete(bad.pipeline_id)
        assert await _states(plane, good) == [State.CANCELLED]
        assert await claim(plane.fleet.desk, await register(plane.fleet.desk)) == ()


async def _alone(plane: ControlPlane, policy: str) -> Run:
    """Start a run that soon cannot be read, of a pipeline whose later ones can be."""
    text = f"concurrency: {{policy: {policy}}}\n"
    bad = await start(plane, text + BAD)
    await plane.pipelines.replace(bad.pipeline_id, read_native((text + GOOD).encode()))
    return bad


async def _leased(plane: ControlPlane) -> tuple[Run, Run]:
    """Let a worker hold an attempt of a run that soon cannot be read, and one of another."""
    bad, good = await start(plane, BAD), await start(plane, GOOD)
    leases = await claim(plane.fleet.desk, await register(plane.fleet.desk))
    assert len(leases) == 2
    return bad, good
