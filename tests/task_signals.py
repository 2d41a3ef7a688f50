"""Named pipes by which the tasks of a run and its test tell each other when to go on."""

import os
import select
import time
from collections import Counter
from pathlib import Path

from network import PATIENCE_SECONDS

_MANY = b"\n" * 1_000


class Signals:
    """A folder with a pipe in which tasks tell where they are, and one at which they wait.

    Attributes:
        begun: the file in which every attempt writes its path and its number as it begins.
        tell: what a task runs to write its path into the pipe.
        note: what a task runs to be among `begun`.
        wait: what a task runs to wait until `open` was called.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        self.begun = folder / "begun"
        self._told, self._gate = folder / "told", folder / "gate"
        os.mkfifo(self._told)
        os.mkfifo(self._gate)
        # Opened for both, so that it never ends and that nobody waits for another to open it.
        self._hearing = os.open(self._told, os.O_RDWR | os.O_NONBLOCK)
        self._opening = os.open(self._gate, os.O_RDWR | os.O_NONBLOCK)
        self._heard: Counter[str] = Counter()
        # Without quotes, so that they can stand in any pipeline's text; no node here has a blank in its name.
        self.note = f"echo $LINESHAFT_NODE $LINESHAFT_ATTEMPT >> {self.begun}"
        self.tell = f"echo $LINESHAFT_NODE > {self._told}"
        self.wait = f"read -r _ < {self._gate}"

    def hear(self, *words: str) -> None:
        """Wait until tasks have told each of these words, so often as it stands here."""
        missing = Counter(words)
        until = time.monotonic() + PATIENCE_SECONDS
        while missing - self._heard:
            left = until - time.monotonic()
            ready, _, _ = select.select([self._hearing], [], [], max(left, 0))
            assert ready, f"nobody told {missing - self._heard}, but {self._heard}"
            self._heard.update(os.read(self._hearing, 1 << 16).decode().split())
        self._heard -= missing

    def open(self) -> None:
        """Let all go on who wait, and who will."""
        os.write(self._opening, _MANY)

    def begun_attempts(self) -> Counter[tuple[str, int]]:
        """Count how often each attempt of each node has begun."""
        lines = self.begun.read_text().splitlines() if self.begun.exists() else []
        pairs = (line.split() for line in lines)
        return Counter((path, int(attempt)) for path, attempt in pairs)

    def close(self) -> None:
        """Let go of the pipes."""
        os.close(self._hearing)
        os.close(self._opening)
