"""How a command ends, and that it is told truly."""

import asyncio
import signal
from datetime import timedelta
from pathlib import Path

import pytest

from conformance.executors.witness import BRIEF, LONG, Recorder, Scene
from lineshaft.ports.executor import Command, Ending, Exit, NotStarted

# A shell that has just forked may lose a signal in its child, so this child says itself that it is there.
SAY_READY = "sh -c 'echo ready; exec sleep 600'"


@pytest.mark.parametrize("code", [0, 1, 7, 255])
async def test_the_exit_code_is_that_of_the_command(scene: Scene, code: int) -> None:
    assert await scene.run(f"exit {code}") == Exit(Ending.ENDED, exit_code=code)


async def test_the_signal_that_ended_a_command_is_told(scene: Scene) -> None:
    assert await scene.run("kill -KILL $$") == Exit(Ending.ENDED, signal=signal.SIGKILL)


async def test_a_command_is_ended_at_its_time_limit(scene: Scene) -> None:
    result = await scene.run(scene.command("exec sleep 600", timeout=BRIEF))

    assert result == Exit(Ending.TIMED_OUT, signal=signal.SIGTERM)


async def test_a_command_is_ended_when_it_is_told_to_stop(scene: Scene) -> None:
    running = await scene.begin("echo ready; exec sleep 600")
    scene.stop.set()

    assert await running == Exit(Ending.STOPPED, signal=signal.SIGTERM)


async def test_a_command_that_is_to_stop_before_it_begins_does_not_begin(scene: Scene) -> None:
    scene.stop.set()

    assert await scene.run("touch trace") == Exit(Ending.STOPPED)
    assert not (scene.folder / "trace").exists()


async def test_a_command_that_ignores_sigterm_is_killed_after_the_grace(scene: Scene) -> None:
    script = "trap '' TERM; echo ready; while :; do sleep 600; done"
    running = await scene.begin(scene.command(script, grace=BRIEF))
    scene.stop.set()

    assert await running == Exit(Ending.STOPPED, signal=signal.SIGKILL)


async def test_a_command_that_ends_itself_within_the_grace_is_not_killed(scene: Scene) -> None:
    running = await scene.begin(f"trap 'echo cleaned up; exit 3' TERM; {SAY_READY} & wait")
    scene.stop.set()

    assert await running == Exit(Ending.STOPPED, exit_code=3)
    assert scene.output.data.endswith(b"cleaned up\n")


async def test_a_child_may_use_the_grace_although_the_command_itself_ends_at_once(scene: Scene) -> None:
    # The child cleans up only after its parent has gone, as it sees by the end of a FIFO that the parent
    # holds.
    script = f"""
        mkfifo parent
        (exec 8<parent; trap 'cat <&8; echo cleaned up; exit' TERM; {SAY_READY} & wait) &
        exec 9>parent
        exec sleep 600
    """
    running = await scene.begin(script)
    scene.stop.set()

    assert await running == Exit(Ending.STOPPED, signal=signal.SIGTERM)
    assert scene.output.data.endswith(b"cleaned up\n")


async def test_a_command_that_has_suspended_itself_ends_as_well(scene: Scene) -> None:
    result = await scene.run(scene.command("kill -STOP $$", timeout=BRIEF))

    assert result == Exit(Ending.TIMED_OUT, signal=signal.SIGTERM)


async def test_many_commands_run_at_once(scene: Scene) -> None:
    recorders = [Recorder() for _ in range(20)]
    commands = [scene.command(f"echo {n}; exit {n}", label=f"many/{n}") for n in range(20)]

    results = await asyncio.gather(*map(scene.run, commands, recorders))

    assert results == [Exit(Ending.ENDED, exit_code=n) for n in range(20)]
    assert [recorder.data for recorder in recorders] == [f"{n}\n".encode() for n in range(20)]


async def why_not(
    scene: Scene, *argv: str, cwd: Path | None = None, env: dict[str, str] | None = None
) -> str:
    environment = env or {"PATH": "/usr/bin:/bin"}
    command = Command(argv, cwd or scene.folder, environment, LONG, timedelta(), "conformance/1")
    result = await scene.run(command)
    assert isinstance(result, NotStarted)
    assert scene.output.data == b""
    return result.text


async def test_a_program_that_is_not_there_is_named(scene: Scene) -> None:
    assert "'no-such-program'" in await why_not(scene, "no-such-program")


async def test_a_folder_that_has_gone_is_named(scene: Scene) -> None:
    gone = scene.folder / "gone"

    assert str(gone) in await why_not(scene, "true", cwd=gone)


async def test_a_file_that_is_not_executable_is_named(scene: Scene) -> None:
    script = scene.folder / "script"
    script.write_text("true")

    assert str(script) in await why_not(scene, str(script))


async def test_an_argument_that_is_too_long_gives_a_plain_sentence(scene: Scene) -> None:
    assert "larger than this system allows" in await why_not(scene, "true", "x" * 4_000_000)


@pytest.mark.parametrize("argument", ["a\0b", "\ud800"])
async def test_an_argument_that_cannot_be_passed_gives_a_plain_sentence(scene: Scene, argument: str) -> None:
    assert "cannot be passed" in await why_not(scene, "true", argument)


@pytest.mark.parametrize("name", ["A=B", "A\0B"])
async def test_a_variable_that_cannot_be_passed_gives_a_plain_sentence(scene: Scene, name: str) -> None:
    assert "cannot be passed" in await why_not(scene, "true", env={name: "x"})


async def test_a_command_without_a_program_gives_a_plain_sentence(scene: Scene) -> None:
    assert "empty" in await why_not(scene)
