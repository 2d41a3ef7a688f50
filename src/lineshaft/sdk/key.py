"""The key that a worker proves itself with: where it comes from."""

import logging
import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from lineshaft.model.errors import ConfigurationError

KEY_VARIABLE: Final = "LINESHAFT_WORKER_KEY"
"""The environment's variable that holds the key itself."""

_LOG: Final = logging.getLogger("lineshaft.worker")
_LONGEST_FILE_BYTES: Final = 65_536
_LONGEST_KEY: Final = 512


def worker_key(
    key_file: Path | None, *, named: bool, environment: Mapping[str, str] = os.environ
) -> str | None:
    """Find the worker's key.

    Args:
        key_file: the file that the settings name.
        named: whether the command line named it, which is stronger than the environment.
        environment: the environment's variables; an empty one counts as absent.

    Returns:
        The key; None when there is none, so that the user's credentials are to be used.

    Raises:
        ConfigurationError: the file cannot be read or has no key in it, or what is there is no key.
    """
    said = environment.get(KEY_VARIABLE)
    if said and not (named and key_file is not None):
        return _checked(said.strip(), KEY_VARIABLE)
    return None if key_file is None else _read(key_file)


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            content = file.read(_LONGEST_FILE_BYTES)
    except OSError as error:
        raise ConfigurationError(
            f"The key file {path} cannot be read: {error.strerror}.",
            advice="Name a file with the worker's key in its first line.",
        ) from error
    if mode & stat.S_IROTH:
        _LOG.warning("Every user of this machine may read the key in %s: `chmod 600` it.", path)
    lines = (line.strip() for line in content.decode(errors="replace").splitlines())
    key = next((line for line in lines if line and not line.startswith("#")), None)
    if key is None:
        raise ConfigurationError(
            f"The key file {path} is empty.", advice="Write the worker's key into its first line."
        )
    return _checked(key, str(path))


def _checked(key: str, origin: str) -> str:
    # The key itself is not repeated.
    if len(key) > _LONGEST_KEY or not re.fullmatch(r"[!-~]+", key):
        raise ConfigurationError(
            f"What {origin} holds is no worker key.",
            advice="A key is one word of ASCII characters, such as `lineshaft worker-key create` makes.",
        )
    return key
