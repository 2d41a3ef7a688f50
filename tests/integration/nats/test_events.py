"""Events at a real NATS server."""

import json
from pathlib import Path
from typing import Any

from integration.nats.conftest import publishing_plane
from lineshaft.model.run import Run
from lineshaft.model.state import State
from lineshaft.services.control_plane import ControlPlane
from lineshaft.wire.run import event_document
from nats_server import PATIENCE_SECONDS, NatsServer
from worker_protocol_scene import claim, register, report_on, start

TWO = "name: shop web.1\nsteps: [{name: a, run: make}, {name: b, run: make}]\n"


async def work_off(plane: ControlPlane, runs: int = 1) -> None:
    """Do all tasks of `TWO`."""
    worker_id = await register(plane.fleet.desk)
    for _ in range(2 * runs):
        (lease,) = await claim(plane.fleet.desk, worker_id, 1)
        await plane.fleet.desk.report(report_on(worker_id, lease))


async def expected_of(plane: ControlPlane, run: Run) -> list[dict[str, Any]]:
    """Tell what is to be published of a run."""
    run = await plane.runs.get(run.id)
    events = await plane.store.read(
        lambda transaction: transaction.runs.events(run.id, after=0, limit=10_000)
    )
    known = {"run_id": str(run.id), "run_number": run.number, "pipeline": run.tree.root.name}
    return [{**event_document(run.tree, event), **known} for event in events]


async def published(server: NatsServer, count: int) -> list[tuple[str, dict[str, Any]]]:
    """Read so many messages of the stream from its beginning, and see that there are no more."""
    async with server.client() as client:
        stream = client.jetstream()
        told = await stream.subscribe("lineshaft.events.>", ordered_consumer=True)
        found = []
        for _ in range(count):
            message = await told.next_msg(PATIENCE_SECONDS)
            assert message.headers is not None
            document = json.loads(message.data)
            assert message.headers["Nats-Msg-Id"] == document["id"]
            found.append((message.subject, document))
        info = await stream.stream_info("LINESHAFT_EVENTS")
        assert info.state.messages == count
        return found


async def test_every_event_of_a_run_is_published_once_in_order_where_it_belongs(
    tmp_path: Path, nats_server: NatsServer
) -> None:
    async with publishing_plane(tmp_path, nats_server) as plane:
        run = await start(plane, TWO)
        await work_off(plane)
        expected = await expected_of(plane, run)

        found = await _all(nats_server, len(expected))

        assert (await plane.runs.get(run.id)).state is State.SUCCEEDED
    assert [document["data"] for _, document in found] == expected
    assert {subject for subject, document in found if document["type"] == "lineshaft.run"} == {
        "lineshaft.events.run.shop%20web%2E1"
    }
    assert {document["subject"] for subject, document in found if ".node." in subject} == {"a", "b"}
    assert [document["id"] for _, document in found] == [
        f"{run.id}/{number}" for number in range(1, len(expected) + 1)
    ]


async def test_a_server_that_begins_without_nats_publishes_all_once_it_is_there(
    tmp_path: Path, nats_server: NatsServer
) -> None:
    nats_server.kill()
    async with publishing_plane(tmp_path, nats_server) as plane:
        run = await start(plane, TWO)
        await work_off(plane)
        expected = await expected_of(plane, run)

        nats_server.start()

        found = await _all(nats_server, len(expected))
    assert [document["data"] for _, document in found] == expected


async def test_nothing_is_lost_and_nothing_doubled_when_nats_is_killed_in_the_middle(
    tmp_path: Path, nats_server: NatsServer
) -> None:
    async with publishing_plane(tmp_path, nats_server) as plane:
        runs = [await start(plane, TWO.replace("shop", f"shop{number}")) for number in range(10)]
        await stored(nats_server, 1)
        nats_server.kill()
        await work_off(plane, 10)
        nats_server.start()
        expected = {str(run.id): await expected_of(plane, run) for run in runs}

        found = await _all(nats_server, sum(map(len, expected.values())))

    for run in runs:
        told = [document["data"] for _, document in found if document["data"]["run_id"] == str(run.id)]
        assert told == expected[str(run.id)]


async def _all(server: NatsServer, count: int) -> list[tuple[str, dict[str, Any]]]:
    """Wait for so many messages, and read them."""
    await stored(server, count)
    return await published(server, count)


async def stored(server: NatsServer, count: int) -> None:
    """Wait until the stream has so many messages."""
    async with server.client() as client:
        told = await client.subscribe("lineshaft.events.>")
        await client.flush()
        while await _stored(client) < count:
            # Each message that comes later is heard here.
            await told.next_msg(PATIENCE_SECONDS)


async def _stored(client: Any) -> int:
    from nats.js.errors import NotFoundError

    try:
        return int((await client.jsm().stream_info("LINESHAFT_EVENTS")).state.messages)
    except NotFoundError:
        return 0
