"""Programs that tests start and, by their process id, stop."""

import queue
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

_START_SECONDS = 60
_STOP_SECONDS = 30


@contextmanager
def running(command: Sequence[str | Path], *, ready: str, log: Path) -> Iterator[str]:
    """Start a program, yield the line with `ready` in it once it prints that, and stop it at the end."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    announcement: queue.Queue[str | None] = queue.Queue()

    def read() -> None:
        assert process.stdout is not None
        with process.stdout, log.open("w") as file:
            for line in process.stdout:
                file.write(line)
                if ready in line:
                    announcement.put(line)
        announcement.put(None)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        line = announcement.get(timeout=_START_SECONDS)
        if line is None:
            raise RuntimeError(f"{command[0]} ended before it was ready:\n{log.read_text()[-2000:]}")
        yield line
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        reader.join()
