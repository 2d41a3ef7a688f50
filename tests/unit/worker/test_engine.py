"""A worker of containers takes nothing while its engine is away."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from lineshaft.docker import DockerAccess
from lineshaft.model.errors import ConfigurationError
from lineshaft.model.reason import ReasonCode
from lineshaft.ports.clock import ManualClock
from lineshaft.ports.executor import Broken, ByteSink, Command, Container, Ending, Exit, NotStarted
from lineshaft.worker.engine import EngineWatch, WatchedEngine, check_engine

COMMAND = Command(("true",), Path("/"), {}, None, timedelta(), "label")
AWAY = NotStarted("No engine answers.", ReasonCode.DOCKER_UNREACHABLE, ours=True)


class Ends:
    """An executor whose commands end as it was told."""

    def __init__(self, *results: Exit | NotStarted | Broken, to_build: NotStarted | None = None) -> None:
        self._results = list(results)
        self._to_build = to_build

    async def execute(
        self, _command: Command, _output: ByteSink, _stop: asyncio.Event
    ) -> Exit | NotStarted | Broken:
        return self._results.pop(0)

    async def build(
        self, container: Container, _output: ByteSink, _stop: asyncio.Event
    ) -> Container | NotStarted | Exit:
        return self._to_build or container

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
    watched = WatchedEngine(Ends(result), engine.why_away, pause=engine.pause)
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


class News:
    """Keeps what it has heard."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.over = asyncio.Event()

    def away(self, why: str) -> None:
        self.heard.append(f"away: {why}")

    def back(self) -> None:
        self.heard.append("back")
        self.over.set()

    def given_up(self) -> None:
        self.heard.append("given up")
        self.over.set()


class Passing:
    """A pause that takes the time that it is told, on a clock of its own."""

    def __init__(self) -> None:
        self.clock = ManualClock()

    async def __call__(self, time: timedelta) -> None:
        self.clock.advance(time)


async def test_an_engine_that_does_not_come_back_in_time_is_told_of_once_and_not_waited_for() -> None:
    engine, news, passing = Engine(), News(), Passing()
    watch = EngineWatch(news, timedelta(seconds=5))
    executor = Ends(AWAY, AWAY, Exit(Ending.ENDED, 0), AWAY)
    watched = WatchedEngine(executor, engine.why_away, watch, pause=passing, clock=passing.clock)
    begun = passing.clock.now()
    for _ in range(2):
        await watched.execute(COMMAND, Nowhere(), asyncio.Event())
        await news.over.wait()
        assert watched.is_there()
        # There is nothing to build, which tells nothing of the engine.
        await watched.build(Container("x", Path("/")), Nowhere(), asyncio.Event())
    assert news.heard == ["away: No engine answers.", "given up"]
    assert timedelta(seconds=5) <= passing.clock.now() - begun <= timedelta(seconds=7)
    for _ in range(2):
        await watched.execute(COMMAND, Nowhere(), asyncio.Event())
    assert news.heard[2:] == ["away: No engine answers."]
    await watched.close()


async def test_an_engine_that_is_away_when_an_image_is_to_be_built_is_noted() -> None:
    watched = WatchedEngine(Ends(to_build=AWAY), Engine().why_away, pause=Engine().pause)
    await watched.build(Container("x", Path("/")), Nowhere(), asyncio.Event())
    assert not watched.is_there()
    await watched.close()


async def test_a_worker_that_ends_asks_no_more() -> None:
    engine = Engine()
    watched = WatchedEngine(Ends(AWAY), engine.why_away, pause=engine.pause)
    await watched.execute(COMMAND, Nowhere(), asyncio.Event())
    await watched.close()


async def test_a_worker_of_containers_does_not_start_without_an_engine(tmp_path: Path) -> None:
    access = DockerAccess(f"unix://{tmp_path}/none", tmp_path)
    with pytest.raises(ConfigurationError, match="No Docker engine answered"):
        await check_engine(access)
