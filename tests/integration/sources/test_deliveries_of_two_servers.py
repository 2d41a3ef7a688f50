"""Deliveries where several servers see to them."""

import asyncio
from pathlib import Path

from delivery_site import ADDRESS, DeliverySite, only, pushed
from lineshaft.integrations.forges.known import KnownForges
from lineshaft.integrations.outgoing.client import outgoing_client
from lineshaft.integrations.outgoing.guard import Guard
from lineshaft.model.delivery import DeliveryState
from lineshaft.ports.cipher import FakeCipher
from lineshaft.ports.clock import ManualClock
from lineshaft.ports.memory_repositories import MemoryRepositories
from lineshaft.ports.repositories import Remote, Revision
from lineshaft.services.sources.noting import LEASE
from planes import temporary_plane


class GatedRepositories(MemoryRepositories):
    """Answers for revisions when so many ask for them."""

    def __init__(self, askers: int) -> None:
        super().__init__()
        self._waiting = asyncio.Barrier(askers)
        self.asked = asyncio.Event()

    async def revision(self, remote: Remote, ref: str | None = None) -> Revision:
        self.asked.set()
        await self._waiting.wait()
        return await super().revision(remote, ref)


async def test_a_delivery_that_two_servers_have_in_hand_starts_one_run(
    postgres_url: str, tmp_path: Path, clock: ManualClock
) -> None:
    repositories = GatedRepositories(2)
    async with (
        outgoing_client(Guard(allow_private=True)) as client,
        temporary_plane(
            tmp_path,
            clock,
            url=postgres_url,
            cipher=FakeCipher(),
            forges=KnownForges(client, clock),
            repositories=repositories,
        ) as first,
        temporary_plane(
            tmp_path,
            clock,
            url=postgres_url,
            cipher=FakeCipher(),
            forges=KnownForges(client, clock),
            repositories=repositories,
        ) as second,
    ):
        site = DeliverySite(first, repositories)
        commit = repositories.add(ADDRESS).commit({"a": "1"})
        await site.connect()
        pipeline = await site.pipeline()
        delivery = await site.told("push", pushed(commit))

        slow = asyncio.create_task(first.sources.handling.handle_due())
        await repositories.asked.wait()
        clock.advance(LEASE)
        assert await second.sources.handling.handle_due() == 1
        assert await slow == 1

        (run,) = await site.runs(pipeline)
        done = await second.sources.deliveries.get(delivery.id)
        assert done.state is DeliveryState.HANDLED
        assert only(done).run_id == run.id


async def test_many_deliveries_start_a_run_each_whoever_sees_to_them(
    postgres_url: str, tmp_path: Path, clock: ManualClock
) -> None:
    repositories = MemoryRepositories()
    async with (
        outgoing_client(Guard(allow_private=True)) as client,
        temporary_plane(
            tmp_path,
            clock,
            url=postgres_url,
            cipher=FakeCipher(),
            forges=KnownForges(client, clock),
            repositories=repositories,
        ) as first,
        temporary_plane(
            tmp_path,
            clock,
            url=postgres_url,
            cipher=FakeCipher(),
            forges=KnownForges(client, clock),
            repositories=repositories,
        ) as second,
    ):
        site = DeliverySite(first, repositories)
        commit = repositories.add(ADDRESS).commit({"a": "1"})
        await site.connect()
        pipeline = await site.pipeline(concurrency={"policy": "allow"})
        for number in range(24):
            await site.told("push", pushed(commit, f"refs/heads/b{number}"))

        while sum(await asyncio.gather(*(each.sources.handling.handle_due() for each in (first, second)))):
            pass

        made = await site.runs(pipeline)
        assert len({run.origin.delivery for run in made}) == len(made) == 24
