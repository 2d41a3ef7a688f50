"""A worker of containers takes nothing while its engine is away."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from lineshaft.docker import DockerAccess
from lineshaft.model.errors import ConfigurationError
from lineshaft.model.reason import ReasonCode
from lineshaft.ports.executor import Broken, ByteSink, Command, Container, Ending, Exit, NotStarted
from lineshaft.worker.engine import WatchedEngine, check_engine

COMMAND = Command(("true",), Path("/"), {}, None, timedelta(), "label")
AWAY = NotStarted("No engine answers.", ReasonCode.DOCKER_UNREACHABLE, ours=True)


class Ends:
    """An executor whose commands end as it was told."""

    def __init__(self, *results: Exit | NotStarted | Broken) -> None:
        self._results = list(results)

    async def execute(
        self, _command: Command, _output: ByteSink, _stop: asyncio.Event
    ) -> Exit | NotStarted | Broken:
        return self._results.pop(0)

    async def build(
        self, container: Container, _output: ByteSink, _stop: asyncio.Event
    ) -> Container | NotStarted | Exit:
        result = self._results.pop(0)
        return container if isinstance(result, Broken) else result

    async def sweep(self, _label_prefix: str) -> int:
        return 0


class Nowhere:
    async def write(self, data: bytes) -> None:
        pass


class Engine:
    """An engine that comes back when it is told to."""

    def __init__(self) -> None:
        self.away = True
        self.asked = asyncio.Event()
        self.back = asyncio.Event()

    async def why_away(self) -> str | None:
        self.asked.set()
        return "It is away." if self.away else None

    async def pause(self, _time: timedelta) -> None:
        await self.back.wait()


@pytest.mark.parametrize("result", [AWAY, Broken("It is gone.", ReasonCode.DOCKER_UNREACHABLE)])
async def test_an_engine_that_went_away_is_asked_until_it_is_back(result: NotStarted | Broken) -> None:
    engine = Engine()
    watched = WatchedEngine(Ends(result), engine.why_away, engine.pause)
    assert watched.is_there()
    assert await watched.execute(COMMAND, Nowhere(), asyncio.Event()) is result
    assert not watched.is_there()
    await engine.asked.wait()
    engine.away = False
    engine.back.set()
    while not watched.is_there():  # noqa: ASYNC110 - these are turns of the loop, and no time.
        await asyncio.sleep(0)
    await watched.close()


async def test_what_is_the_tasks_own_fault_says_nothing_of_the_engine() -> None:
    watched = WatchedEngine(
        Ends(Exit(Ending.ENDED, 1), NotStarted("No such image.", ReasonCode.IMAGE_NOT_FOUND)),
        Engine().why_away,
    )
    for _ in range(2):
        await watched.execute(COMMAND, Nowhere(), asyncio.Event())
        assert watched.is_there()


async def test_a_worker_that_ends_asks_no_more() -> None:
    engine = Engine()
    watched = WatchedEngine(Ends(AWAY), engine.why_away, engine.pause)
    await watched.execute(COMMAND, Nowhere(), asyncio.Event())
    await watched.close()


async def test_a_worker_of_containers_does_not_start_without_an_engine(tmp_path: Path) -> None:
    access = DockerAccess(f"unix://{tmp_path}/none", tmp_path)
    with pytest.raises(ConfigurationError, match="No Docker engine answered"):
        await check_engine(access)
