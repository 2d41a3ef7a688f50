"""One sink for several that write."""

import asyncio

from integration.output import Output
from lineshaft.docker.turns import InTurns, in_turns


async def test_those_who_write_at_once_take_turns() -> None:
    class One:
        def __init__(self) -> None:
            self.inside, self.most, self.text = 0, 0, b""

        async def write(self, data: bytes) -> None:
            self.inside += 1
            self.most = max(self.most, self.inside)
            await asyncio.sleep(0)
            self.text += data
            self.inside -= 1

    one = One()
    turns = InTurns(one)
    await asyncio.gather(*(turns.write(b"x") for _ in range(10)), turns.line("y"))
    assert (one.most, one.text) == (1, b"x" * 10 + b"\ny\n")


async def test_a_line_of_our_own_begins_a_line() -> None:
    output = Output()
    turns = InTurns(output)
    await turns.line("first")
    await turns.write(b"begun")
    await turns.line("second")
    assert output.text == "first\nbegun\nsecond\n"


def test_a_sink_that_has_turns_gets_no_others() -> None:
    turns = InTurns(Output())
    assert in_turns(turns) is turns
