"""What a service prints."""

import asyncio

import pytest

from integration.output import Output
from lineshaft.executors.docker.service_log import ServiceLog
from lineshaft.expression.pattern import regex


async def test_all_that_is_printed_is_handed_on_as_it_comes() -> None:
    output = Output()
    log = ServiceLog(output, None)
    for piece in (b"one\ntw", b"", b"o\n"):
        await log.take(piece)
    assert output.text == "one\ntwo\n"


async def test_a_line_is_found_across_pieces() -> None:
    log = ServiceLog(None, regex("^ready$"))
    await log.take(b"not ready\nrea")
    assert not log.found.is_set()
    await log.take(b"dy\r\n")
    assert log.found.is_set()


async def test_a_line_without_an_end_is_not_looked_at_yet() -> None:
    log = ServiceLog(None, regex("ready"))
    await log.take(b"ready")
    assert not log.found.is_set()


async def test_the_last_lines_are_kept_and_the_one_that_was_begun() -> None:
    log = ServiceLog(None, None)
    for number in range(30):
        await log.take(f"{number}\n".encode())
    await log.take(b"begun")
    assert log.last_lines == [*(str(number) for number in range(11, 30)), "begun"]


async def test_a_line_without_end_costs_no_memory() -> None:
    output = Output()
    log = ServiceLog(output, None)
    for _ in range(100):
        await log.take(b"x" * 10_000)
    assert len(output.text) == 1_000_000
    assert log.last_lines == ["x" * 500]


async def test_what_the_sink_raises_is_kept_and_the_service_goes_on() -> None:
    class Full:
        async def write(self, data: bytes) -> None:
            raise OSError(len(data))

    log = ServiceLog(Full(), regex("ready"))
    await log.take(b"one\n")
    await asyncio.wait_for(log.take(b"ready\n"), None)
    assert isinstance(log.failure, OSError)
    assert log.found.is_set()
    with pytest.raises(OSError, match="4"):
        raise log.failure
