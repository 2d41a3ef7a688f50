"""Where a server's time goes, by py-spy."""

import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from measure.packages import Packages

_REQUIREMENT: Final = "py-spy==0.4.3"
_SAMPLES_A_SECOND: Final = 500
_RECORD: Final = ("record", "--format", "raw", "--rate", str(_SAMPLES_A_SECOND), "--duration", "unlimited")
_SHOWN: Final = 40

# What a thread waits in: py-spy takes some of it for work.
_IDLE: Final = ("_worker (concurrent/", "SerialThread._serve (", "Runner.run (")

# What all work is done in, and what says nothing.
_FRAME: Final = ("threading.py", "asyncio/runners.py", "click/", "lineshaft/cli/", "<module>", "concurrent/")


class Profiler:
    """Watches processes, and adds up what it saw until it is asked."""

    def __init__(self, cache: Path) -> None:
        self._packages = Packages(cache, _REQUIREMENT)
        self._folder = cache / "profiles"
        self._files: list[Path] = []

    @contextmanager
    def watching(self, pid: int) -> Iterator[None]:
        """Watch a process while the context is open; it becomes slower by that."""
        self._packages.install()
        self._folder.mkdir(parents=True, exist_ok=True)
        file = self._folder / f"{pid}.raw"
        program = self._packages.bin / "py-spy"
        spy = subprocess.Popen(
            [program, *_RECORD, "--pid", str(pid), "--output", file],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            yield
        finally:
            spy.send_signal(signal.SIGINT)
            spy.wait()
            self._files.append(file)

    def summary(self) -> str:
        """Say in which functions the time since the last summary went by, in what they called included."""
        spent: Counter[str] = Counter()
        total = 0
        for file in self._files:
            for line in file.read_text().splitlines():
                stack, _, count = line.rpartition(" ")
                frames = stack.split(";")
                if not frames[-1].startswith(_IDLE):
                    total += int(count)
                    spent.update(dict.fromkeys(map(_function, frames), int(count)))
        self._files.clear()
        told = [each for each in spent.most_common() if not any(part in each[0] for part in _FRAME)]
        lines = [f"{count / total:6.1%}  {name}" for name, count in told[:_SHOWN]]
        return "\n".join([f"{total} samples, {_SAMPLES_A_SECOND} a second of each thread at work", *lines])


def _function(frame: str) -> str:
    """Leave the line's number out."""
    name, _, _ = frame.rpartition(":")
    return f"{name})" if name else frame
