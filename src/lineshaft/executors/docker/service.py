"""One service of a task: its container from its making until it is gone."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from lineshaft.docker.failure import engine_errors, engine_failure
from lineshaft.docker.provision import Images
from lineshaft.docker.turns import InTurns
from lineshaft.executors.docker.network import TaskNetwork
from lineshaft.executors.docker.platform import Platform
from lineshaft.executors.docker.readiness import Check, checks
from lineshaft.executors.docker.service_log import ServiceLog
from lineshaft.executors.docker.service_settings import settings
from lineshaft.expression.pattern import regex
from lineshaft.model.reason import ReasonCode
from lineshaft.model.service import Readiness, Service
from lineshaft.ports.executor import Container, NotStarted

if TYPE_CHECKING:
    from aiodocker import Docker
    from aiodocker.containers import DockerContainer
    from aiodocker.stream import Stream

_LOG: Final = logging.getLogger(__name__)
_LOG_SECONDS: Final = 30
_CALL_SECONDS: Final = 120


@dataclass(frozen=True, slots=True)
class Place:
    """Where services run, and for whom.

    Attributes:
        docker: the engine.
        images: the images of that engine.
        network: the task's.
        task: the task's own container.
        output: the task's log.
        prefix: begins the names of the task's containers; unique.
        labels: what they carry.
        platform: what the engine is like.
    """

    docker: "Docker"
    images: Images
    network: TaskNetwork
    task: Container
    output: InTurns
    prefix: str
    labels: Mapping[str, str]
    platform: Platform


class RunningService:
    """A service: on its way to be ready, or ready, or on its way out."""

    def __init__(self, name: str, service: Service, place: Place) -> None:
        """Begin with nothing on the engine.

        Args:
            name: under which the task reaches it.
            service: what it is.
            place: where it runs.
        """
        self._name: Final = name
        self._service: Final = service
        self._ready: Final = service.ready or Readiness()
        self._place: Final = place
        pattern = regex(self._ready.log) if self._ready.log is not None else None
        self._log: Final = ServiceLog(place.task.service_logs.get(name), pattern)
        self._creation: asyncio.Task[DockerContainer | NotStarted] | None = None
        self._reading: asyncio.Task[None] | None = None
        self._end: asyncio.Task[str] | None = None
        self._dismissed = False

    @property
    def failure(self) -> Exception | None:
        """What the sink of its log has raised, if it did."""
        return self._log.failure

    async def begin(self) -> NotStarted | None:
        """Start it and wait until it is ready; answer why it is not."""
        image = await self._place.images.provide(
            self._place.docker, self._service.image, self._place.task, self._place.output
        )
        if isinstance(image, NotStarted):
            return NotStarted(f"The service {self._name}: {image.text}", image.code, ours=image.ours)
        network = await self._place.network.made()
        if isinstance(network, NotStarted):
            return network
        # A creation that was cancelled half-way could leave a container that nobody knows of.
        self._creation = asyncio.create_task(self._create(image, network))
        created = await asyncio.shield(self._creation)
        if isinstance(created, NotStarted):
            return created
        return await self._start(created) or await self._become_ready(created)

    async def watch(self) -> None:
        """Tell the task's log when it ends by itself."""
        if self._end is None:
            return
        how = await asyncio.shield(self._end)
        if not self._dismissed:
            await self._hear_last_words()
            await self._tell(f"The service {self._name} {how} while the task was running.")

    def dismiss(self) -> None:
        """Take its end from now on as what is wanted."""
        self._dismissed = True

    async def remove(self) -> None:
        """Kill it, and remove its container with its volumes. Not to be cancelled."""
        self.dismiss()
        if self._creation is None:
            return
        container = await self._creation
        if isinstance(container, NotStarted):
            return
        try:
            async with asyncio.timeout(_CALL_SECONDS):
                await container.delete(force=True, v=True)
        except engine_errors() as error:
            _LOG.warning(
                "The service %s could not be removed: %s. The worker's next start does it.", self._name, error
            )

    async def finish(self) -> None:
        """Wait until all that it has printed is in its log, within reason."""
        if self._reading is None:
            return
        _, late = await asyncio.wait({self._reading}, timeout=_LOG_SECONDS)
        if late:
            _LOG.warning("The log of the service %s is not complete.", self._name)

    async def close(self) -> None:
        """Stop listening to it."""
        tasks = [task for task in (self._reading, self._end) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _create(self, image: str, network: str) -> "DockerContainer | NotStarted":
        secrets = self._place.task.service_env.get(self._name, {})
        config = settings(
            self._name,
            self._service,
            image=image,
            network=network,
            secrets=secrets,
            labels=self._place.labels,
            platform=self._place.platform,
        )
        name = f"{self._place.prefix}-{self._name}"
        try:
            async with asyncio.timeout(_CALL_SECONDS):
                return await self._place.docker.containers.create(config, name=name)
        except engine_errors() as error:
            return self._failed("could not be made", error)

    async def _start(self, container: "DockerContainer") -> NotStarted | None:
        try:
            # Whoever listens before it begins misses nothing, and the engine need not keep its log.
            stream = container.attach(stdout=True, stderr=True)
            self._reading = asyncio.create_task(self._read(await stream.__aenter__()))
            async with asyncio.timeout(_CALL_SECONDS):
                await container.start()
        except engine_errors() as error:
            await self.close()
            return self._failed("could not be started", error)
        self._end = asyncio.create_task(self._wait(container))
        return None

    async def _become_ready(self, container: "DockerContainer") -> NotStarted | None:
        if self._end is None:
            return None
        held = checks(self._ready, container, self._log)
        holding = [asyncio.create_task(check.hold()) for check in held]
        try:
            async with asyncio.timeout(self._ready.timeout.total_seconds()):
                if await _all_before(holding, self._end):
                    return None
            how = f"{self._end.result()} before it was ready"
            await self._hear_last_words()
        except TimeoutError:
            how = self._lateness(held, holding)
        except engine_errors() as error:
            return self._failed("could not be looked at", error)
        finally:
            for task in holding:
                task.cancel()
            await asyncio.gather(*holding, return_exceptions=True)
        return await self._not_ready(how)

    def _lateness(self, held: list[Check], holding: list[asyncio.Task[None]]) -> str:
        missing = [check.missing for check, task in zip(held, holding, strict=True) if not _holds(task)]
        seconds = self._ready.timeout.total_seconds()
        return f"was not ready within {seconds:g} s: {', and '.join(missing)}"

    async def _not_ready(self, how: str) -> NotStarted:
        self.dismiss()
        text = f"The service {self._name} {how}."
        await self._tell(text)
        return NotStarted(text, ReasonCode.SERVICE_NOT_READY)

    async def _tell(self, text: str) -> None:
        lines = self._log.last_lines
        heard = "The last that it printed:" if lines else "It printed nothing."
        await self._place.output.line("\n".join([f"{text} {heard}", *(f"    {line}" for line in lines)]))

    def _failed(self, what: str, error: Exception) -> NotStarted:
        said = f"The service {self._name} {what}"
        return engine_failure(said, error, self._place.images.access.address, ReasonCode.SERVICE_NOT_READY)

    async def _read(self, stream: "Stream") -> None:
        try:
            while (message := await stream.read_out()) is not None:
                await self._log.take(message.data)
        except engine_errors() as error:
            _LOG.warning("The log of the service %s was cut off: %s.", self._name, error)
        finally:
            await stream.close()

    async def _wait(self, container: "DockerContainer") -> str:
        """Wait for its end; answer how it ended, as the middle of a sentence."""
        try:
            code = (await container.wait())["StatusCode"]
            state: dict[str, Any] = (await container.show())["State"]
        except engine_errors() as error:
            return f"could not be seen any more ({error})"
        return f"ended with exit code {code}{', out of memory,' if state.get('OOMKilled') else ''}"

    async def _hear_last_words(self) -> None:
        if self._reading is not None:
            await asyncio.wait({self._reading}, timeout=_LOG_SECONDS)


async def _all_before(holding: list[asyncio.Task[None]], end: asyncio.Task[str]) -> bool:
    """Wait until all tasks are done, and answer whether that was before the end of another one.

    Raises:
        Exception: what the first of them has raised.
    """
    waiting: set[asyncio.Task[None]] = set(holding)
    while waiting:
        done, _ = await asyncio.wait({*waiting, end}, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting & done:
            task.result()
        waiting -= done
        if waiting and end.done():
            return False
    return True


def _holds(task: asyncio.Task[None]) -> bool:
    return task.done() and not task.cancelled() and task.exception() is None
