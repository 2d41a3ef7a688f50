"""The file that holds the keys which seal secrets."""

import os
import secrets
import stat
from pathlib import Path
from typing import Final

from lineshaft.integrations.key_ring import KeyRing, new_key
from lineshaft.model.errors import ConfigurationError

_LONGEST_FILE_BYTES: Final = 65_536
_TOO_OPEN: Final = stat.S_IRWXO | stat.S_IWGRP
"""What nobody but the file's owner may do, with a group that may read it."""


def read_key_file(path: Path) -> KeyRing:
    """Read the keys in a file.

    Raises:
        ConfigurationError: it cannot be read, others may, or it holds what is no key.
    """
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            content = file.read(_LONGEST_FILE_BYTES + 1)
    except OSError as error:
        raise ConfigurationError(
            f"The file {path} with the keys of secrets cannot be read: {error.strerror}.",
            advice="Name a file with a key a line, as `lineshaft secret new-key` makes it.",
        ) from error
    if mode & _TOO_OPEN:
        raise ConfigurationError(
            f"Not only its owner may read or change the file {path} with the keys of secrets.",
            advice=f"`chmod 600 {path}`; if others may have read it, put a new key on top and reseal.",
        )
    if len(content) > _LONGEST_FILE_BYTES:
        raise ConfigurationError(
            f"The file {path} is longer than {_LONGEST_FILE_BYTES:,} bytes, so it is no file of keys.",
            advice="Name a file with a key a line with --secrets-key-file or LINESHAFT_SECRETS_KEY_FILE.",
        )
    return KeyRing.read(content.decode(errors="replace"), str(path))


def own_key_file(path: Path) -> KeyRing:
    """Read the keys in a file that is made, with one new key, where there is none.

    The file comes into being whole, so that one that is empty or torn was not left so by a crash here: it is
    refused, because a new key would open nothing that the lost one has sealed.

    Raises:
        ConfigurationError: it cannot be read or made, others may read it, or it holds what is no key.
    """
    if not os.path.lexists(path):
        try:
            _make(path)
        except OSError as error:
            raise ConfigurationError(
                f"The file {path} for the key of secrets cannot be made: {error.strerror}.",
                advice="Let the server write to its data folder, or name a file with "
                "LINESHAFT_SECRETS_KEY_FILE.",
            ) from error
    return read_key_file(path)


def _make(path: Path) -> None:
    """Make the file; where another process is faster, its file stays."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(f"{new_key()}\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            path.hardlink_to(part)
        except FileExistsError:
            return
        _sync_folder(path.parent)
    finally:
        part.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
