"""A command on a terminal of its own, for tests of what people see."""

import os
import pty
import re
import subprocess
import sys
from collections.abc import Mapping
from fcntl import ioctl
from struct import pack
from termios import TIOCSWINSZ
from typing import Self

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class TerminalSession:
    """Runs a command on a pseudo-terminal; use it as a context manager.

    Attributes:
        process: the command.
    """

    def __init__(
        self,
        *arguments: object,
        environment: Mapping[str, str],
        columns: int = 100,
        rows: int = 30,
        alone: bool = False,
    ) -> None:
        """Start `lineshaft` with these arguments.

        Args:
            arguments: of the command line.
            environment: variables besides those of the test.
            columns: of the terminal.
            rows: of the terminal.
            alone: whether it must not know the terminal that the test itself may have, to ask there.
        """
        self._controller, terminal = pty.openpty()
        ioctl(terminal, TIOCSWINSZ, pack("HHHH", rows, columns, 0, 0))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "lineshaft", *map(str, arguments)],
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            start_new_session=alone,
            env={**os.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8", **environment},
        )
        os.close(terminal)
        self._text = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._controller)

    def type(self, text: str) -> None:
        """Type a line, once it was asked for: what is typed before a password is asked for is thrown away."""
        os.write(self._controller, f"{text}\n".encode())

    def read_until(self, words: str) -> str:
        """Read until the screen has shown these words, and return all that was shown, without its colours.

        Raises:
            AssertionError: the command has ended without them; it tells what was shown instead.
        """
        while words not in self.plain:
            piece = self._read()
            if not piece:
                raise AssertionError(f"The command ended without {words!r}; it showed:\n{self.plain}")
            self._text += piece
        return self.plain

    def read_to_end(self) -> str:
        """Read until the command has ended, and return all that was shown, as it was sent."""
        while piece := self._read():
            self._text += piece
        return self._text

    @property
    def plain(self) -> str:
        """What was shown so far, without colours and movements."""
        return _ESCAPES.sub("", self._text)

    def _read(self) -> str:
        try:
            return os.read(self._controller, 65536).decode("utf-8", "replace")
        except OSError:  # Linux says EIO when the last process has left the terminal.
            return ""
