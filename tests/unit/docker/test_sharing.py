"""Work that is done once for several."""

import asyncio

import pytest

from integration.output import Output
from lineshaft.docker.sharing import Sharing, Told
from lineshaft.ports.executor import ByteSink


class Work:
    """Work that goes on until it is told to end."""

    def __init__(self) -> None:
        self.times = 0
        self.cancelled = False
        self.go_on = asyncio.Event()

    async def do(self, told: ByteSink) -> int:
        self.times += 1
        await told.write(b"begun\n")
        try:
            await self.go_on.wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        await told.write(b"done\n")
        return self.times


async def test_what_several_ask_for_at_once_is_done_once_and_told_to_all() -> None:
    sharing: Sharing[int] = Sharing()
    work, outputs = Work(), [Output(), Output(), Output()]
    asking = [asyncio.create_task(sharing.once("it", work.do, output)) for output in outputs]
    for output in outputs:
        await output.wait_for("begun")
    work.go_on.set()
    assert await asyncio.gather(*asking) == [1, 1, 1]
    assert [output.text for output in outputs] == ["begun\ndone\n"] * 3


async def test_what_has_been_done_is_done_again_when_it_is_asked_for_again() -> None:
    sharing: Sharing[int] = Sharing()
    work = Work()
    work.go_on.set()
    assert [await sharing.once("it", work.do, Output()) for _ in range(2)] == [1, 2]


async def test_other_keys_are_other_work() -> None:
    sharing: Sharing[int] = Sharing()
    works = [Work(), Work()]
    for work in works:
        work.go_on.set()
    await asyncio.gather(*(sharing.once(at, work.do, Output()) for at, work in enumerate(works)))
    assert [work.times for work in works] == [1, 1]


async def test_work_goes_on_when_one_of_those_who_wait_is_cancelled() -> None:
    sharing: Sharing[int] = Sharing()
    work, outputs = Work(), [Output(), Output()]
    first, second = (asyncio.create_task(sharing.once("it", work.do, output)) for output in outputs)
    for output in outputs:
        await output.wait_for("begun")
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    work.go_on.set()
    assert await second == 1


async def test_work_is_cancelled_when_nobody_waits_any_more() -> None:
    sharing: Sharing[int] = Sharing()
    work, output = Work(), Output()
    asking = asyncio.create_task(sharing.once("it", work.do, output))
    await output.wait_for("begun")
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert work.cancelled


async def test_what_the_work_raises_is_raised_to_all() -> None:
    sharing: Sharing[int] = Sharing()

    async def fail(_: ByteSink) -> int:
        raise ValueError("it does not work")

    asking = [sharing.once("it", fail, Output()) for _ in range(2)]
    said = await asyncio.gather(*asking, return_exceptions=True)
    assert [str(error) for error in said] == ["it does not work"] * 2


async def test_a_sink_that_fails_is_the_failure_of_its_caller_alone() -> None:
    class Full:
        async def write(self, data: bytes) -> None:
            raise OSError(data)

    sharing: Sharing[int] = Sharing()
    work, output = Work(), Output()
    good = asyncio.create_task(sharing.once("it", work.do, output))
    await output.wait_for("begun")
    with pytest.raises(OSError, match="begun"):
        await sharing.once("it", work.do, Full())
    work.go_on.set()
    assert await good == 1


async def test_who_comes_late_is_told_the_end_of_what_was_told() -> None:
    told, output = Told(), Output()
    for number in range(100):
        await told.write(f"{number:04}".encode() * 512)
    told.close()
    await told.follow(output)
    assert output.text.endswith("0099")
    assert 0 < len(output.text) <= 64 * 1024


async def test_who_tells_waits_for_those_who_listen_so_that_memory_stays_flat() -> None:
    class Slow:
        def __init__(self) -> None:
            self.begun, self.go_on, self.bytes = asyncio.Event(), asyncio.Event(), 0

        async def write(self, data: bytes) -> None:
            self.begun.set()
            await self.go_on.wait()
            self.bytes += len(data)

    told, slow = Told(), Slow()
    following = asyncio.create_task(told.follow(slow))
    await told.write(b"x")
    await slow.begun.wait()
    telling = asyncio.create_task(told.write(b"x" * (1 << 20)))
    await asyncio.sleep(0)
    assert not telling.done()
    slow.go_on.set()
    await telling
    told.close()
    await following
    assert slow.bytes == (1 << 20) + 1
