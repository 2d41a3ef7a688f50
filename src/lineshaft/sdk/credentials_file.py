"""The file that keeps the tokens with which this user of the machine has signed in, one for each server.

It is `credentials.json` beside the user's own configuration file, and nobody else may read it. It is written
whole, or not at all, so that whoever reads it meanwhile reads what was there before.
"""

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from fcntl import LOCK_EX, flock
from pathlib import Path
from typing import Any, Final

from lineshaft.model.errors import ConfigurationError

_LONGEST_TOKEN: Final = 512
_TOKEN: Final = re.compile(r"[!-~]+")


@dataclass(frozen=True, slots=True)
class Login:
    """A token that was made to sign in to a server.

    Attributes:
        username: whose it is.
        token: the token itself.
        token_id: by which it can be revoked.
    """

    username: str
    token: str = field(repr=False)
    token_id: str


@dataclass(frozen=True, slots=True)
class CredentialsFile:
    """The tokens by the addresses of their servers.

    Attributes:
        path: where it is.
    """

    path: Path

    def find(self, url: str) -> Login | None:
        """Find how to sign in to a server; None where nobody has done so.

        Raises:
            ConfigurationError: the file cannot be read, or makes no sense.
        """
        entry = self._read().get(url)
        if entry is None:
            return None
        try:
            login = Login(entry["username"], entry["token"], entry["token_id"])
        except (KeyError, TypeError):
            raise self._senseless() from None
        if not all(isinstance(text, str) for text in (login.username, login.token_id)):
            raise self._senseless()
        if not is_token(login.token):
            raise self._senseless()
        return login

    def keep(self, url: str, login: Login) -> None:
        """Keep how to sign in to a server, in place of what is kept for it.

        Raises:
            ConfigurationError: the file cannot be read or written.
        """
        entry = {"username": login.username, "token": login.token, "token_id": login.token_id}
        with self._changing() as entries:
            entries[url] = entry

    def forget(self, url: str) -> None:
        """Keep nothing for a server any more.

        Raises:
            ConfigurationError: the file cannot be read or written.
        """
        with self._changing() as entries:
            entries.pop(url, None)

    def _read(self) -> dict[str, Any]:
        try:
            document = json.loads(self.path.read_text("utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except OSError as error:
            raise ConfigurationError(f"{self.path} cannot be read: {error.strerror}.") from error
        except (ValueError, RecursionError):
            raise self._senseless() from None
        if not isinstance(document, dict):
            raise self._senseless()
        return document

    @contextmanager
    def _changing(self) -> Iterator[dict[str, Any]]:
        folder = self.path.parent
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with _locked(folder):
                entries = self._read()
                yield entries
                _replace(self.path, json.dumps(entries, indent=2) + "\n")
        except OSError as error:
            raise ConfigurationError(
                f"{self.path} cannot be written: {error.strerror}.",
                advice="See that you may write there, or name another folder with XDG_CONFIG_HOME.",
            ) from error

    def _senseless(self) -> ConfigurationError:
        # What is in it is not repeated.
        return ConfigurationError(
            f"{self.path} makes no sense.", advice="Delete it, and `lineshaft login` again."
        )


def is_token(text: Any) -> bool:
    """Tell whether something can be sent as a token, which is one word of ASCII characters."""
    return isinstance(text, str) and len(text) <= _LONGEST_TOKEN and _TOKEN.fullmatch(text) is not None


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keep other programs out that change files of a folder in the same way."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        flock(descriptor, LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _replace(path: Path, text: str) -> None:
    new = path.with_name(f".{path.name}.new")
    # What a program has left that was killed here may have another mode.
    new.unlink(missing_ok=True)
    try:
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except BaseException:
        with suppress(OSError):
            new.unlink(missing_ok=True)
        raise
