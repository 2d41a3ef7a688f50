"""What a command is given, and what becomes of what it writes."""

import asyncio
import os

import pytest

from conformance.executors.witness import LONG, Scene
from lineshaft.ports.executor import Command, Ending, Exit


async def test_standard_output_and_standard_error_arrive_in_the_order_of_the_writes(scene: Scene) -> None:
    await scene.run("for n in 1 2 3; do echo out $n; echo err $n >&2; done")

    assert scene.output.data == b"out 1\nerr 1\nout 2\nerr 2\nout 3\nerr 3\n"


async def test_every_byte_arrives_unchanged(scene: Scene) -> None:
    blob = os.urandom(5_000_001)
    (scene.folder / "blob").write_bytes(blob)

    await scene.run("cat blob")

    assert scene.output.data == blob
    assert all(0 < len(chunk) <= 1024 * 1024 for chunk in scene.output.chunks)


async def test_a_slow_sink_holds_the_command_back(scene: Scene) -> None:
    blob = bytes(4 * 1024 * 1024)
    (scene.folder / "blob").write_bytes(blob)
    gate = asyncio.Event()
    entered = asyncio.Event()
    received = bytearray()

    class SlowSink:
        async def write(self, data: bytes) -> None:
            entered.set()
            await gate.wait()
            received.extend(data)

    # While the sink takes nothing, `cat` cannot have written its last byte, so the shell cannot have said so.
    script = "exec 9>lifeline; cat blob; echo written >&9"
    running = asyncio.create_task(scene.run(script, SlowSink()))
    await entered.wait()
    assert scene.lifeline.held()
    assert scene.lifeline.said == b""
    gate.set()

    assert await running == Exit(Ending.ENDED, exit_code=0)
    assert received == blob


async def test_a_sink_that_fails_has_the_command_killed_and_its_error_raised(scene: Scene) -> None:
    class BrokenSink:
        async def write(self, data: bytes) -> None:
            assert scene.lifeline.held()
            raise ConnectionError(data)

    script = "trap '' TERM; exec 9>lifeline; echo ready; while :; do sleep 600; done"
    with pytest.raises(ConnectionError, match="ready"):
        await scene.run(script, BrokenSink())

    assert not scene.lifeline.held()


async def test_other_work_goes_on_while_a_command_writes_without_a_pause(scene: Scene) -> None:
    class CountingSink:
        count = 0

        async def write(self, data: bytes) -> None:
            self.count += len(data)
            if self.count > 10_000_000:
                asyncio.get_running_loop().call_soon(scene.stop.set)

    result = await scene.run("exec yes", CountingSink())

    assert isinstance(result, Exit)
    assert result.ending is Ending.STOPPED


async def test_standard_input_is_empty(scene: Scene) -> None:
    assert await scene.run("cat; echo end") == Exit(Ending.ENDED, exit_code=0)
    assert scene.output.data == b"end\n"


async def test_the_environment_is_what_the_command_says_and_the_label(scene: Scene) -> None:
    environment = {"PATH": os.environ["PATH"], "TEXT": "zwei\nZeilen ü", "EMPTY": ""}

    await scene.run(Command(("env", "-0"), scene.folder, environment, LONG, LONG, "a-label/1"))

    entries = scene.output.data.decode().split("\0")
    seen = dict(entry.split("=", 1) for entry in entries if entry and entry.split("=")[0] not in scene.given)
    assert seen.pop("LINESHAFT_PROCESS_LABEL").split()[-1] == "a-label/1"
    assert seen == environment


async def test_a_command_starts_in_its_folder(scene: Scene) -> None:
    await scene.run("echo here >trace")

    assert (scene.folder / "trace").read_text() == "here\n"


async def test_a_command_inherits_no_open_file(scene: Scene) -> None:
    with (scene.folder / "secret").open("w") as file:
        os.set_inheritable(file.fileno(), True)  # noqa: FBT003 - it takes no keyword
        open_files = [number for number in range(3, 10) if number == file.fileno()] or [file.fileno()]
        script = " ".join(f"{{ : <&{number}; }} 2>&- && echo {number} is open;" for number in open_files)
        await scene.run(f"{script} true")

    assert scene.output.data == b""
