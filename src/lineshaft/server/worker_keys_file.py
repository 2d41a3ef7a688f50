"""The file that holds worker keys, a key a line, read again when it changes."""

import logging
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from lineshaft.model.errors import ConfigurationError
from lineshaft.model.worker_key import WorkerCaller
from lineshaft.services.fleet.worker_keys import file_caller, key_hash

_LOG: Final = logging.getLogger("lineshaft.keys")
_LONGEST_FILE_BYTES: Final = 1024 * 1024
_SHORT: Final = 16
"""Keys with fewer characters than this can be guessed by trying."""

_Fingerprint = tuple[int, int, int, int]


class WorkerKeysFile:
    """Tells which keys the file holds at the moment; `services.fleet.worker_keys.FileKeys`.

    Empty lines, and lines that begin with `#`, do not count. One that cannot be read any more holds no key.
    """

    def __init__(self, path: Path) -> None:
        """Read the file.

        Raises:
            ConfigurationError: it cannot be read.
        """
        self._path = path
        self._callers: Mapping[str, WorkerCaller] = {}
        self._read_as: _Fingerprint | None = None
        try:
            self._read()
        except OSError as error:
            raise ConfigurationError(
                f"The worker keys file {path} cannot be read: {error.strerror or error}.",
                advice="Name a file with a key a line with --worker-keys-file or LINESHAFT_WORKER_KEYS_FILE.",
            ) from error

    def __call__(self) -> Mapping[str, WorkerCaller]:
        """Tell who calls with which key, by the key's SHA-256 in hexadecimal."""
        try:
            if _fingerprint(self._path.stat()) != self._read_as:
                self._read()
        except OSError as error:
            if self._read_as is not None:
                _LOG.warning(
                    "The worker keys file %s cannot be read any more, its keys are worth nothing now: %s",
                    self._path,
                    error.strerror or error,
                )
            self._callers, self._read_as = {}, None
        return self._callers

    def _read(self) -> None:
        with self._path.open("rb") as file:
            status = os.fstat(file.fileno())
            content = file.read(_LONGEST_FILE_BYTES + 1)
        if len(content) > _LONGEST_FILE_BYTES:
            raise OSError(f"it is longer than {_LONGEST_FILE_BYTES} bytes")
        keys = [line for line in map(bytes.strip, content.splitlines()) if line and not line.startswith(b"#")]
        self._warn(keys, status.st_mode)
        hashes = [key_hash(key) for key in keys]
        self._callers = {of_hash: file_caller(of_hash) for of_hash in hashes}
        self._read_as = _fingerprint(status)

    def _warn(self, keys: list[bytes], mode: int) -> None:
        # The keys themselves are told nowhere.
        if mode & stat.S_IROTH:
            _LOG.warning("Every user of this machine may read the keys in %s: `chmod 600` it.", self._path)
        if not keys:
            _LOG.warning("The worker keys file %s holds no key.", self._path)
        short = sum(len(key) < _SHORT for key in keys)
        if short:
            _LOG.warning(
                "%d of the keys in %s can be guessed: they have fewer than %d characters.",
                short,
                self._path,
                _SHORT,
            )


def _fingerprint(status: os.stat_result) -> _Fingerprint:
    return status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size
