"""Nothing that a command has started outlives it."""

import asyncio
import sys
from datetime import timedelta

import pytest

from conformance.executors.witness import BRIEF, Recorder, Scene
from lineshaft.executors.label import label_prefix
from lineshaft.ports.executor import Ending, Exit

# A process that tells through the lifeline that it is there, lets the command go on, and stays.
STAY = "echo here >&9; echo >go; exec sleep 600"

LEFT_BEHIND = {
    "in the background": f"sh -c '{STAY}' &",
    "deaf to SIGTERM": f"""sh -c 'trap "" TERM; {STAY}' &""",
    "after nohup": f"nohup sh -c '{STAY}' >/dev/null 2>&1 &",
    "in its own session": f"setsid sh -c '{STAY}' &",
    "forked twice": f"(setsid sh -c '{STAY}' >/dev/null 2>&1 </dev/null &) &",
    "below one of its own kind": f"""(setsid sh -c 'setsid sh -c "{STAY}" & wait' &) &""",
}


@pytest.fixture(params=LEFT_BEHIND.values(), ids=list(LEFT_BEHIND))
def leaving(request: pytest.FixtureRequest) -> str:
    return f"exec 9>lifeline; mkfifo go; {request.param} read nothing <go; echo ready;"


async def test_what_is_left_when_a_command_ends_is_killed(scene: Scene, leaving: str) -> None:
    assert await scene.run(leaving) == Exit(Ending.ENDED, exit_code=0)
    assert not scene.lifeline.held()
    assert scene.lifeline.said == b"here\n"


async def test_what_is_left_when_a_command_is_stopped_is_killed(scene: Scene, leaving: str) -> None:
    running = await scene.begin(scene.command(f"{leaving} exec sleep 600", grace=BRIEF))
    assert scene.lifeline.held()
    scene.stop.set()

    result = await running
    assert isinstance(result, Exit)
    assert result.ending is Ending.STOPPED
    assert not scene.lifeline.held()


async def test_what_is_left_when_the_caller_is_cancelled_is_killed(scene: Scene, leaving: str) -> None:
    running = await scene.begin(f"{leaving} exec sleep 600")
    assert scene.lifeline.held()
    running.cancel()

    with pytest.raises(asyncio.CancelledError):
        await running
    assert not scene.lifeline.held()


async def test_what_was_written_before_the_end_arrives_although_an_orphan_holds_the_output(
    scene: Scene,
) -> None:
    result = await scene.run("setsid sleep 600 & head -c 500000 /dev/zero; echo the end")

    assert result == Exit(Ending.ENDED, exit_code=0)
    assert scene.output.data == bytes(500_000) + b"the end\n"


# It starts ever more children that stay, each the leader of a session, for as long as it is left alive.
BREEDER = """
import os, signal
lifeline = os.open("lifeline", os.O_WRONLY)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
for n in range(300):
    if os.fork() == 0:
        os.setsid()
        signal.pause()
    if n == 20:
        os.write(1, b"ready")
signal.pause()
"""


async def test_who_forks_while_being_killed_does_not_get_away(scene: Scene) -> None:
    (scene.folder / "breeder.py").write_text(BREEDER)
    script = f"{sys.executable} breeder.py & exec sleep 600"
    running = await scene.begin(scene.command(script, grace=timedelta()))
    assert scene.lifeline.held()
    scene.stop.set()

    await running
    assert not scene.lifeline.held()


async def test_what_another_command_has_started_is_left_alone(scene: Scene) -> None:
    stay = "(setsid sh -c 'echo ready; exec sleep 600' &); exec sleep 600"
    other = await scene.begin(scene.command(f"exec 9>lifeline; {stay}", label="other/1"))

    async def run(script: str, label: str) -> None:
        command = scene.command(script, timeout=BRIEF, grace=BRIEF, label=label)
        await scene.executor.execute(command, Recorder(), asyncio.Event())

    await run("sleep 600 & exec sleep 600", "mine/1")
    await run("setsid sleep 600 &", "mine/2")

    assert scene.lifeline.held()
    assert not other.done()
    scene.stop.set()
    await other
    assert not scene.lifeline.held()


async def test_what_a_killed_worker_has_left_is_swept_away(scene: Scene) -> None:
    prefix = label_prefix(scene.folder)
    # Nobody but the worker keeps its output open, for whoever waits for it may wait for that as well.
    survivor = "echo here >&9; echo ready; exec sleep 600 >/dev/null"
    script = f"exec 9>lifeline; (setsid sh -c '{survivor}' &); exec sleep 600"
    await scene.abandon(f"{prefix}1", script)
    assert scene.lifeline.held()

    assert await scene.executor.sweep("another-worker/") == 0
    assert scene.lifeline.held()
    assert await scene.executor.sweep(prefix) >= 1
    assert not scene.lifeline.held()
    assert await scene.executor.sweep(prefix) == 0
