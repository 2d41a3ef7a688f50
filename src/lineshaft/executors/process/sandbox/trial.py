"""Whether this machine lets a sandbox be made, which only trying tells."""

import asyncio
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Final

from lineshaft.ports.executor import Command, Executor, Exit

_LIMIT: Final = timedelta(seconds=30)
_PASSED: Final = 7
_KEPT_BYTES: Final = 4096
_SCRIPT: Final = f'test ! -s "$1" && : >"$2/trial" && test "$$" -lt 100 && exit {_PASSED}'


async def why_unusable(executor: Executor, hidden: Path, label: str) -> str | None:
    """Run a command in a sandbox that may write one folder, and is not to see another.

    Args:
        executor: runs commands in the sandbox.
        hidden: a folder that the sandbox hides.
        label: of the command, a worker's.

    Returns:
        What is wrong, as a part of a sentence; None when all was as it should be.
    """
    said = _Said()
    with tempfile.TemporaryDirectory(dir=hidden) as folder:
        secret, own = Path(folder) / "secret", Path(folder) / "own"
        secret.write_text("seen")
        own.mkdir()
        argv = ("/bin/sh", "-c", _SCRIPT, "sh", str(secret), str(own))
        command = Command(argv, own, {"PATH": "/usr/bin:/bin"}, _LIMIT, timedelta(), label, writable=(own,))
        result = await executor.execute(command, said, asyncio.Event())
        written = (own / "trial").exists()
    if isinstance(result, Exit) and result.exit_code == _PASSED and written:
        return None
    return said.text() or f"a trial came to {result}"


class _Said:
    """Keeps the beginning of what bwrap complains of."""

    def __init__(self) -> None:
        self._data = b""

    async def write(self, data: bytes) -> None:
        self._data = (self._data + data)[:_KEPT_BYTES]

    def text(self) -> str:
        return " ".join(self._data.decode(errors="replace").split()).rstrip(".")
