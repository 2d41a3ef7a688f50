"""The containers beside a task, and the network that it shares with them alone."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from lineshaft.docker.provision import Images
from lineshaft.docker.turns import in_turns
from lineshaft.executors.docker.network import TaskNetwork
from lineshaft.executors.docker.patience import to_its_end
from lineshaft.executors.docker.platform import Platform
from lineshaft.executors.docker.service import Place, RunningService
from lineshaft.ports.executor import ByteSink, Container, NotStarted

if TYPE_CHECKING:
    from aiodocker import Docker


class Beside:
    """A task's network and services. They start side by side, while the caller does other things."""

    def __init__(self, network: TaskNetwork, services: list[RunningService]) -> None:
        """Start the services.

        Args:
            network: being made.
            services: what is to be started.
        """
        self._network: Final = network
        self._services: Final = services
        self._starts: Final = [asyncio.create_task(service.begin()) for service in services]
        self._watches: list[asyncio.Task[None]] = []
        self._removal: asyncio.Task[None] | None = None

    async def network(self) -> str | NotStarted:
        """Wait for the network; answer its id, or why there is none."""
        return await self._network.made()

    async def ready(self) -> NotStarted | None:
        """Wait until all services are ready, or the first is known not to be; answer why.

        To be called once, before the task's command begins. From then on a service that ends is told of in
        the task's log.
        """
        network = await self._network.made()
        if isinstance(network, NotStarted):
            return network
        for start in asyncio.as_completed(self._starts):
            if (refusal := await start) is not None:
                return refusal
        self._watches = [asyncio.create_task(service.watch()) for service in self._services]
        return None

    def dismiss(self) -> None:
        """Begin to remove the services, now that the task's command has ended; once is enough."""
        if self._removal is None:
            for service in self._services:
                service.dismiss()
            self._removal = asyncio.create_task(self._remove())

    async def end(self, *, hear_all: bool) -> None:
        """Remove all that is left, also when cancelled meanwhile.

        Args:
            hear_all: whether to wait until all that the services have printed is in their logs.
        """
        self.dismiss()
        try:
            if hear_all and self._removal is not None:
                await asyncio.shield(self._removal)
                await asyncio.gather(*(service.finish() for service in self._services))
        finally:
            await to_its_end(self._clear_up())
        if hear_all:
            self._raise_failure()

    async def _clear_up(self) -> None:
        if self._removal is not None:
            await self._removal
        await self._network.remove()
        await asyncio.gather(*(service.close() for service in self._services))

    async def _remove(self) -> None:
        waiting = [*self._starts, *self._watches]
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        await asyncio.gather(*(service.remove() for service in self._services))

    def _raise_failure(self) -> None:
        for service in self._services:
            if service.failure is not None:
                raise service.failure


@asynccontextmanager
async def beside(
    docker: "Docker",
    container: Container,
    labels: Mapping[str, str],
    output: ByteSink,
    *,
    images: Images,
    platform: Platform,
) -> AsyncIterator[Beside]:
    """Have a network and services of a task's own beside it, and remove them in the end, whatever happens.

    The task's container joins `Beside.network()`, begins when `Beside.ready()` says so, and must be gone
    before the end, for what is on a network keeps that from being removed. Services are killed in the end,
    without a time to think: what they hold ends with them.

    Args:
        docker: the engine.
        container: the task's container, with its services.
        labels: what network and containers carry.
        output: the task's log; others that write to it do so through `docker.turns.in_turns`, too.
        images: the images of the engine.
        platform: what the engine is like.

    Raises:
        Exception: what one of `container.service_logs` has raised.
    """
    prefix = f"lineshaft-{secrets.token_hex(6)}"
    network = TaskNetwork(docker, prefix, labels, images.access.address)
    place = Place(docker, images, network, container, in_turns(output), prefix, labels, platform)
    begun = Beside(
        network, [RunningService(name, service, place) for name, service in container.services.items()]
    )
    try:
        yield begun
    except BaseException:
        await begun.end(hear_all=False)
        raise
    await begun.end(hear_all=True)
