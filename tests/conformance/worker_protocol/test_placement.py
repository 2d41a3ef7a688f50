"""Which worker takes what, in every form of the worker protocol; the store's tests have the rest."""

from lineshaft.sdk.worker_protocol import WorkerProtocol
from lineshaft.services.control_plane import ControlPlane
from worker_protocol_scene import claim, register, report_on, start

FOR_GPU = "name: g\nsteps: [{name: a, labels: [gpu], run: make}]\n"
LARGE = """
name: large
parallel: true
steps:
  - {name: a, resources: {cpus: 2, memory: 1GiB}, run: make}
  - {name: b, resources: {cpus: 2, memory: 1GiB}, run: make}
"""


async def test_a_worker_takes_what_its_labels_cover(plane: ControlPlane, protocol: WorkerProtocol) -> None:
    await start(plane, FOR_GPU)
    without = await register(protocol, "without", labels=frozenset({"linux"}))
    having = await register(protocol, "having", labels=frozenset({"gpu", "linux"}))

    assert await claim(protocol, without) == ()
    assert [lease.path for lease in await claim(protocol, having)] == ["a"]


async def test_a_worker_takes_what_it_has_room_for(plane: ControlPlane, protocol: WorkerProtocol) -> None:
    await start(plane, LARGE)
    worker_id = await register(protocol, cpus=3, memory_bytes=2**31)

    (first,) = await claim(protocol, worker_id)
    assert (first.cpus, first.memory_bytes) == (2, 2**30)
    assert await claim(protocol, worker_id) == ()
    (second,) = (await protocol.report(report_on(worker_id, first, slots=1))).leases

    assert {first.path, second.path} == {"a", "b"}
