"""What others of the same user can read of a process."""

import os
import subprocess
import sys
from textwrap import dedent

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows processes so")


def run(script: str, **variables: str) -> str:
    """Run a script as a program of its own, for what it changes lasts as long as the process."""
    done = subprocess.run(
        [sys.executable, "-c", dedent(script)],
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_a_private_process_is_roots_and_its_children_are_as_others_are() -> None:
    script = """
        import ctypes, subprocess, sys
        from pathlib import Path
        from lineshaft.executors.process.privacy import keep_private

        assert keep_private()
        dumpable = "import ctypes; print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"
        print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), Path("/proc/self/environ").stat().st_uid)
        print(subprocess.run([sys.executable, "-c", dumpable], stdout=-1, text=True).stdout)
    """
    assert run(script).split() == ["0", "0", "1"]


def test_a_private_process_executes_commands_as_before() -> None:
    script = """
        import asyncio, os
        from datetime import timedelta
        from pathlib import Path
        from lineshaft.executors.process import ProcessExecutor
        from lineshaft.executors.process.privacy import keep_private
        from lineshaft.ports.executor import Command

        class Sink:
            async def write(self, data):
                print(data.decode(), end="")

        async def main():
            keep_private()
            executor = ProcessExecutor()
            await executor.sweep("test-of-privacy/")
            for number in range(2):
                script = "echo done; setsid sleep 1000 >/dev/null 2>&1 &"
                command = Command(("sh", "-c", script), Path("/"), {"PATH": os.environ["PATH"]}, None,
                                  timedelta(seconds=1), f"test-of-privacy/{number}")
                print((await executor.execute(command, Sink(), asyncio.Event())).exit_code)
            print(await executor.sweep("test-of-privacy/"))

        asyncio.run(main())
    """
    assert run(script).split() == ["done", "0", "done", "0", "0"]


def test_a_forgotten_variable_is_in_neither_view_of_the_environment() -> None:
    script = """
        import os
        from pathlib import Path
        from lineshaft.executors.process.privacy import forget

        forget("TEST_KEY")
        forget("TEST_NOT_THERE")
        print(os.environ.get("TEST_KEY"))
        print("s3cr3t" in Path("/proc/self/environ").read_text())
        print(os.environ["TEST_OTHER"], "TEST_OTHER=kept" in Path("/proc/self/environ").read_text())
    """
    said = run(script, TEST_KEY="s3cr3t", TEST_OTHER="kept")
    assert said.split() == ["None", "False", "kept", "True"]
