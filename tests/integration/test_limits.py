"""Limits: how many tasks run at once, whatever the workers have room for."""

import asyncio
from pathlib import Path

from lineshaft.model.limits import Limits
from planes import temporary_plane
from worker_protocol_scene import claim, register, report_on, start

LONG_SECONDS = 60


def _pipeline(name: str, count: int, label: str = "") -> str:
    labels = f"labels: [{label}], " if label else ""
    steps = ", ".join(f"{{name: s{number}, {labels}run: make}}" for number in range(count))
    return f"name: {name}\nparallel: true\nsteps: [{steps}]\n"


async def test_no_more_tasks_of_a_pipeline_run_at_once_than_its_limit_says(tmp_path: Path) -> None:
    async with temporary_plane(tmp_path, limits=Limits({"shop": 1, "*": 2})) as plane:
        worker_id = await register(plane.fleet.desk, slots=9)
        await start(plane, _pipeline("shop", 3))
        await start(plane, _pipeline("mill", 3))

        leases = await claim(plane.fleet.desk, worker_id, slots=9)

        assert sorted(lease.pipeline_name for lease in leases) == ["mill", "mill", "shop"]


async def test_no_more_tasks_that_ask_for_a_label_run_at_once_than_its_limit_says(tmp_path: Path) -> None:
    async with temporary_plane(tmp_path, limits=Limits(labels={"gpu": 2})) as plane:
        worker_id = await register(plane.fleet.desk, slots=9, labels=frozenset({"gpu"}))
        await start(plane, _pipeline("shop", 2, "gpu"))
        await start(plane, _pipeline("mill", 2, "gpu"))
        await start(plane, _pipeline("yard", 2))

        leases = await claim(plane.fleet.desk, worker_id, slots=9)

        assert len(leases) == 4
        assert len([lease for lease in leases if lease.pipeline_name == "yard"]) == 2


async def test_a_claim_that_waits_for_a_limit_is_answered_when_that_makes_room(tmp_path: Path) -> None:
    async with temporary_plane(tmp_path, limits=Limits({"shop": 1})) as plane:
        first, second = await register(plane.fleet.desk, "first"), await register(plane.fleet.desk, "second")
        await start(plane, _pipeline("shop", 2))
        (lease,) = await claim(plane.fleet.desk, first)
        claiming = asyncio.create_task(claim(plane.fleet.desk, second, wait_seconds=LONG_SECONDS))
        await asyncio.sleep(0)

        await plane.fleet.desk.report(report_on(first, lease))

        async with asyncio.timeout(LONG_SECONDS / 2):
            (following,) = await claiming
        assert following.address != lease.address
