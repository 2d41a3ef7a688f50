"""The output of the containers beside a task, each in a file of its own, masked and bounded."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import BinaryIO, Final

from lineshaft.ports.executor import ByteSink
from lineshaft.sdk.masking import MaskedLog, Masking

SERVICE_LOG_LIMIT_BYTES: Final = 16 * 1024 * 1024
"""How much of the output of one service is kept."""

_CUT: Final = f"\nMore than {SERVICE_LOG_LIMIT_BYTES // 1024**2} MiB; the rest is not kept.\n".encode()


class ServiceLogs:
    """The logs of one attempt's services, in a folder that its task does not see."""

    def __init__(self, folder: Path, services: Iterable[str], masking: Masking) -> None:
        """Make an empty file for each service.

        Args:
            folder: empty; it takes them.
            services: the services' names, which hold no `/`.
            masking: what is secret.
        """
        self._files = {name: _BoundedFile(folder / f"{name}.log") for name in services}
        self._logs = {name: MaskedLog(file, masking) for name, file in self._files.items()}

    @classmethod
    def none(cls) -> "ServiceLogs":
        """Make those of an attempt that has no services."""
        return cls(Path(), (), Masking())

    @property
    def sinks(self) -> Mapping[str, ByteSink]:
        """What takes the output of each service, by its name."""
        return self._logs

    @property
    def paths(self) -> Mapping[str, Path]:
        """The files of those that have written something, by the names of the services."""
        return {name: file.path for name, file in self._files.items() if file.size_bytes}

    async def close(self) -> None:
        """Write what was held back; nothing more is written afterwards."""
        for log in self._logs.values():
            await log.finish()
        for file in self._files.values():
            file.close()

    def remove(self) -> None:
        """Remove the files, so that the folder is empty again."""
        for file in self._files.values():
            file.close()
            file.path.unlink(missing_ok=True)


class _BoundedFile:
    """A file that takes so much and no more."""

    def __init__(self, path: Path) -> None:
        self.path: Final = path
        self.size_bytes = 0
        self._full = False
        self._file: BinaryIO = path.open("xb", buffering=0)

    async def write(self, data: bytes) -> None:
        if self._full:
            return
        room = SERVICE_LOG_LIMIT_BYTES - self.size_bytes
        self._file.write(data[:room])
        self.size_bytes += min(len(data), room)
        if len(data) > room:
            self._full = True
            self._file.write(_CUT)

    def close(self) -> None:
        self._file.close()
